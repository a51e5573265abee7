package io.takhin.storage.local;

import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Walks the batches of a file in order, in bounded memory, and stops at the first that is not
/// whole and sound.
///
/// Threading: one thread.
final class BatchScanner {
  private final Disk.File file;
  private final long end;
  private final boolean verify;
  private final ByteBuffer chunk;
  private final CRC32C crc = new CRC32C();
  private long chunkStart;
  private long position;
  private long next;
  private long lastOffset;
  private int at;
  private long outOfOrderOffset = -1;
  private @Nullable String damage;

  /// A walk from `from`, where a batch begins.
  ///
  /// @param end where the file's content ends
  /// @param firstOffset no batch may begin below it
  /// @param verify whether checksums are computed
  /// @param chunk working memory of at least a few KiB
  BatchScanner(
      Disk.File file, long from, long end, long firstOffset, boolean verify, ByteBuffer chunk) {
    this.file = file;
    this.next = from;
    this.end = end;
    this.lastOffset = firstOffset - 1;
    this.verify = verify;
    this.chunk = chunk;
    chunk.clear().limit(0);
  }

  /// Goes to the next batch; false at the end or at damage.
  boolean next() throws IOException {
    if (damage != null || next >= end) {
      return false;
    }
    if (end - next < RecordBatch.HEADER_BYTES) {
      return damaged("only " + (end - next) + " bytes of a header");
    }
    load(next, RecordBatch.HEADER_BYTES);
    long size = RecordBatch.sizeBytes(chunk, at);
    String wrong = checkHeader(size);
    if (wrong != null) {
      return damaged(wrong);
    }
    if (verify && checksum(next, (int) size) != RecordBatch.crc(chunk, at)) {
      return damaged("a wrong checksum");
    }
    position = next;
    next += size;
    lastOffset = RecordBatch.lastOffset(chunk, at);
    return true;
  }

  private @Nullable String checkHeader(long size) {
    if (size < RecordBatch.HEADER_BYTES || size > end - next) {
      return "a batch of " + size + " bytes where " + (end - next) + " are left";
    }
    if (RecordBatch.magic(chunk, at) != RecordBatch.MAGIC) {
      return "magic " + RecordBatch.magic(chunk, at);
    }
    if (RecordBatch.baseOffset(chunk, at) <= lastOffset) {
      outOfOrderOffset = RecordBatch.baseOffset(chunk, at);
      return "offset " + RecordBatch.baseOffset(chunk, at) + " after " + lastOffset;
    }
    if (RecordBatch.lastOffsetDelta(chunk, at) < 0) {
      return "a negative number of records";
    }
    return null;
  }

  /// The checksum of the batch at `from`; the header is at `at` again afterwards.
  private int checksum(long from, int size) throws IOException {
    crc.reset();
    long begin = from + 21;
    long until = from + size;
    while (begin < until) {
      int length = (int) Math.min(until - begin, chunk.capacity());
      length = Math.min(length, load(begin, 1));
      crc.update(chunk.duplicate().position(at).limit(at + length));
      begin += length;
    }
    load(from, RecordBatch.HEADER_BYTES);
    return (int) crc.getValue();
  }

  /// Makes at least `wanted` bytes from `from` on readable at `at`.
  ///
  /// @return how many are
  private int load(long from, int wanted) throws IOException {
    if (from < chunkStart || from + wanted > chunkStart + chunk.limit()) {
      chunk.clear();
      chunk.limit((int) Math.min(chunk.capacity(), end - from));
      int read = file.read(chunk, from);
      if (read < wanted) {
        throw new IOException("the file ends at " + (from + read) + ", expected " + end);
      }
      chunk.flip();
      chunkStart = from;
    }
    at = (int) (from - chunkStart);
    return chunk.limit() - at;
  }

  /// The current batch's marker; null if it has none.
  @Nullable TransactionMarker marker() throws IOException {
    if (!RecordBatch.control(chunk, at) || sizeBytes() > TransactionMarker.MAX_BYTES) {
      return null;
    }
    load(position, sizeBytes());
    return TransactionMarker.read(chunk, at);
  }

  private boolean damaged(String what) {
    damage = what;
    return false;
  }

  /// What stopped the walk; null if it was the end.
  @Nullable String damage() {
    return damage;
  }

  /// The offset of the batch that stopped the walk because it is not above the one before; -1 if
  /// something else did.
  long outOfOrderOffset() {
    return outOfOrderOffset;
  }

  /// Where the current batch begins.
  long position() {
    return position;
  }

  /// Where the next batch begins: after the current one, and at the damage if that stopped the
  /// walk.
  long nextPosition() {
    return next;
  }

  int sizeBytes() {
    return (int) (next - position);
  }

  long lastOffset() {
    return lastOffset;
  }

  /// The buffer with the current batch's header at [#headerAt].
  ByteBuffer header() {
    return chunk;
  }

  int headerAt() {
    return at;
  }
}
