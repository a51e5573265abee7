package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.storage.LogSlice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/// Whole batches in a segment's file, which stays open until the slice is closed.
final class FileSlice implements LogSlice {
  private final SegmentFile owner;
  private final Disk.File file;
  private final int position;
  private final int sizeBytes;
  private final long endOffset;
  private boolean closed;

  /// Takes over one use of `owner`.
  FileSlice(SegmentFile owner, Disk.File file, int position, int sizeBytes, long endOffset) {
    this.owner = owner;
    this.file = file;
    this.position = position;
    this.sizeBytes = sizeBytes;
    this.endOffset = endOffset;
  }

  @Override
  public int sizeBytes() {
    return sizeBytes;
  }

  @Override
  public long endOffset() {
    return endOffset;
  }

  @Override
  public @Nullable FileChannel file() {
    return file.channel();
  }

  @Override
  public long filePosition() {
    return position;
  }

  @Override
  public boolean inMemory() {
    return file.inMemory(position, sizeBytes);
  }

  @Override
  public void copyTo(int from, ByteBuffer target) {
    int length = Math.min(target.remaining(), sizeBytes - from);
    int limit = target.limit();
    target.limit(target.position() + length);
    try {
      int read = file.read(target, (long) position + from);
      if (read < length) {
        throw new TakhinException(
            ErrorCode.KAFKA_STORAGE_ERROR, owner.path() + " was cut while it was read");
      }
    } catch (IOException e) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR, "reading " + owner.path() + ": " + e.getMessage(), e);
    } finally {
      target.limit(limit);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      owner.release();
    }
  }
}
