package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.storage.PartitionLog.OffsetAtTimestamp;
import java.io.IOException;
import java.nio.ByteBuffer;

/// Finds records by timestamp, exactly: the time index says where to begin, batch headers which
/// batch, and the batch itself, decompressed if need be, which record.
///
/// Threading: any thread; reads the disk.
final class TimestampLookup {
  private TimestampLookup() {}

  /// The first record with at least this timestamp.
  static OffsetAtTimestamp atOrAfter(LocalLog log, long timestampMs) {
    try {
      LogEnd end = log.end();
      for (Segment segment : log.segments()) {
        int bound = segment == end.segment() ? end.position() : segment.sizeBytes();
        if (bound > 0 && segment.maxTimestamp() >= timestampMs) {
          OffsetAtTimestamp found = inSegment(log, segment, bound, timestampMs);
          if (found.offset() >= 0) {
            return found;
          }
        }
        if (segment == end.segment()) {
          break;
        }
      }
      return OffsetAtTimestamp.NONE;
    } catch (IOException e) {
      log.checkOpen();
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          log.partition() + ": looking up a timestamp: " + e.getMessage(),
          e);
    }
  }

  /// The first record with the greatest timestamp.
  static OffsetAtTimestamp greatest(LocalLog log) {
    try {
      long greatest = -1;
      for (Segment segment : log.segments()) {
        if (segment.sizeBytes() > 0) {
          greatest = Math.max(greatest, segment.maxTimestamp());
        }
      }
      return greatest < 0 ? OffsetAtTimestamp.NONE : atOrAfter(log, greatest);
    } catch (IOException e) {
      log.checkOpen();
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          log.partition() + ": looking for the greatest timestamp: " + e.getMessage(),
          e);
    }
  }

  private static OffsetAtTimestamp inSegment(
      LocalLog log, Segment segment, int bound, long timestampMs) throws IOException {
    SegmentIndex index = segment.index();
    int after = index.offsetBefore(timestampMs);
    int entry = after < 0 ? -1 : index.floor(after);
    int from = entry < 0 ? 0 : index.position(entry);
    LogContext context = log.context();
    ByteBuffer chunk = context.scratch().take().clear();
    Disk.File file = segment.file.acquire();
    try {
      BatchScanner scanner =
          new BatchScanner(file, from >= bound ? 0 : from, bound, 0, false, chunk);
      while (scanner.next()) {
        if (scanner.lastOffset() >= log.logStartOffset()
            && RecordBatch.maxTimestamp(scanner.header(), scanner.headerAt()) >= timestampMs) {
          OffsetAtTimestamp found = inBatch(log, file, scanner, timestampMs);
          if (found.offset() >= 0) {
            return found;
          }
        }
      }
      if (scanner.damage() != null) {
        throw new IOException(
            segment.file.path()
                + " is damaged at position "
                + scanner.nextPosition()
                + ": "
                + scanner.damage());
      }
      return OffsetAtTimestamp.NONE;
    } finally {
      segment.file.release();
      context.scratch().give(chunk);
    }
  }

  private static OffsetAtTimestamp inBatch(
      LocalLog log, Disk.File file, BatchScanner scanner, long timestampMs) throws IOException {
    ByteBuffer batch = ByteBuffer.allocateDirect(scanner.sizeBytes());
    if (file.read(batch, scanner.position()) < batch.capacity()) {
      throw new IOException("a batch was cut while it was read");
    }
    batch.flip();
    int codec = RecordBatch.codec(batch, 0);
    ByteBuffer records =
        codec == 0
            ? Records.payload(batch, 0)
            : log.context().validator().decompressed(batch, 0, codec);
    int epoch = RecordBatch.leaderEpoch(batch, 0);
    long start = log.logStartOffset();
    OffsetAtTimestamp[] found = {OffsetAtTimestamp.NONE};
    try {
      Records.visit(
          batch,
          0,
          records,
          (offset, timestamp, key, value) -> {
            if (found[0].offset() < 0 && timestamp >= timestampMs && offset >= start) {
              found[0] = new OffsetAtTimestamp(offset, timestamp, epoch);
            }
          });
    } catch (IllegalArgumentException e) {
      // relaxed validation lets a compressed batch in unseen: answer with the batch
      return new OffsetAtTimestamp(
          RecordBatch.baseOffset(batch, 0), RecordBatch.maxTimestamp(batch, 0), epoch);
    }
    return found[0];
  }
}
