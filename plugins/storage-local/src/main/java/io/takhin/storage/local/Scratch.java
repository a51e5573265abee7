package io.takhin.storage.local;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// A few direct buffers for scanning, lent out and taken back.
///
/// Threading: any thread, without locks. More borrowers than buffers get fresh ones.
final class Scratch {
  private static final int BYTES = 256 << 10;
  private static final int KEPT = 4;

  private final AtomicReferenceArray<@Nullable ByteBuffer> free = new AtomicReferenceArray<>(KEPT);

  ByteBuffer take() {
    for (int i = 0; i < KEPT; i++) {
      ByteBuffer buffer = free.getAndSet(i, null);
      if (buffer != null) {
        return buffer.clear();
      }
    }
    return ByteBuffer.allocateDirect(BYTES);
  }

  void give(ByteBuffer buffer) {
    for (int i = 0; i < KEPT; i++) {
      if (free.compareAndSet(i, null, buffer)) {
        return;
      }
    }
  }
}
