package io.takhin.storage.local;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A few things to work with for a moment, lent out and taken back as they were left, so that they
/// need not be made each time.
///
/// Threading: any thread, without locks. More borrowers than things get fresh ones.
///
/// @param <T> buffers or arrays
final class Scratch<T> {
  private static final int KEPT = 4;

  private final AtomicReferenceArray<@Nullable T> free = new AtomicReferenceArray<>(KEPT);
  private final Supplier<T> make;

  Scratch(Supplier<T> make) {
    this.make = make;
  }

  T take() {
    for (int i = 0; i < KEPT; i++) {
      T thing = free.getAndSet(i, null);
      if (thing != null) {
        return thing;
      }
    }
    return make.get();
  }

  void give(T thing) {
    for (int i = 0; i < KEPT; i++) {
      if (free.compareAndSet(i, null, thing)) {
        return;
      }
    }
  }
}
