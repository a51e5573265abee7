package io.takhin.api.storage;

import io.takhin.api.Api;
import io.takhin.api.TopicPartition;
import java.nio.file.Path;
import java.util.List;

/// The log of one partition.
///
/// Threading: any thread; reads and appends never wait for each other.
/// Buffers: appended records are lent until the append's callback; read slices are the caller's to
/// close. Errors: TakhinException KAFKA_STORAGE_ERROR when the disk fails; the log is offline then
/// and its listener has been told.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface PartitionLog {
  /// Whose log it is.
  TopicPartition partition();

  /// The log directory that holds it.
  Path directory();

  /// First readable offset.
  long logStartOffset();

  /// Next offset to be assigned (exclusive end).
  long logEndOffset();

  /// End of what has the durability that an acknowledgement needs: see [LogListener#committable].
  long committableEndOffset();

  /// The high watermark: the caller's to move; kept in a checkpoint across restarts. Retention
  /// never removes what is not below it.
  void highWatermark(long offset);

  /// The high watermark as last set, or as the checkpoint had it at open, never above the end.
  long highWatermark();

  /// Size of all segments in bytes.
  long sizeBytes();

  /// The settings in force.
  LogConfig config();

  /// Puts new settings in force, from the next append or housekeeping on.
  void reconfigure(LogConfig config);

  /// Validates, assigns offsets and writes; the outcome goes to [LogAppend#appended]. Appends of
  /// one thread keep their order.
  ///
  /// Blocking: a write to the page cache; another thread's append may do it in one go with its own.
  void append(LogAppend append);

  /// A reader with a memory of where it was, so that reading on costs no lookup.
  LogReader reader();

  /// The first offset whose record has at least this timestamp (KIP-79), with that timestamp.
  /// Blocking: reads the disk.
  OffsetAtTimestamp offsetAtOrAfter(long timestampMs);

  /// The first offset with the greatest timestamp of the log (KIP-734).
  /// Blocking: may read the disk.
  OffsetAtTimestamp offsetOfMaxTimestamp();

  /// The leader epoch of the batch before the end, or -1 in a log that never had one.
  int latestEpoch();

  /// Where `epoch` ended in this log (KIP-101): the largest known epoch not above it, and the first
  /// offset after it. An epoch older than all known ends, as in Kafka, where the first known one
  /// begins; `(-1, -1)` for one newer than all known.
  EpochEndOffset endOffsetForEpoch(int epoch);

  /// Raises the log start to `offset` (DeleteRecords); whole segments below go in the background.
  void deleteRecordsBefore(long offset);

  /// Removes all from `offset` on: a follower's log that parted from its leader's. A batch that
  /// holds `offset` goes as a whole: the log then ends before it.
  void truncateTo(long offset);

  /// Empties the log and lets it start at `offset`: a follower whose leader no longer has its data.
  void truncateFullyAndStartAt(long offset);

  /// First offset of the oldest transaction that is open in this log, or that was ended by a marker
  /// not below the high watermark yet, and never below the log start; -1 if there is none. The last
  /// stable offset is the smaller of this and the high watermark, which must be read first.
  /// Blocking: no.
  long firstUnstableOffset();

  /// Aborted transactions with records at or after `from` and before `until`, for read_committed
  /// consumers to skip (KIP-98), by their first offsets. Blocking: may read transaction indexes.
  List<AbortedTransaction> abortedTransactions(long from, long until);

  /// Whether this producer has a transaction open here under this epoch: then its writes need no
  /// further verification (KIP-890). Blocking: no.
  boolean transactionOpen(long producerId, short producerEpoch);

  /// Announces that the coordinator is being asked whether this producer may write here (KIP-890).
  /// A client's transactional batch that opens a transaction must bring the token with it
  /// ([LogAppend#verification]), else it is refused with INVALID_TXN_STATE: so a marker that comes
  /// between answer and append cannot be overtaken. A new token of a producer replaces its old one.
  /// A marker of transaction version 2 leaves tokens of its own epoch alone: it ends a transaction
  /// of the epoch before, and the coordinator may answer about the next one when it is written.
  ///
  /// @return a token, not 0
  long beginVerification(long producerId, short producerEpoch);

  /// Forgets a token that is not needed any more.
  void endVerification(long producerId, long token);

  /// A transaction whose records read_committed consumers skip.
  ///
  /// @param firstOffset its first record in this partition
  record AbortedTransaction(long producerId, long firstOffset) {}

  /// Writes all to disk. Blocking: fsync.
  void flush();

  /// Producers with state in this log, for DescribeProducers (KIP-664).
  List<ActiveProducer> activeProducers();

  /// An offset and a record's timestamp; `(-1, -1, -1)` if there is none.
  record OffsetAtTimestamp(long offset, long timestampMs, int leaderEpoch) {
    /// Nothing found.
    public static final OffsetAtTimestamp NONE = new OffsetAtTimestamp(-1, -1, -1);
  }

  /// An epoch and the first offset after it.
  record EpochEndOffset(int epoch, long endOffset) {}

  /// State of one producer.
  ///
  /// @param coordinatorEpoch of the last marker, -1 for none
  /// @param txnStartOffset first offset of its open transaction, -1 for none
  record ActiveProducer(
      long producerId,
      short producerEpoch,
      int lastSequence,
      long lastTimestampMs,
      int coordinatorEpoch,
      long txnStartOffset) {}
}
