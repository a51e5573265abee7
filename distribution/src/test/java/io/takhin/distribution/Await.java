package io.takhin.distribution;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/// Waits for conditions of other processes, which cannot notify.
final class Await {
  private static final long LONGEST_STEP_NANOS = 5_000_000_000L;

  private static volatile int stops;

  private Await() {}

  /// How often this process was stopped for a while, as far as it noticed while it waited.
  static int stops() {
    return stops;
  }

  /// A condition that may throw while it does not hold.
  @FunctionalInterface
  interface Condition {
    /// Whether it holds now.
    boolean holds() throws Exception;
  }

  /// Returns as soon as the condition holds; an AssertionError with `what` after the limit. Time in
  /// which this process was stopped, with what it waits for, does not count.
  static void until(Duration limit, Supplier<String> what, Condition condition) {
    long left = limit.toNanos();
    long before = System.nanoTime();
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
      long now = System.nanoTime();
      if (now - before > 2 * LONGEST_STEP_NANOS) {
        stops++;
      }
      left -= Math.min(now - before, LONGEST_STEP_NANOS);
      before = now;
    } while (left > 0);
    throw new AssertionError("after " + limit + ": " + what.get(), last);
  }
}
