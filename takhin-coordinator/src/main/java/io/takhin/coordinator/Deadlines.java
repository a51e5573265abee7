package io.takhin.coordinator;

import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// When to look at which of many things: one entry for each that has any deadline. An entry is a
/// lower bound: what moves a deadline later need not touch it. When it comes due, the thing is
/// looked at and its next bound is set.
///
/// Threads: one at a time.
public final class Deadlines<T extends Deadlines.Armed> {
  /// No deadline.
  public static final long NEVER = Long.MAX_VALUE;

  /// Something with deadlines.
  public abstract static class Armed {
    private long armedMs = NEVER;

    /// Not armed yet.
    protected Armed() {}
  }

  private record Look<T>(long atMs, T at) {}

  private final PriorityQueue<Look<T>> queue =
      new PriorityQueue<>(Comparator.comparingLong(Look::atMs));

  /// Without any.
  public Deadlines() {}

  /// Makes sure that it is looked at by `atMs`.
  public void arm(T armed, long atMs) {
    if (atMs < armedMs(armed)) {
      armedMs(armed, atMs);
      queue.add(new Look<>(atMs, armed));
    }
  }

  /// The next to look at, or null; it must be armed again afterwards.
  public @Nullable T due(long monotonicMs) {
    Look<T> first = queue.peek();
    while (first != null && first.atMs() <= monotonicMs) {
      queue.remove();
      T armed = first.at();
      // A look that was overtaken by an earlier one means nothing any more.
      if (armedMs(armed) == first.atMs()) {
        armedMs(armed, NEVER);
        return armed;
      }
      first = queue.peek();
    }
    return null;
  }

  /// The time of the earliest look.
  public long nextMs() {
    Look<T> first = queue.peek();
    return first == null ? NEVER : first.atMs();
  }

  /// Queued looks.
  public int size() {
    return queue.size();
  }

  private static long armedMs(Armed armed) {
    return armed.armedMs;
  }

  private static void armedMs(Armed armed, long atMs) {
    armed.armedMs = atMs;
  }
}
