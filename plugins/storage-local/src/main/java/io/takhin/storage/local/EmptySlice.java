package io.takhin.storage.local;

import io.takhin.api.storage.LogSlice;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/// Nothing to read.
final class EmptySlice implements LogSlice {
  static final EmptySlice INSTANCE = new EmptySlice();

  private EmptySlice() {}

  @Override
  public long endOffset() {
    return -1;
  }

  @Override
  public int sizeBytes() {
    return 0;
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
  public void copyTo(int from, ByteBuffer target) {}

  @Override
  public void close() {}
}
