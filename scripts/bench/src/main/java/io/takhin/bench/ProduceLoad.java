package io.takhin.bench;

import io.takhin.bench.Connections.Answers;
import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// Sends prepared Produce frames and counts the acknowledgements. Answers come in the order of the
/// requests on a connection, so that nothing in a frame changes from one sending to the next.
final class ProduceLoad {
  /// As many as a Java or C producer keeps under way on a connection.
  static final int IN_FLIGHT = 5;

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private ProduceLoad() {}

  /// What came of a load.
  ///
  /// @param requests acknowledged without error
  /// @param seconds from the first send to the last answer
  /// @param latencyNanos of each request, or each message, from when it was due; empty for a closed
  ///     loop
  record Outcome(long requests, double seconds, Histogram latencyNanos) {
    double perSecond() {
      return requests / seconds;
    }

    /// A percentile of the latency, in milliseconds.
    double millis(double percentile) {
      return latencyNanos.getValueAtPercentile(percentile) / 1e6;
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
    return paced(broker, connections, frames, errorCodeAt, perSecond, requests, null);
  }

  /// The same, with a consumer beside it, if there is one, on the same thread.
  static Outcome paced(
      InetSocketAddress broker,
      int connections,
      List<ByteBuffer> frames,
      int errorCodeAt,
      double perSecond,
      long requests,
      @Nullable Beside beside)
      throws IOException {
    try (Connections pool = new Connections(broker, connections + (beside == null ? 0 : 1))) {
      Histogram latency = histogram();
      long interval = (long) (SECOND / perSecond);
      long start = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(10);
      long[] sent = {0};
      long[] answered = {0};
      long[] answeredOf = new long[connections];
      Answers answers =
          (connection, body) -> {
            if (connection.index == connections && beside != null) {
              beside.answer(connection, body, start, interval);
              return;
            }
            check(body, errorCodeAt);
            long request = answeredOf[connection.index]++ * connections + connection.index;
            latency.recordValue(Math.max(0, System.nanoTime() - (start + request * interval)));
            answered[0]++;
          };
      if (beside != null) {
        beside.begin(pool.all().get(connections));
      }
      while (answered[0] < requests || (beside != null && !beside.isDone(requests))) {
        long now = System.nanoTime();
        while (sent[0] < requests && start + sent[0] * interval <= now) {
          ByteBuffer frame = frames.get((int) (sent[0] % frames.size())).duplicate();
          pool.all().get((int) (sent[0] % connections)).send(frame);
          sent[0]++;
        }
        if (beside != null) {
          beside.tick(pool.all().get(connections));
        }
        pool.poll(0, answers);
        rest(pool, answers, sent[0] < requests ? start + sent[0] * interval : Long.MAX_VALUE);
      }
      return new Outcome(requests, (System.nanoTime() - start) / 1e9, latency);
    }
  }

  /// An open loop of messages rather than requests: each connection is a producer that does not
  /// linger, to which messages come at a fixed rate. While five of its requests are under way
  /// messages gather, and go in the next one. Latency is that of messages, from when they came.
  ///
  /// @param bySize frames with 1, 2, 4, ... messages; each list is a power of two
  /// @param messages in all
  static Outcome gathering(
      InetSocketAddress broker,
      int connections,
      List<List<ByteBuffer>> bySize,
      int errorCodeAt,
      double messagesPerSecond,
      long messages)
      throws IOException {
    try (Connections pool = new Connections(broker, connections)) {
      Histogram latency = histogram();
      long interval = (long) (SECOND / messagesPerSecond * connections);
      long start = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(10);
      long each = messages / connections;
      long[] sent = new long[connections];
      long[] acked = new long[connections];
      int[][] sizes = new int[connections][IN_FLIGHT];
      long[] requests = new long[connections];
      long[] answeredOf = new long[connections];
      long[] answered = {0};
      Answers answers =
          (connection, body) -> {
            check(body, errorCodeAt);
            int c = connection.index;
            long now = System.nanoTime();
            int count = sizes[c][(int) (answeredOf[c]++ % IN_FLIGHT)];
            for (int i = 0; i < count; i++) {
              long due = start + (acked[c]++) * interval + c * interval / connections;
              latency.recordValue(Math.max(0, now - due));
            }
            answered[0] += count;
          };
      while (answered[0] < each * connections) {
        long now = System.nanoTime();
        long next = Long.MAX_VALUE;
        for (int c = 0; c < connections; c++) {
          long phase = start + c * interval / connections;
          long came = Math.min(each, now < phase ? 0 : (now - phase) / interval + 1);
          while (sent[c] < came && requests[c] - answeredOf[c] < IN_FLIGHT) {
            int size = Math.min(bySize.size() - 1, 63 - Long.numberOfLeadingZeros(came - sent[c]));
            List<ByteBuffer> frames = bySize.get(size);
            int which = (int) ((requests[c] * connections + c) % frames.size());
            pool.all().get(c).send(frames.get(which).duplicate());
            sizes[c][(int) (requests[c]++ % IN_FLIGHT)] = 1 << size;
            sent[c] += 1L << size;
          }
          if (sent[c] < each && requests[c] - answeredOf[c] < IN_FLIGHT) {
            next = Math.min(next, phase + sent[c] * interval);
          }
        }
        pool.poll(0, answers);
        rest(pool, answers, next);
      }
      return new Outcome(each * connections, (System.nanoTime() - start) / 1e9, latency);
    }
  }

  /// Sleeps until an answer comes or the next request is due, if that is far enough away.
  private static void rest(Connections pool, Answers answers, long nextNanos) throws IOException {
    long untilNext = nextNanos - System.nanoTime();
    if (Placement.isApart()) {
      Thread.onSpinWait();
    } else if (untilNext > 1_200_000) {
      pool.poll(1, answers);
    } else if (untilNext > 20_000) {
      LockSupport.parkNanos(10_000);
    }
  }

  static void check(ByteBuffer body, int errorCodeAt) {
    short error = body.getShort(errorCodeAt);
    if (error != 0) {
      throw new IllegalStateException("the broker refused a batch: " + Errors.forCode(error));
    }
  }

  static Histogram histogram() {
    return new Histogram(TimeUnit.MINUTES.toNanos(5), 3);
  }
}
