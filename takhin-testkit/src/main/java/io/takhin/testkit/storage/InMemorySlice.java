package io.takhin.testkit.storage;

import io.takhin.api.storage.LogSlice;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/// Batches copied out of a log in memory.
final class InMemorySlice implements LogSlice {
  private final ByteBuffer bytes;
  private final long endOffset;

  InMemorySlice(ByteBuffer bytes, long endOffset) {
    this.bytes = bytes;
    this.endOffset = endOffset;
  }

  @Override
  public long endOffset() {
    return endOffset;
  }

  @Override
  public int sizeBytes() {
    return bytes.limit();
  }

  @Override
  public @Nullable FileChannel file() {
    return null;
  }

  @Override
  public long filePosition() {
    return 0;
  }

  @Override
  public boolean inMemory() {
    return true;
  }

  @Override
  public void copyTo(int from, ByteBuffer target) {
    int length = Math.min(target.remaining(), bytes.limit() - from);
    target.put(target.position(), bytes, from, length);
    target.position(target.position() + length);
  }

  @Override
  public void close() {}
}
