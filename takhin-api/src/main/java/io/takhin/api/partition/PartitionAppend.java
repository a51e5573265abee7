package io.takhin.api.partition;

import io.takhin.api.Api;
import io.takhin.api.ErrorCode;
import io.takhin.api.storage.LogAppend.Origin;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// One produce to one partition, from arrival until its acknowledgement.
///
/// Buffers: `records` is lent until [#done].
@Api(status = Api.Status.EVOLVING, since = "0.1")
public abstract class PartitionAppend {
  private final ByteBuffer records;
  private final short acks;
  private final int timeoutMs;
  private final Origin origin;

  /// An append.
  ///
  /// @param records buffer with one batch; direct if it is large
  /// @param acks 0, 1, or -1 for all in-sync replicas
  /// @param timeoutMs how long `acks=-1` may take before REQUEST_TIMED_OUT
  protected PartitionAppend(ByteBuffer records, short acks, int timeoutMs, Origin origin) {
    this.records = records;
    this.acks = acks;
    this.timeoutMs = timeoutMs;
    this.origin = origin;
  }

  /// The batch.
  public final ByteBuffer records() {
    return records;
  }

  /// 0, 1 or -1.
  public final short acks() {
    return acks;
  }

  /// In milliseconds.
  public final int timeoutMs() {
    return timeoutMs;
  }

  /// Who wrote it.
  public final Origin origin() {
    return origin;
  }

  /// The transactional id of the producer, for a transactional batch of a client; null for none.
  /// Asked for only when the partition must ask the transaction coordinator.
  public @Nullable String transactionalId() {
    return null;
  }

  /// Whether the write itself adds the partition to the producer's transaction (KIP-890); if not,
  /// it must be there already.
  public boolean joinsTransaction() {
    return false;
  }

  /// For a transaction's marker alone: 2 if its epoch must be above that of the transaction's
  /// records (KIP-890).
  public int transactionVersion() {
    return 0;
  }

  /// The outcome, once.
  ///
  /// Threading: the appending thread, or any other that moved the high watermark or timed it out.
  /// Blocking: no. Errors: must not throw.
  ///
  /// @param error NONE, or why nothing is promised
  /// @param baseOffset of the first record; -1 with an error
  /// @param logAppendTimeMs the broker's timestamp, or -1 when the producer's stands
  /// @param logStartOffset first readable offset; -1 with an error
  /// @param message for people; null without an error
  public abstract void done(
      ErrorCode error,
      long baseOffset,
      long logAppendTimeMs,
      long logStartOffset,
      @Nullable String message);
}
