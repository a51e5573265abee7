package io.takhin.api.record;

import io.takhin.api.Api;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes one uncompressed batch: for coordinators and tests, not for the way of the data.
///
/// Threading: one thread. Buffers: grows its own; [#build] hands it over and ends the builder.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public final class RecordBatchBuilder {
  /// Enough for a marker, and for most records of coordinators.
  private static final int FIRST_BYTES = 256;

  // On the heap: these batches are small and live for a moment, and a direct buffer costs more to
  // make and to free than the copy that writing it takes.
  private ByteBuffer buffer;
  private int count;
  private long baseTimestamp = -1;
  private long maxTimestamp = -1;
  private long producerId = RecordBatch.NO_PRODUCER_ID;
  private short producerEpoch = -1;
  private int baseSequence = -1;
  private short attributes;

  /// An empty batch.
  public RecordBatchBuilder() {
    buffer = ByteBuffer.allocate(FIRST_BYTES);
    buffer.position(RecordBatch.HEADER_BYTES);
  }

  /// Makes it the batch of an idempotent producer (KIP-98).
  public RecordBatchBuilder producer(long id, short epoch, int sequence) {
    producerId = id;
    producerEpoch = epoch;
    baseSequence = sequence;
    return this;
  }

  /// Sets the attribute bits; the codec's bits must be 0.
  public RecordBatchBuilder attributes(int bits) {
    attributes = (short) bits;
    return this;
  }

  /// Adds a record without headers.
  public RecordBatchBuilder add(long timestampMs, byte @Nullable [] key, byte @Nullable [] value) {
    return add(timestampMs, key, value, List.of());
  }

  /// Adds a record.
  public RecordBatchBuilder add(
      long timestampMs, byte @Nullable [] key, byte @Nullable [] value, List<Header> headers) {
    if (count == 0) {
      baseTimestamp = timestampMs;
    }
    maxTimestamp = Math.max(maxTimestamp, timestampMs);
    long delta = timestampMs - baseTimestamp;
    int body = 1 + Varint.sizeOf(delta) + Varint.sizeOf(count) + sizeOf(key) + sizeOf(value);
    body += Varint.sizeOf(headers.size());
    for (Header header : headers) {
      body += sizeOf(header.key()) + sizeOf(header.value());
    }
    ensure(Varint.sizeOf(body) + body);
    Varint.writeInt(buffer, body);
    buffer.put((byte) 0);
    Varint.writeLong(buffer, delta);
    Varint.writeInt(buffer, count);
    put(key);
    put(value);
    Varint.writeInt(buffer, headers.size());
    for (Header header : headers) {
      put(header.key());
      put(header.value());
    }
    count++;
    return this;
  }

  /// How many records it has.
  public int count() {
    return count;
  }

  /// Bytes so far.
  public int sizeBytes() {
    return buffer.position();
  }

  /// The batch with base offset 0, leader epoch -1 and a valid checksum, in a heap buffer from 0 to
  /// its limit.
  public ByteBuffer build() {
    int size = buffer.position();
    buffer.putLong(0, 0);
    buffer.putInt(8, size - RecordBatch.LOG_OVERHEAD);
    buffer.putInt(12, -1);
    buffer.put(16, RecordBatch.MAGIC);
    buffer.putShort(21, attributes);
    buffer.putInt(23, count - 1);
    buffer.putLong(27, baseTimestamp);
    buffer.putLong(35, maxTimestamp);
    buffer.putLong(43, producerId);
    buffer.putShort(51, producerEpoch);
    buffer.putInt(53, baseSequence);
    buffer.putInt(57, count);
    buffer.flip();
    RecordBatch.updateCrc(buffer, 0);
    return buffer;
  }

  private static int sizeOf(byte @Nullable [] bytes) {
    return bytes == null ? 1 : Varint.sizeOf(bytes.length) + bytes.length;
  }

  private void put(byte @Nullable [] bytes) {
    if (bytes == null) {
      Varint.writeInt(buffer, -1);
    } else {
      Varint.writeInt(buffer, bytes.length);
      buffer.put(bytes);
    }
  }

  private void ensure(int bytes) {
    if (buffer.remaining() < bytes) {
      int needed = Math.addExact(buffer.position(), bytes);
      ByteBuffer larger = ByteBuffer.allocate(Math.max(needed, buffer.capacity() * 2));
      larger.put(buffer.flip());
      buffer = larger;
    }
  }

  /// A record's header: UTF-8 key and value.
  public record Header(byte[] key, byte @Nullable [] value) {}
}
