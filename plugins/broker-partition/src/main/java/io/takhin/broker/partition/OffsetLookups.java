package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition.OffsetLookup;
import io.takhin.api.storage.PartitionLog;
import io.takhin.api.storage.PartitionLog.EpochEndOffset;
import io.takhin.api.storage.PartitionLog.OffsetAtTimestamp;

/// ListOffsets and OffsetForLeaderEpoch against a leader's log.
///
/// Blocking: timestamps and -3 read the disk. Errors: TakhinException of the log.
final class OffsetLookups {
  private static final long LATEST = -1;
  private static final long EARLIEST = -2;
  private static final long MAX_TIMESTAMP = -3;
  private static final long EARLIEST_LOCAL = -4;
  private static final long LATEST_TIERED = -5;
  private static final long EARLIEST_PENDING_UPLOAD = -6;

  private static final OffsetLookup NOTHING = new OffsetLookup(ErrorCode.NONE, -1, -1, -1);
  private static final OffsetLookup UNKNOWN_TIMESTAMP =
      new OffsetLookup(ErrorCode.UNSUPPORTED_VERSION, -1, -1, -1);

  private OffsetLookups() {}

  /// @param visibleEnd end of what the reader may see
  static OffsetLookup lookup(PartitionLog log, long timestampMs, long visibleEnd, int leaderEpoch) {
    if (timestampMs >= 0) {
      return visible(log.offsetAtOrAfter(timestampMs), visibleEnd);
    }
    if (timestampMs == LATEST) {
      return new OffsetLookup(ErrorCode.NONE, visibleEnd, -1, leaderEpoch);
    }
    if (timestampMs == EARLIEST || timestampMs == EARLIEST_LOCAL) {
      long start = log.logStartOffset();
      return new OffsetLookup(ErrorCode.NONE, start, -1, epochAt(log, start, leaderEpoch));
    }
    if (timestampMs == MAX_TIMESTAMP) {
      return visible(log.offsetOfMaxTimestamp(), visibleEnd);
    }
    // Without a tier nothing was uploaded, and nothing waits to be.
    return timestampMs == LATEST_TIERED || timestampMs == EARLIEST_PENDING_UPLOAD
        ? NOTHING
        : UNKNOWN_TIMESTAMP;
  }

  private static OffsetLookup visible(OffsetAtTimestamp found, long visibleEnd) {
    return found.offset() < 0 || found.offset() >= visibleEnd
        ? NOTHING
        : new OffsetLookup(
            ErrorCode.NONE, found.offset(), found.timestampMs(), found.leaderEpoch());
  }

  /// The epoch of the batch at `offset`, found among the ends of all epochs, which rise with them;
  /// the leader's own epoch where no batch is yet.
  private static int epochAt(PartitionLog log, long offset, int leaderEpoch) {
    int low = 0;
    int high = log.latestEpoch();
    int found = leaderEpoch;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      EpochEndOffset end = log.endOffsetForEpoch(middle);
      if (end.endOffset() > offset) {
        found = end.epoch();
        high = middle - 1;
      } else {
        low = middle + 1;
      }
    }
    return found;
  }

  /// Where `epoch` ended. The leader's own epoch has not: it reaches to the end of the log, also
  /// while the log has no batch of it. Epochs after the last batch's and before the leader's had no
  /// batch, so the last batch's epoch answers for them (KIP-101, KIP-320).
  static EpochEndOffset endOffsetForEpoch(PartitionLog log, int epoch, int leaderEpoch) {
    if (epoch == leaderEpoch) {
      return new EpochEndOffset(epoch, log.logEndOffset());
    }
    int latest = log.latestEpoch();
    if (latest >= 0 && latest < leaderEpoch && epoch >= latest && epoch < leaderEpoch) {
      long end = log.logEndOffset();
      // Read after the end: if the leader's first batch came meanwhile, the log knows better.
      if (log.latestEpoch() == latest) {
        return new EpochEndOffset(latest, end);
      }
    }
    return log.endOffsetForEpoch(epoch);
  }
}
