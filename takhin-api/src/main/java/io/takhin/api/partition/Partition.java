package io.takhin.api.partition;

import io.takhin.api.Api;
import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.storage.LogSlice;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A replica on this broker, most often its leader.
///
/// Threading: any thread. Blocking: no, where not said. Errors: results carry codes; nothing is
/// thrown for what a client can cause.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface Partition {
  /// Which one.
  TopicPartition id();

  /// The leader epoch, as in Metadata version 7.
  int leaderEpoch();

  /// Whether this broker leads it.
  boolean leader();

  /// First readable offset.
  long logStartOffset();

  /// Exclusive: all below is on every in-sync replica, and visible.
  long highWatermark();

  /// Exclusive: min(high watermark, first offset of the oldest open transaction).
  long lastStableOffset();

  /// Next offset to be assigned.
  long logEndOffset();

  /// Bytes on disk.
  long sizeBytes();

  /// Why the partition's log is offline; null while it works.
  @Nullable String offline();

  /// The log directory that holds it.
  Path directory();

  /// Appends as leader; the outcome goes to [PartitionAppend#done] when the required
  /// acknowledgements are in, on this thread if they are at once.
  ///
  /// A client's transactional batch is appended only when its producer has a transaction open here,
  /// or the coordinator says that the partition is, or now becomes, part of one (KIP-890); until it
  /// has answered, later batches of the producer queue behind. Errors of that: INVALID_TXN_STATE,
  /// TRANSACTION_ABORTABLE, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING,
  /// CONCURRENT_TRANSACTIONS, and NOT_ENOUGH_REPLICAS, which clients try again, while the
  /// coordinator cannot be asked.
  void append(PartitionAppend append);

  /// A cursor for one consumer.
  PartitionReader reader();

  /// Tells `watcher` from now on whenever more becomes visible. Watching twice is a defect.
  ///
  /// No wake-up is lost if the reader watches first and then reads once more before it waits: what
  /// became visible before the watch shows in that read, everything later comes to the watcher. The
  /// same holds for a change of leader, a deletion and a log that went offline, which show as the
  /// error of that read.
  void watch(PartitionWatcher watcher);

  /// Ends that. A call that is under way on another thread may still arrive.
  void unwatch(PartitionWatcher watcher);

  /// ListOffsets. Timestamps: >= 0, or -1 latest, -2 earliest, -3 max timestamp, -4 earliest local,
  /// -5 latest tiered, -6 earliest pending upload (KIP-79, KIP-734, KIP-405, KIP-1005, KIP-1023).
  /// Blocking: reads the disk, but for -1, -2, -4, -5 and -6.
  OffsetLookup lookup(long timestampMs, Isolation isolation, int currentLeaderEpoch);

  /// OffsetForLeaderEpoch (KIP-320).
  EpochLookup endOffsetForEpoch(int epoch, int currentLeaderEpoch);

  /// DeleteRecords: raises the log start to `offset`, or the high watermark for -1.
  DeleteRecordsResult deleteRecords(long offset);

  /// Writes the end of a transaction into the log (WriteTxnMarkers): fences older epochs of the
  /// producer and releases the last stable offset. The future completes with NONE when the marker
  /// is below the high watermark, or with an error: INVALID_PRODUCER_EPOCH,
  /// TRANSACTION_COORDINATOR_FENCED, NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION,
  /// NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT, KAFKA_STORAGE_ERROR.
  /// A marker may be written again: the second one changes nothing.
  ///
  /// @param transactionVersion 2 if the marker must have an epoch above that of the transaction's
  ///     records (KIP-890)
  CompletableFuture<ErrorCode> endTransaction(
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion);

  /// Whether this producer has a transaction open here under this epoch (KIP-890).
  boolean transactionOpen(long producerId, short producerEpoch);

  /// Producers with state in the log (KIP-664).
  List<io.takhin.api.storage.PartitionLog.ActiveProducer> activeProducers();

  /// Which records a reader may see.
  enum Isolation {
    /// Up to the high watermark.
    READ_UNCOMMITTED,
    /// Up to the last stable offset.
    READ_COMMITTED
  }

  /// A consumer's cursor in one partition.
  ///
  /// Threading: one thread at a time. Blocking: an index lookup may touch the disk. Buffers: the
  /// slice is the caller's to close.
  interface PartitionReader {
    /// Reads whole batches.
    ///
    /// @param offset first offset wanted
    /// @param currentLeaderEpoch as the client knows it, or -1 (KIP-320)
    /// @param lastFetchedEpoch epoch of the last batch that the reader has, or -1 (KIP-595)
    /// @param maxBytes limit of the slice
    /// @param atLeastOneBatch whether the first batch comes even if larger (KIP-74)
    PartitionRead read(
        long offset,
        int currentLeaderEpoch,
        int lastFetchedEpoch,
        int maxBytes,
        boolean atLeastOneBatch,
        Isolation isolation);
  }

  /// An answer to a read.
  ///
  /// @param error NONE, OFFSET_OUT_OF_RANGE, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
  ///     NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION once deleted
  /// @param highWatermark -1 with an error that leaves it unknown
  /// @param lastStableOffset likewise
  /// @param logStartOffset likewise
  /// @param aborted transactions that a read_committed reader skips in `records`; empty for others
  /// @param diverging where the reader's log parts from this one; null if it does not
  /// @param records to be closed by the caller; null with an error
  record PartitionRead(
      ErrorCode error,
      long highWatermark,
      long lastStableOffset,
      long logStartOffset,
      @Nullable EpochLookup diverging,
      List<io.takhin.api.storage.PartitionLog.AbortedTransaction> aborted,
      @Nullable LogSlice records) {}

  /// An answer to ListOffsets; offset -1 if no record is that young.
  record OffsetLookup(ErrorCode error, long offset, long timestampMs, int leaderEpoch) {}

  /// An answer to OffsetForLeaderEpoch; `(-1, -1)` if the epoch is unknown.
  record EpochLookup(ErrorCode error, int epoch, long endOffset) {}

  /// An answer to DeleteRecords.
  record DeleteRecordsResult(ErrorCode error, long lowWatermark) {}
}
