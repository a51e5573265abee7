package io.takhin.coordinator.group;

import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// When to look at which group: one entry per group that has any deadline, not one per member. An
/// entry is a lower bound: heartbeats only move sessions later, so they need not touch it. When it
/// comes due, the group's members are looked through and the next bound is set; with the usual
/// timeouts that happens about once per session timeout and group.
final class Deadlines {
  /// No deadline.
  static final long NEVER = Long.MAX_VALUE;

  private record Entry(long atMs, Group group) {}

  private final PriorityQueue<Entry> queue =
      new PriorityQueue<>(Comparator.comparingLong(Entry::atMs));

  /// Makes sure that the group is looked at by `atMs`.
  void arm(Group group, long atMs) {
    if (atMs < group.armedMs) {
      group.armedMs = atMs;
      queue.add(new Entry(atMs, group));
    }
  }

  /// The next group to look at, or null; it must be armed again afterwards.
  @Nullable Group due(long monotonicMs) {
    Entry first = queue.peek();
    while (first != null && first.atMs() <= monotonicMs) {
      queue.remove();
      Group group = first.group();
      if (group.armedMs == first.atMs()) {
        group.armedMs = NEVER;
        return group;
      }
      first = queue.peek();
    }
    return null;
  }

  /// The time of the earliest entry.
  long nextMs() {
    Entry first = queue.peek();
    return first == null ? NEVER : first.atMs();
  }
}
