package io.takhin.coordinator.transaction;

import io.takhin.coordinator.transaction.TransactionStateMachine.Entry;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// When to look at which id: at most one queued look for each, at its deadline or before. A
/// deadline that moves later, as with each new transaction, is queued again only when the look
/// finds it so; ended transactions leave nothing behind.
final class Deadlines {
  private record Look(long atMs, Entry entry) {}

  private final PriorityQueue<Look> queue =
      new PriorityQueue<>((a, b) -> Long.compare(a.atMs(), b.atMs()));

  /// Sets an id's deadline.
  void arm(Entry entry, long atMs) {
    entry.deadlineMs = atMs;
    if (atMs < entry.armedMs) {
      entry.armedMs = atMs;
      queue.add(new Look(atMs, entry));
    }
  }

  /// The next id whose deadline has come, or null; it has none afterwards.
  @Nullable Entry due(long monotonicMs) {
    Look first = queue.peek();
    while (first != null && first.atMs() <= monotonicMs) {
      queue.remove();
      Entry entry = first.entry();
      if (entry.armedMs == first.atMs()) {
        entry.armedMs = Alarm.NEVER;
        long deadlineMs = entry.deadlineMs;
        if (deadlineMs <= monotonicMs) {
          entry.deadlineMs = Alarm.NEVER;
          return entry;
        }
        if (deadlineMs != Alarm.NEVER) {
          arm(entry, deadlineMs);
        }
      }
      first = queue.peek();
    }
    return null;
  }

  /// The time of the next look.
  long nextMs() {
    Look first = queue.peek();
    return first == null ? Alarm.NEVER : first.atMs();
  }

  /// Queued looks.
  int size() {
    return queue.size();
  }
}
