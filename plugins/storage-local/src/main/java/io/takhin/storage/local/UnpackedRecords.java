package io.takhin.storage.local;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// A few arrays for records that are decompressed to be looked at, lent out and taken back. Strict
/// validation would otherwise allocate five times what it receives: a quarter of its CPU was the
/// collector's.
///
/// Threading: any thread, without locks. More borrowers than arrays begin with none.
final class UnpackedRecords {
  /// To begin with: whoever is given it makes its own.
  static final byte[] NONE = {};

  private static final int KEPT = 4;

  /// A batch of `max.message.bytes` as it is by default, and not one that grew without measure.
  private static final int MOST_BYTES = 4 << 20;

  private final AtomicReferenceArray<byte @Nullable []> free = new AtomicReferenceArray<>(KEPT);

  byte[] take() {
    for (int i = 0; i < KEPT; i++) {
      byte[] array = free.getAndSet(i, null);
      if (array != null) {
        return array;
      }
    }
    return NONE;
  }

  void give(byte[] array) {
    if (array.length == 0 || array.length > MOST_BYTES) {
      return;
    }
    for (int i = 0; i < KEPT; i++) {
      if (free.compareAndSet(i, null, array)) {
        return;
      }
    }
  }
}
