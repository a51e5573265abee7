package io.takhin.broker.partition;

import org.jspecify.annotations.Nullable;

/// The appends to one partition that are written and wait for the high watermark, by offset: a
/// linked list of the appends themselves. They nearly always arrive in order of their offsets, so
/// adding is at the end and taking is at the front.
///
/// Whoever takes appends out owns them and must answer them; chains are linked by
/// [PendingAppend#nextParked].
///
/// Threading: any thread, under the lock of this object; [#isEmpty] is one volatile read.
final class ParkedAppends {
  private volatile @Nullable PendingAppend first;
  // Guarded by this.
  private @Nullable PendingAppend last;
  private long earliestDeadlineNanos;
  private boolean swept;

  /// Whether nobody waits.
  boolean isEmpty() {
    return first == null;
  }

  /// Adds one.
  ///
  /// @return whether the partition was not among the swept ones, and must be added to them
  synchronized boolean add(PendingAppend append, long deadlineNanos) {
    append.deadlineNanos = deadlineNanos;
    PendingAppend head = first;
    PendingAppend tail = last;
    if (head == null || deadlineNanos - earliestDeadlineNanos < 0) {
      earliestDeadlineNanos = deadlineNanos;
    }
    if (head == null || tail == null) {
      first = append;
      last = append;
    } else if (tail.lastOffset() <= append.lastOffset()) {
      tail.nextParked = append;
      last = append;
    } else {
      insert(head, append);
    }
    boolean unknown = !swept;
    swept = true;
    return unknown;
  }

  /// Rare: a duplicate of an append that waits itself, or two threads that overtook each other.
  private void insert(PendingAppend head, PendingAppend append) {
    PendingAppend before = null;
    PendingAppend after = head;
    while (after != null && after.lastOffset() <= append.lastOffset()) {
      before = after;
      after = after.nextParked;
    }
    append.nextParked = after;
    if (before == null) {
      first = append;
    } else {
      before.nextParked = append;
    }
  }

  /// Takes those whose last offset is below `highWatermark`, in order.
  synchronized @Nullable PendingAppend takeBelow(long highWatermark) {
    PendingAppend head = first;
    PendingAppend end = null;
    PendingAppend next = head;
    while (next != null && next.lastOffset() < highWatermark) {
      end = next;
      next = next.nextParked;
    }
    if (end == null) {
      return null;
    }
    end.nextParked = null;
    first = next;
    if (next == null) {
      last = null;
    }
    return head;
  }

  /// Takes those whose deadline is not after `nowNanos`, in order. When nobody is left, the
  /// partition stops being swept and the next [#add] says so again.
  synchronized @Nullable PendingAppend takeExpired(long nowNanos) {
    PendingAppend next = first;
    if (next == null) {
      swept = false;
      return null;
    }
    if (nowNanos - earliestDeadlineNanos < 0) {
      return null;
    }
    PendingAppend expired = null;
    PendingAppend expiredEnd = null;
    PendingAppend kept = null;
    PendingAppend keptEnd = null;
    while (next != null) {
      PendingAppend append = next;
      next = append.nextParked;
      append.nextParked = null;
      if (nowNanos - append.deadlineNanos >= 0) {
        if (expiredEnd == null) {
          expired = append;
        } else {
          expiredEnd.nextParked = append;
        }
        expiredEnd = append;
      } else {
        if (keptEnd == null) {
          kept = append;
          earliestDeadlineNanos = append.deadlineNanos;
        } else {
          keptEnd.nextParked = append;
          if (append.deadlineNanos - earliestDeadlineNanos < 0) {
            earliestDeadlineNanos = append.deadlineNanos;
          }
        }
        keptEnd = append;
      }
    }
    first = kept;
    last = keptEnd;
    return expired;
  }

  /// Whether the partition is among those that are swept.
  synchronized boolean swept() {
    return swept;
  }

  /// Takes all.
  synchronized @Nullable PendingAppend takeAll() {
    PendingAppend head = first;
    first = null;
    last = null;
    return head;
  }
}
