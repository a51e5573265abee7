package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One append on its way: first the log's queue node, then, if it must wait, the node of
/// [ParkedAppends]. The one object that an append costs here.
///
/// ```
///   created -> in the log -> rejected ------------------------------> answered
///                        \-> written -> acks are in -----------------> answered
///                                  \-> parked -> visible, timed out,
///                                                leader gone, closed -> answered
/// ```
///
/// Threading: until [#appended] the log's, then whoever takes it out of [ParkedAppends]: it is
/// answered exactly once because only one taker gets it.
final class PendingAppend extends LogAppend {
  private final Owner owner;
  private final PartitionAppend produce;
  private long baseOffset;
  private long lastOffset;
  private long logAppendTimeMs;
  private long logStartOffset;
  private long verification;
  private int highestSequence = Integer.MAX_VALUE;
  private @Nullable Consumer<AppendResult> settled;

  // For ParkedAppends alone.
  @Nullable PendingAppend nextParked;
  long deadlineNanos;

  PendingAppend(Owner owner, PartitionAppend produce, int leaderEpoch) {
    super(produce.records(), leaderEpoch, produce.origin());
    this.owner = owner;
    this.produce = produce;
  }

  /// What the append brings if the coordinator agrees to it.
  ///
  /// @param highest the highest sequence with which it may begin a transaction
  /// @param whenSettled told when it is written or refused
  void verified(long token, int highest, Consumer<AppendResult> whenSettled) {
    verification = token;
    highestSequence = highest;
    settled = whenSettled;
  }

  @Override
  public long verification() {
    return verification;
  }

  @Override
  public int highestSequence() {
    return highestSequence;
  }

  @Override
  public int transactionVersion() {
    return produce.transactionVersion();
  }

  @Nullable String transactionalId() {
    return produce.transactionalId();
  }

  boolean joinsTransaction() {
    return produce.joinsTransaction();
  }

  @Override
  public void appended(AppendResult result) {
    Consumer<AppendResult> waiting = settled;
    if (waiting != null) {
      settled = null;
      waiting.accept(result);
    }
    switch (result) {
      case Rejected rejected -> produce.done(rejected.code(), -1, -1, -1, rejected.message());
      case Appended(long base, long last, long timeMs, long start) -> {
        place(base, last, timeMs, start);
        owner.written(this);
      }
      case Duplicate(long base, long last, long timeMs, long start) -> {
        place(base, last, timeMs, start);
        owner.written(this);
      }
    }
  }

  /// Notes where the log has it.
  void place(long base, long last, long timeMs, long start) {
    baseOffset = base;
    lastOffset = last;
    logAppendTimeMs = timeMs;
    logStartOffset = start;
  }

  short acks() {
    return produce.acks();
  }

  int timeoutMs() {
    return produce.timeoutMs();
  }

  long lastOffset() {
    return lastOffset;
  }

  void succeed() {
    produce.done(ErrorCode.NONE, baseOffset, logAppendTimeMs, logStartOffset, null);
  }

  /// It does not get as far as the log.
  void refuse(ErrorCode error, String message) {
    appended(new Rejected(error, message));
  }

  void fail(ErrorCode error, String message) {
    produce.done(error, -1, -1, -1, message);
  }

  /// Who decides what a written append still waits for.
  interface Owner {
    void written(PendingAppend append);
  }
}
