package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// A cursor into a log: segment, position and the offset expected there. Reading on needs no index;
/// when all that is there may be read, it needs no look into the file either.
///
/// Threading: one thread at a time. It takes no lock and waits for no appender.
final class LocalReader implements LogReader {
  private final LocalLog log;
  private final ByteBuffer header = ByteBuffer.allocate(RecordBatch.HEADER_BYTES);
  private @Nullable Segment segment;
  private int position;
  private long expected = -1;
  private int truncations;

  // of the read under way
  private long nextOffset;
  private int bound;

  LocalReader(LocalLog log) {
    this.log = log;
  }

  @Override
  public @Nullable LogSlice read(
      long offset, long endOffset, int maxBytes, boolean atLeastOneBatch) {
    log.checkOpen();
    LogEnd end = log.end();
    if (offset < log.logStartOffset() || offset > end.offset()) {
      return null;
    }
    long limit = Math.min(endOffset, end.offset());
    if (offset >= limit || (maxBytes <= 0 && !atLeastOneBatch)) {
      return EmptySlice.INSTANCE;
    }
    try {
      return slice(offset, limit, end, maxBytes, atLeastOneBatch);
    } catch (IOException e) {
      expected = -1;
      log.checkOpen();
      if (offset < log.logStartOffset()) {
        return null; // retention was faster
      }
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          log.partition() + " at " + offset + ": " + e.getMessage(),
          e);
    }
  }

  private LogSlice slice(long offset, long limit, LogEnd end, int maxBytes, boolean atLeastOne)
      throws IOException {
    Segment at = locate(offset, end);
    if (at == null) {
      return EmptySlice.INSTANCE;
    }
    Disk.File file = at.file.acquire();
    boolean kept = false;
    try {
      int from = position;
      int until = reach(file, at, from, limit, end, maxBytes, atLeastOne);
      if (until == from) {
        return EmptySlice.INSTANCE;
      }
      position = until;
      expected = nextOffset;
      kept = true;
      return new FileSlice(at.file, file, from, until - from, nextOffset);
    } finally {
      if (!kept) {
        at.file.release();
      }
    }
  }

  /// Sets `segment`, `position` and `bound` to the batch that holds `offset` or comes after it.
  private @Nullable Segment locate(long offset, LogEnd end) throws IOException {
    int now = log.truncations();
    Segment known = segment;
    if (known != null && expected == offset && truncations == now) {
      bound = boundOf(known, end);
      if (position < bound) {
        return known;
      }
      // else the cursor stands at the end of a closed segment: the next one is found below
    }
    truncations = now;
    Segment[] segments = log.segments();
    int i = floor(segments, offset);
    int from = known == segments[i] && expected == offset ? position : -1;
    while (i < segments.length && segments[i].baseOffset < end.offset()) {
      Segment candidate = segments[i];
      bound = boundOf(candidate, end);
      int found = from >= 0 ? from : scanTo(candidate, offset);
      if (found < bound) {
        segment = candidate;
        position = found;
        return candidate;
      }
      if (candidate == end.segment()) {
        return null;
      }
      i++;
      from = 0;
    }
    return null;
  }

  private static int boundOf(Segment of, LogEnd end) {
    return of == end.segment() ? end.position() : of.sizeBytes();
  }

  static int floor(Segment[] segments, long offset) {
    int low = 0;
    int high = segments.length - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (segments[middle].baseOffset <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /// The position of the first batch of the segment that reaches `offset`; the bound if none does.
  private int scanTo(Segment in, long offset) throws IOException {
    Disk.File file = in.file.acquire();
    try {
      int at = in.baseOffset >= offset ? 0 : indexed(file, in, offset);
      while (at < bound) {
        int size = readHeader(file, in, at);
        if (RecordBatch.lastOffset(header, 0) >= offset) {
          break;
        }
        at += size;
      }
      return at;
    } finally {
      in.file.release();
    }
  }

  /// Where the index says that a batch begins before `offset`; what it says is checked.
  private int indexed(Disk.File file, Segment in, long offset) throws IOException {
    SegmentIndex index = in.index();
    for (int attempt = 0; ; attempt++) {
      int entry = index.floor((int) Math.min(Integer.MAX_VALUE, offset - in.baseOffset));
      if (entry < 0) {
        return 0;
      }
      int at = index.position(entry);
      if (at >= bound) {
        return 0; // newer than this view of the end
      }
      if (plausible(file, at)
          && RecordBatch.lastOffset(header, 0) - in.baseOffset == index.offset(entry)) {
        return at;
      }
      if (attempt > 0) {
        return 0;
      }
      index = in.rebuildIndex("entry " + entry + " points to no batch");
    }
  }

  /// How far the slice that begins at `from` goes. Sets `nextOffset`.
  private int reach(
      Disk.File file,
      Segment in,
      int from,
      long limit,
      LogEnd end,
      int maxBytes,
      boolean atLeastOne)
      throws IOException {
    int until = limitPosition(in, limit, end);
    if (until >= 0 && until - from <= maxBytes) {
      nextOffset = limit; // in a closed segment: at most the next one's first offset
      if (in != end.segment() && until == bound) {
        nextOffset = endOffsetOf(in, limit);
      }
      return until;
    }
    int stop = until >= 0 ? until : bound;
    int at = from;
    int jump = jump(file, in, from, Math.min((long) from + maxBytes, stop), limit);
    if (jump > from) {
      at = jump;
    }
    while (at < stop) {
      int size = readHeader(file, in, at);
      boolean fits = at + size - from <= maxBytes || (atLeastOne && at == from);
      if (!fits || RecordBatch.lastOffset(header, 0) >= limit) {
        nextOffset = RecordBatch.baseOffset(header, 0);
        return at;
      }
      nextOffset = RecordBatch.lastOffset(header, 0) + 1;
      at += size;
    }
    return at;
  }

  /// The position of `limit` if it is known without looking; else -1.
  private int limitPosition(Segment in, long limit, LogEnd end) {
    if (in == end.segment()) {
      return limit == end.offset() ? end.position() : log.recentPosition(limit, in);
    }
    return endOffsetOf(in, Long.MAX_VALUE) <= limit ? bound : -1;
  }

  /// Where a closed segment ends: the next one's base offset.
  private long endOffsetOf(Segment in, long otherwise) {
    Segment[] segments = log.segments();
    for (int i = 0; i + 1 < segments.length; i++) {
      if (segments[i] == in) {
        return segments[i + 1].baseOffset;
      }
    }
    return otherwise;
  }

  /// The last indexed batch that begins in `(from, until]` and below `limit`: a short cut for the
  /// walk. `from` if there is none.
  private int jump(Disk.File file, Segment in, int from, long until, long limit)
      throws IOException {
    if (until - from < 4L * RecordBatch.HEADER_BYTES) {
      return from;
    }
    SegmentIndex index = in.index();
    int entry = index.floorPosition((int) Math.min(until, Integer.MAX_VALUE));
    int byOffset = index.floor((int) Math.min(limit - 1 - in.baseOffset, Integer.MAX_VALUE));
    entry = Math.min(entry, byOffset);
    if (entry < 0 || index.position(entry) <= from) {
      return from;
    }
    int at = index.position(entry);
    boolean sound =
        plausible(file, at)
            && RecordBatch.lastOffset(header, 0) - in.baseOffset == index.offset(entry);
    if (!sound) {
      in.rebuildIndex("entry " + entry + " points to no batch");
      return from;
    }
    return at;
  }

  private int readHeader(Disk.File file, Segment in, int at) throws IOException {
    if (!plausible(file, at)) {
      throw new IOException(in.file.path() + " is damaged at position " + at);
    }
    return (int) RecordBatch.sizeBytes(header, 0);
  }

  private boolean plausible(Disk.File file, int at) throws IOException {
    if (bound - at < RecordBatch.HEADER_BYTES) {
      return false;
    }
    header.clear();
    if (file.read(header, at) < RecordBatch.HEADER_BYTES) {
      return false;
    }
    long size = RecordBatch.sizeBytes(header, 0);
    return size >= RecordBatch.HEADER_BYTES
        && size <= bound - at
        && RecordBatch.magic(header, 0) == RecordBatch.MAGIC
        && RecordBatch.lastOffsetDelta(header, 0) >= 0;
  }
}
