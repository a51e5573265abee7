package io.takhin.distribution;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/// Waits for conditions of other processes, which cannot notify.
final class Await {
  private Await() {}

  /// A condition that may throw while it does not hold.
  @FunctionalInterface
  interface Condition {
    /// Whether it holds now.
    boolean holds() throws Exception;
  }

  /// Returns as soon as the condition holds; an AssertionError with `what` after the limit.
  static void until(Duration limit, Supplier<String> what, Condition condition) {
    long end = System.nanoTime() + limit.toNanos();
    Exception last = null;
    do {
      try {
        if (condition.holds()) {
          return;
        }
        last = null;
      } catch (Exception e) {
        last = e;
      }
      LockSupport.parkNanos(50_000_000);
    } while (System.nanoTime() < end);
    throw new AssertionError("after " + limit + ": " + what.get(), last);
  }
}
