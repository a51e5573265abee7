package io.takhin.bench;

import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.HdrHistogram.Histogram;

/// A consumer that waits at the end of all partitions of a topic, and learns from a record's offset
/// which request of a paced load brought it: request `r` went to partition `r % partitions`, and
/// the requests of a partition share a connection. So no clock needs to be in the records.
final class TailReader implements Beside {
  private final String topic;
  private final long[] first;
  private final long[] offsets;
  private final Histogram latencyNanos = ProduceLoad.histogram();
  private long records;

  /// @param firstOffset the offset that the load's first record gets in each partition
  TailReader(String topic, int partitions, long firstOffset) {
    this.topic = topic;
    this.first = new long[partitions];
    Arrays.fill(first, firstOffset);
    this.offsets = first.clone();
  }

  @Override
  public void begin(Connection connection) throws IOException {
    connection.send(FetchLoad.request(topic, offsets, 1 << 20));
  }

  @Override
  public void answer(Connection connection, ByteBuffer body, long start, long interval)
      throws IOException {
    long now = System.nanoTime();
    long[] before = offsets.clone();
    records += FetchLoad.advance(body, offsets);
    for (int p = 0; p < offsets.length; p++) {
      for (long offset = before[p]; offset < offsets[p]; offset++) {
        long request = (offset - first[p]) * offsets.length + p;
        latencyNanos.recordValue(Math.max(0, now - (start + request * interval)));
      }
    }
    connection.send(FetchLoad.request(topic, offsets, 1 << 20));
  }

  @Override
  public boolean isDone(long requests) {
    return records >= requests;
  }

  /// A percentile of the time from when a record was due to when it was here, in milliseconds.
  double millis(double percentile) {
    return latencyNanos.getValueAtPercentile(percentile) / 1e6;
  }
}
