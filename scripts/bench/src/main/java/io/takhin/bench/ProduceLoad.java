package io.takhin.bench;

import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.apache.kafka.common.protocol.Errors;

/// Sends prepared Produce frames and counts the acknowledgements.
final class ProduceLoad {
  private static final int CORRELATION_AT = 8;

  private ProduceLoad() {}

  /// What came of a load.
  ///
  /// @param requests acknowledged without error
  /// @param seconds from the first send to the last answer
  /// @param latencyNanos of each request, from when it was due; empty for a closed loop
  record Outcome(long requests, double seconds, Histogram latencyNanos) {
    double perSecond() {
      return requests / seconds;
    }
  }

  /// A closed loop: each connection keeps `inFlight` requests under way until `requests` are
  /// answered.
  static Outcome closed(
      InetSocketAddress broker,
      int connections,
      int inFlight,
      List<ByteBuffer> frames,
      int errorCodeAt,
      long requests)
      throws IOException {
    try (Connections pool = new Connections(broker, connections)) {
      long[] sent = {0};
      long[] answered = {0};
      long start = System.nanoTime();
      for (int i = 0; i < inFlight; i++) {
        for (Connection connection : pool.all()) {
          if (sent[0] < requests) {
            connection.send(frames.get((int) (sent[0]++ % frames.size())).duplicate());
          }
        }
      }
      while (answered[0] < requests) {
        pool.poll(
            1000,
            (connection, body) -> {
              check(body, errorCodeAt);
              answered[0]++;
              if (sent[0] < requests) {
                connection.send(frames.get((int) (sent[0]++ % frames.size())).duplicate());
              }
            });
      }
      return new Outcome(requests, (System.nanoTime() - start) / 1e9, histogram());
    }
  }

  /// An open loop: requests are due at a fixed rate whether or not earlier ones were answered, and
  /// latency counts from when a request was due, so that a stall counts for all whom it delays.
  static Outcome paced(
      InetSocketAddress broker,
      int connections,
      List<ByteBuffer> frames,
      int errorCodeAt,
      double perSecond,
      long requests)
      throws IOException {
    try (Connections pool = new Connections(broker, connections)) {
      Histogram latency = histogram();
      long interval = (long) (TimeUnit.SECONDS.toNanos(1) / perSecond);
      long start = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(10);
      long[] sent = {0};
      long[] answered = {0};
      while (answered[0] < requests) {
        long now = System.nanoTime();
        while (sent[0] < requests && start + sent[0] * interval <= now) {
          ByteBuffer prepared = frames.get((int) (sent[0] % frames.size()));
          ByteBuffer frame = ByteBuffer.allocate(prepared.remaining()).put(prepared.duplicate());
          frame.putInt(CORRELATION_AT, (int) sent[0]);
          pool.all().get((int) (sent[0] % connections)).send(frame.flip());
          sent[0]++;
        }
        pool.poll(
            0,
            (connection, body) -> {
              check(body, errorCodeAt);
              latency.recordValue(
                  Math.max(0, System.nanoTime() - (start + body.getInt(0) * interval)));
              answered[0]++;
            });
        long untilNext = start + sent[0] * interval - System.nanoTime();
        if (sent[0] < requests && untilNext > 200_000) {
          pool.poll(
              1,
              (connection, body) -> {
                check(body, errorCodeAt);
                latency.recordValue(
                    Math.max(0, System.nanoTime() - (start + body.getInt(0) * interval)));
                answered[0]++;
              });
        } else if (untilNext > 20_000) {
          LockSupport.parkNanos(10_000);
        }
      }
      return new Outcome(requests, (System.nanoTime() - start) / 1e9, latency);
    }
  }

  private static void check(ByteBuffer body, int errorCodeAt) {
    short error = body.getShort(errorCodeAt);
    if (error != 0) {
      throw new IllegalStateException("the broker refused a batch: " + Errors.forCode(error));
    }
  }

  private static Histogram histogram() {
    return new Histogram(TimeUnit.MINUTES.toNanos(1), 3);
  }
}
