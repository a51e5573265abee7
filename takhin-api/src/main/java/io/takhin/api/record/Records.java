package io.takhin.api.record;

import io.takhin.api.Api;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Reads the records of a batch.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public final class Records {
  private Records() {}

  /// Visits each record of the batch at `at`. Records that are compressed come decompressed in
  /// `records`; otherwise pass the batch's own bytes after the header.
  ///
  /// Errors: IllegalArgumentException if the records are not what the header says.
  public static void visit(ByteBuffer batch, int at, ByteBuffer records, RecordVisitor visitor) {
    long baseOffset = RecordBatch.baseOffset(batch, at);
    long baseTimestamp = RecordBatch.baseTimestamp(batch, at);
    boolean stamped = RecordBatch.logAppendTime(batch, at);
    long maxTimestamp = RecordBatch.maxTimestamp(batch, at);
    int count = RecordBatch.count(batch, at);
    ByteBuffer in = records.duplicate();
    try {
      for (int i = 0; i < count; i++) {
        int length = Varint.readInt(in);
        int end = Math.addExact(in.position(), length);
        if (length < 0 || end > in.limit()) {
          throw new IllegalArgumentException("record " + i + " of " + count + " passes its batch");
        }
        in.get();
        long timestamp = baseTimestamp + Varint.readLong(in);
        long offset = baseOffset + Varint.readInt(in);
        ByteBuffer key = bytes(in, end);
        ByteBuffer value = bytes(in, end);
        visitor.record(offset, stamped ? maxTimestamp : timestamp, key, value);
        in.position(end);
      }
    } catch (BufferUnderflowException | ArithmeticException e) {
      throw new IllegalArgumentException("a batch of " + count + " records ends early", e);
    }
  }

  /// The bytes after the header of a batch that is whole in the buffer.
  public static ByteBuffer payload(ByteBuffer batch, int at) {
    int size = (int) RecordBatch.sizeBytes(batch, at);
    return batch.slice(at + RecordBatch.HEADER_BYTES, size - RecordBatch.HEADER_BYTES);
  }

  private static @Nullable ByteBuffer bytes(ByteBuffer in, int end) {
    int length = Varint.readInt(in);
    if (length < 0) {
      return null;
    }
    if (length > end - in.position()) {
      throw new IllegalArgumentException("a key or value passes its record");
    }
    ByteBuffer view = in.slice(in.position(), length);
    in.position(in.position() + length);
    return view;
  }
}
