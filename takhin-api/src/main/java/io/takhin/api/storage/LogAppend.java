package io.takhin.api.storage;

import io.takhin.api.Api;
import java.nio.ByteBuffer;

/// One append in flight; also the queue node where appends to one log meet, hence a class.
///
/// Buffers: `records` is lent to the log until [#appended] is called, position to limit; base
/// offset, leader epoch and timestamps are patched in place.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public abstract class LogAppend {
  private final ByteBuffer records;
  private final int leaderEpoch;
  private final Origin origin;

  /// For the log alone: the next append in its queue.
  public volatile @org.jspecify.annotations.Nullable LogAppend next;

  /// An append of one or more whole batches.
  ///
  /// @param records direct if large; exactly one batch if the origin is [Origin#CLIENT]
  /// @param leaderEpoch stamped into each batch, but for [Origin#REPLICA]
  protected LogAppend(ByteBuffer records, int leaderEpoch, Origin origin) {
    this.records = records;
    this.leaderEpoch = leaderEpoch;
    this.origin = origin;
  }

  /// The batches.
  public final ByteBuffer records() {
    return records;
  }

  /// The epoch under which they are appended.
  public final int leaderEpoch() {
    return leaderEpoch;
  }

  /// Who wrote them, hence how much is checked.
  public final Origin origin() {
    return origin;
  }

  /// The outcome, once. The records are written, though perhaps not committable yet:
  /// [LogListener#committable] is called before this if they are.
  ///
  /// Threading: the thread that called append, or another one that was appending to the same log.
  /// Blocking: no. Errors: must not throw.
  public abstract void appended(AppendResult result);

  /// What [PartitionLog#beginVerification] gave, for a batch that may open a transaction; 0 for
  /// none.
  public long verification() {
    return 0;
  }

  /// The highest first sequence of a batch that may open a transaction: an earlier batch of its
  /// producer with this sequence failed, and is sent again. Only if the log takes it first can the
  /// producer go on. A batch that goes on with a transaction is not held to it.
  public int highestSequence() {
    return Integer.MAX_VALUE;
  }

  /// For a transaction's marker alone: 2 if its epoch must be above that of the transaction's
  /// records (KIP-890).
  public int transactionVersion() {
    return 0;
  }

  /// Who wrote the batches.
  public enum Origin {
    /// A producer: everything is checked; offsets are assigned.
    CLIENT,
    /// A coordinator of this broker: trusted content, control batches allowed; offsets are
    /// assigned.
    COORDINATOR,
    /// The leader of the partition: offsets and epochs stand and must continue the log.
    REPLICA
  }
}
