package io.takhin.testkit.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.record.Records;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.PartitionLog;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Batches of short strings, and how to see them again.
///
/// Threading: any thread.
public final class Batches {
  private Batches() {}

  /// A batch of records without keys, stamped 1000.
  public static ByteBuffer of(String... values) {
    return at(1000, values);
  }

  /// A batch of records without keys, stamped `timestampMs` and a millisecond more for each.
  public static ByteBuffer at(long timestampMs, String... values) {
    return filled(new RecordBatchBuilder(), timestampMs, values).build();
  }

  /// A batch of an idempotent producer.
  public static ByteBuffer from(long producerId, int epoch, int sequence, String... values) {
    RecordBatchBuilder builder =
        new RecordBatchBuilder().producer(producerId, (short) epoch, sequence);
    return filled(builder, 1000, values).build();
  }

  /// A batch of a transaction.
  public static ByteBuffer inTransaction(
      long producerId, int epoch, int sequence, String... values) {
    RecordBatchBuilder builder =
        new RecordBatchBuilder().producer(producerId, (short) epoch, sequence).attributes(0x10);
    return filled(builder, 1000, values).build();
  }

  /// A batch as the leader of a partition would send it.
  public static ByteBuffer replica(long baseOffset, int leaderEpoch, String... values) {
    ByteBuffer batch = of(values);
    RecordBatch.baseOffset(batch, 0, baseOffset);
    RecordBatch.leaderEpoch(batch, 0, leaderEpoch);
    return batch;
  }

  /// A copy of a slice in one buffer. The slice stays open.
  public static ByteBuffer bytes(LogSlice slice) {
    ByteBuffer copy = ByteBuffer.allocateDirect(slice.sizeBytes());
    slice.copyTo(0, copy);
    copy.flip();
    if (copy.remaining() != slice.sizeBytes()) {
      throw new AssertionError("copied " + copy.remaining() + " of " + slice.sizeBytes());
    }
    return copy;
  }

  /// Every record of uncompressed batches as `offset=value`; checks each batch's checksum.
  public static List<String> show(ByteBuffer batches) {
    List<String> shown = new ArrayList<>();
    int at = 0;
    while (at < batches.limit()) {
      long size = RecordBatch.sizeBytes(batches, at);
      if (at + size > batches.limit()) {
        throw new AssertionError("a batch passes the slice at " + at);
      }
      if (RecordBatch.computeCrc(batches, at) != RecordBatch.crc(batches, at)) {
        throw new AssertionError("wrong checksum at " + at);
      }
      Records.visit(
          batches,
          at,
          Records.payload(batches, at),
          (offset, timestampMs, key, value) -> shown.add(offset + "=" + text(value)));
      at += (int) size;
    }
    return shown;
  }

  /// All records from `offset` to the log's end as `offset=value`, by one reader.
  public static List<String> readAll(PartitionLog log, long offset) {
    List<String> shown = new ArrayList<>();
    LogReader reader = log.reader();
    long next = offset;
    while (true) {
      try (LogSlice slice = reader.read(next, log.logEndOffset(), 1 << 20, true)) {
        if (slice == null) {
          throw new AssertionError("offset " + next + " is out of range");
        }
        if (slice.sizeBytes() == 0) {
          return shown;
        }
        ByteBuffer batches = bytes(slice);
        shown.addAll(show(batches));
        next = endOffset(batches);
      }
    }
  }

  /// The offset after the last record of the batches.
  public static long endOffset(ByteBuffer batches) {
    long end = -1;
    int at = 0;
    while (at < batches.limit()) {
      end = RecordBatch.lastOffset(batches, at) + 1;
      at += (int) RecordBatch.sizeBytes(batches, at);
    }
    return end;
  }

  private static RecordBatchBuilder filled(
      RecordBatchBuilder builder, long timestampMs, String... values) {
    for (int i = 0; i < values.length; i++) {
      builder.add(timestampMs + i, null, values[i].getBytes(UTF_8));
    }
    return builder;
  }

  private static String text(@Nullable ByteBuffer value) {
    return value == null ? "null" : UTF_8.decode(value).toString();
  }
}
