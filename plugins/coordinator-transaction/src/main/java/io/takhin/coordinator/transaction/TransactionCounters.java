package io.takhin.coordinator.transaction;

import java.util.concurrent.atomic.LongAdder;

/// What happened since the start, on all partitions. Any thread.
final class TransactionCounters {
  private final LongAdder committed = new LongAdder();
  private final LongAdder aborted = new LongAdder();
  private final LongAdder timedOut = new LongAdder();
  private final LongAdder fenced = new LongAdder();
  private final LongAdder refused = new LongAdder();

  /// A transaction's outcome is in the log.
  void decided(boolean commit) {
    (commit ? committed : aborted).increment();
  }

  /// An open transaction is aborted because it took too long.
  void timedOut() {
    timedOut.increment();
  }

  /// A producer was replaced by a new one of the same transactional id.
  void fenced() {
    fenced.increment();
  }

  /// A request came from a producer that was replaced before.
  void refusedAsFenced() {
    refused.increment();
  }

  long committedCount() {
    return committed.sum();
  }

  long abortedCount() {
    return aborted.sum();
  }

  long timedOutCount() {
    return timedOut.sum();
  }

  long fencedCount() {
    return fenced.sum();
  }

  long refusedCount() {
    return refused.sum();
  }
}
