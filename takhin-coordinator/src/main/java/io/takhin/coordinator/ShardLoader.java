package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.storage.LogSlice;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads a partition of an internal topic into a state machine, from its start to the end that
/// it had when this broker took over.
///
/// Threads: one at a time, which blocks on the disk.
final class ShardLoader<R> {
  private static final Logger LOG = LoggerFactory.getLogger(ShardLoader.class);
  private static final int READ_BYTES = 4 << 20;
  private static final int MAX_DECOMPRESSED_BYTES = 64 << 20;
  private static final short ABORT_MARKER = 0;
  private static final short COMMIT_MARKER = 1;

  private final Partition partition;
  private final StateMachine<R, ?> machine;
  private final RecordCodec<R> codec;
  private final @Nullable Codecs codecs;
  private final PartitionReader reader;
  private final long endOffset;
  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private long nextOffset;
  private long records;
  private long unreadable;

  ShardLoader(
      Partition partition,
      StateMachine<R, ?> machine,
      RecordCodec<R> codec,
      @Nullable Codecs codecs) {
    this.partition = partition;
    this.machine = machine;
    this.codec = codec;
    this.codecs = codecs;
    reader = partition.reader();
    nextOffset = partition.logStartOffset();
    endOffset = partition.logEndOffset();
  }

  /// Reads on as far as records are visible.
  ///
  /// Errors: TakhinException when the log cannot be read.
  ///
  /// @return whether the end was reached; if not, the rest is not on all in-sync replicas yet: call
  ///     again later
  boolean load() {
    while (nextOffset < endOffset) {
      PartitionRead read =
          reader.read(nextOffset, -1, -1, READ_BYTES, true, Isolation.READ_UNCOMMITTED);
      if (read.error() == ErrorCode.OFFSET_OUT_OF_RANGE
          && nextOffset < partition.logStartOffset()) {
        nextOffset = partition.logStartOffset();
        continue;
      }
      if (read.error() != ErrorCode.NONE) {
        throw new TakhinException(
            read.error(), partition.id() + " cannot be read at " + nextOffset);
      }
      LogSlice slice = read.records();
      if (slice == null) {
        return false;
      }
      try (slice) {
        if (slice.sizeBytes() > 0) {
          replay(slice);
        } else if (partition.highWatermark() < endOffset) {
          return false;
        } else {
          nextOffset = endOffset; // compaction took the last records
        }
      }
    }
    if (unreadable > 0) {
      LOG.error(
          "{} of {} records in {} are not what Kafka writes there; they were passed over",
          unreadable,
          records,
          partition.id());
    }
    buffer = ByteBuffer.allocate(0);
    return true;
  }

  /// Records read so far.
  long records() {
    return records;
  }

  private void replay(LogSlice slice) {
    int size = slice.sizeBytes();
    if (buffer.capacity() < size) {
      buffer = ByteBuffer.allocate(Math.max(size, Math.min(READ_BYTES, 64 << 10)));
    }
    buffer.clear().limit(size);
    slice.copyTo(0, buffer);
    if (buffer.hasRemaining()) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR, partition.id() + " ends early at " + nextOffset);
    }
    buffer.flip();
    int at = 0;
    while (size - at >= RecordBatch.HEADER_BYTES) {
      long batchBytes = RecordBatch.sizeBytes(buffer, at);
      if (batchBytes < RecordBatch.HEADER_BYTES || batchBytes > size - at) {
        throw new TakhinException(
            ErrorCode.CORRUPT_MESSAGE,
            partition.id() + " has a batch of " + batchBytes + " bytes at " + nextOffset);
      }
      if (RecordBatch.lastOffset(buffer, at) >= nextOffset) {
        batch(at);
        nextOffset = RecordBatch.lastOffset(buffer, at) + 1;
      }
      at += (int) batchBytes;
    }
    if (at == 0) {
      throw new TakhinException(
          ErrorCode.CORRUPT_MESSAGE, partition.id() + " has no batch at " + nextOffset);
    }
  }

  private void batch(int at) {
    if (RecordBatch.magic(buffer, at) != RecordBatch.MAGIC) {
      throw new TakhinException(
          ErrorCode.CORRUPT_MESSAGE,
          partition.id() + " has a batch of format " + RecordBatch.magic(buffer, at));
    }
    long producerId = RecordBatch.producerId(buffer, at);
    if (RecordBatch.control(buffer, at)) {
      Records.visit(
          buffer,
          at,
          Records.payload(buffer, at),
          (offset, ms, key, value) -> end(producerId, key));
      return;
    }
    boolean transactional = RecordBatch.transactional(buffer, at);
    Records.visit(
        buffer,
        at,
        payload(at),
        (offset, ms, key, value) -> {
          R record = decode(key, value);
          if (record != null && transactional) {
            machine.replayTransactional(producerId, record);
          } else if (record != null) {
            machine.replay(record);
          }
        });
  }

  private void end(long producerId, @Nullable ByteBuffer key) {
    if (key == null || key.remaining() < 4) {
      unreadable++;
      return;
    }
    short type = key.getShort(key.position() + 2);
    if (type == COMMIT_MARKER || type == ABORT_MARKER) {
      machine.replayMarker(producerId, type == COMMIT_MARKER);
    }
  }

  private @Nullable R decode(@Nullable ByteBuffer key, @Nullable ByteBuffer value) {
    records++;
    if (key == null) {
      unreadable++;
      return null;
    }
    try {
      return codec.decode(key, value);
    } catch (IllegalArgumentException e) {
      LOG.debug("A record of {} after {}", partition.id(), nextOffset, e);
      unreadable++;
      return null;
    }
  }

  private ByteBuffer payload(int at) {
    ByteBuffer payload = Records.payload(buffer, at);
    CompressionType type = CompressionType.of(RecordBatch.codec(buffer, at));
    if (type == CompressionType.NONE) {
      return payload;
    }
    if (type == null || codecs == null) {
      throw new TakhinException(
          ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
          partition.id() + " has a batch compressed with " + type + ": install a codec plugin");
    }
    return codecs.decompress(type, payload, MAX_DECOMPRESSED_BYTES);
  }
}
