package io.takhin.distribution.differential;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/// A record batch for a Produce request, right or wrong in one place.
///
/// The places of its header, from its first byte: base offset 0, length 8, leader epoch 12, magic
/// 16, CRC 17, attributes 21, last offset delta 23, base timestamp 27, max timestamp 35, producer
/// id 43, producer epoch 51, base sequence 53, count 57.
final class Batch {
  /// 2023-11-14: far from now, so that it is compared as it is.
  static final long TIME = 1_700_000_000_000L;

  private final List<SimpleRecord> records = new ArrayList<>();
  private CompressionType compression = CompressionType.NONE;
  private byte magic = RecordBatch.MAGIC_VALUE_V2;
  private final List<Consumer<ByteBuffer>> edits = new ArrayList<>();
  private boolean wrongCrc;
  private int cut;

  /// A batch of records with these values and ascending times.
  static Batch of(String... values) {
    Batch batch = new Batch();
    for (String value : values) {
      batch.record(TIME + batch.records.size(), null, value);
    }
    return batch;
  }

  Batch record(long timestamp, @Nullable String key, String value) {
    records.add(
        new SimpleRecord(
            timestamp,
            key == null ? null : key.getBytes(StandardCharsets.UTF_8),
            value.getBytes(StandardCharsets.UTF_8),
            records.isEmpty()
                ? new RecordHeader[] {new RecordHeader("h", new byte[] {'1'})}
                : new RecordHeader[0]));
    return this;
  }

  Batch by(State.Producer id, int firstSequence) {
    return edit(
        bytes -> bytes.putLong(43, id.id()).putShort(51, id.epoch()).putInt(53, firstSequence));
  }

  Batch transactional() {
    return edit(bytes -> bytes.putShort(21, (short) (bytes.getShort(21) | 0x10)));
  }

  Batch compressed(CompressionType type) {
    compression = type;
    return this;
  }

  Batch magic(int version) {
    magic = (byte) version;
    return this;
  }

  /// Changes the header; the checksum is made right again afterwards.
  Batch edit(Consumer<ByteBuffer> change) {
    edits.add(change);
    return this;
  }

  Batch wrongCrc() {
    wrongCrc = true;
    return this;
  }

  /// Leaves so many bytes of the end out.
  Batch cut(int bytes) {
    cut = bytes;
    return this;
  }

  MemoryRecords records() {
    return MemoryRecords.readableRecords(bytes());
  }

  ByteBuffer bytes() {
    MemoryRecords made =
        magic < RecordBatch.MAGIC_VALUE_V2
            ? MemoryRecords.withRecords(
                magic,
                0L,
                Compression.of(compression).build(),
                TimestampType.CREATE_TIME,
                records.stream()
                    .map(
                        record ->
                            new SimpleRecord(record.timestamp(), record.key(), record.value()))
                    .toArray(SimpleRecord[]::new))
            : MemoryRecords.withRecords(
                magic,
                0L,
                Compression.of(compression).build(),
                TimestampType.CREATE_TIME,
                RecordBatch.NO_PRODUCER_ID,
                RecordBatch.NO_PRODUCER_EPOCH,
                RecordBatch.NO_SEQUENCE,
                RecordBatch.NO_PARTITION_LEADER_EPOCH,
                false,
                records.toArray(new SimpleRecord[0]));
    ByteBuffer from = made.buffer().duplicate();
    ByteBuffer bytes = ByteBuffer.allocate(from.remaining());
    bytes.put(from).flip();
    for (Consumer<ByteBuffer> edit : edits) {
      edit.accept(bytes);
    }
    if (!edits.isEmpty()) {
      CRC32C crc = new CRC32C();
      crc.update(bytes.duplicate().position(21));
      bytes.putInt(17, (int) crc.getValue());
    }
    if (wrongCrc) {
      bytes.putInt(17, bytes.getInt(17) ^ 1);
    }
    bytes.limit(Math.max(0, bytes.limit() - cut));
    return bytes;
  }

  /// Several batches one after the other in the same records field.
  static MemoryRecords together(Batch... batches) {
    ByteBuffer all = ByteBuffer.allocate(1 << 20);
    for (Batch batch : batches) {
      all.put(batch.bytes());
    }
    return MemoryRecords.readableRecords(all.flip());
  }
}
