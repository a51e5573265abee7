package io.takhin.bench;

import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/// A consumer that reads a topic from its beginning, at most so many bytes a second.
final class ScanReader implements Beside {
  private static final int SLICE_BYTES = 1 << 20;

  private final String topic;
  private final long[] offsets;
  private final double bytesPerSecond;
  private long start;
  private long bytes;
  private boolean waits;

  ScanReader(String topic, int partitions, double bytesPerSecond) {
    this.topic = topic;
    this.offsets = new long[partitions];
    this.bytesPerSecond = bytesPerSecond;
  }

  @Override
  public void begin(Connection connection) throws IOException {
    start = System.nanoTime();
    ask(connection);
  }

  @Override
  public void answer(Connection connection, ByteBuffer body, long loadStart, long interval) {
    bytes += body.remaining();
    FetchLoad.advance(body, offsets);
    waits = false;
  }

  @Override
  public void tick(Connection connection) throws IOException {
    long due = start + (long) (bytes / bytesPerSecond * TimeUnit.SECONDS.toNanos(1));
    if (!waits && System.nanoTime() >= due) {
      ask(connection);
    }
  }

  @Override
  public boolean isDone(long requests) {
    return true;
  }

  long bytes() {
    return bytes;
  }

  private void ask(Connection connection) throws IOException {
    waits = true;
    connection.send(FetchLoad.request(topic, offsets, SLICE_BYTES / offsets.length));
  }
}
