package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Where batches go: their offsets, and the segment that takes them.
///
/// Threading: the thread in a log's gate.
final class Placement {
  private Placement() {}

  /// Whether an append must not go into the segment that grows.
  ///
  /// @param size of the segment with what is on its way
  /// @param base offset of the append
  /// @param rollAfterMs what segment.ms leaves after jitter
  static boolean mustRoll(
      Segment active, long size, long base, ByteBuffer in, LogConfig settings, long rollAfterMs) {
    int at = in.position();
    if (size + in.remaining() > settings.segmentBytes()
        || base + in.remaining() - active.baseOffset > Integer.MAX_VALUE
        || active.indexFull(settings.segmentIndexBytes())) {
      return true;
    }
    Long first = active.firstTimestamp();
    return first != null && RecordBatch.maxTimestamp(in, at) - first > rollAfterMs;
  }

  /// Gives the batches their offsets and epoch, or checks a replica's.
  ///
  /// @return what is wrong; null if nothing is
  static @Nullable Rejected assignOffsets(LogAppend append, long firstOffset) {
    ByteBuffer in = append.records();
    long next = firstOffset;
    int at = in.position();
    while (at < in.limit()) {
      if (append.origin() != Origin.REPLICA) {
        RecordBatch.baseOffset(in, at, next);
        RecordBatch.leaderEpoch(in, at, append.leaderEpoch());
      } else if (RecordBatch.baseOffset(in, at) < next) {
        return new Rejected(
            ErrorCode.INVALID_RECORD,
            "offset " + RecordBatch.baseOffset(in, at) + " where " + next + " is expected");
      }
      next = RecordBatch.lastOffset(in, at) + 1;
      at += (int) RecordBatch.sizeBytes(in, at);
    }
    return null;
  }

  /// The offset of the last record of the last batch.
  static long lastOffset(ByteBuffer in) {
    int at = in.position();
    long last = -1;
    while (at < in.limit()) {
      last = RecordBatch.lastOffset(in, at);
      at += (int) RecordBatch.sizeBytes(in, at);
    }
    return last;
  }
}
