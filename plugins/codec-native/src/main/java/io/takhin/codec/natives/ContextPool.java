package io.takhin.codec.natives;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A few native contexts to take and give back, instead of a ThreadLocal: threads that are gone
/// leave nothing behind, and closing frees everything. Two slots per core; when they are all out, a
/// caller makes its own, and what does not fit back is freed.
///
/// Threading: any thread, without a lock. A thread tries its own slot first.
final class ContextPool<T> {
  private final AtomicReferenceArray<@Nullable T> slots;
  private final Supplier<T> make;
  private final Consumer<T> free;
  private volatile boolean closed;

  ContextPool(Supplier<T> make, Consumer<T> free) {
    int wanted = Math.clamp(2L * Runtime.getRuntime().availableProcessors(), 2, 64);
    this.slots = new AtomicReferenceArray<>(wanted);
    this.make = make;
    this.free = free;
  }

  /// A context that nobody else has.
  T take() {
    int first = firstSlot();
    for (int i = 0; i < slots.length(); i++) {
      int slot = (first + i) % slots.length();
      if (slots.get(slot) != null) {
        T context = slots.getAndSet(slot, null);
        if (context != null) {
          return context;
        }
      }
    }
    return make.get();
  }

  /// Gives back a context that is fit for use by another.
  void give(T context) {
    int first = firstSlot();
    for (int i = 0; i < slots.length() && !closed; i++) {
      int slot = (first + i) % slots.length();
      if (slots.compareAndSet(slot, null, context)) {
        if (closed) {
          drain();
        }
        return;
      }
    }
    free.accept(context);
  }

  /// Frees a context that must not be used again.
  void discard(T context) {
    free.accept(context);
  }

  /// Frees all that is here, and whatever comes back later.
  void close() {
    closed = true;
    drain();
  }

  private void drain() {
    for (int slot = 0; slot < slots.length(); slot++) {
      T context = slots.getAndSet(slot, null);
      if (context != null) {
        free.accept(context);
      }
    }
  }

  private int firstSlot() {
    return (int) (Thread.currentThread().threadId() % slots.length());
  }
}
