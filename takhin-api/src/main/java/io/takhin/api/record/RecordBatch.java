package io.takhin.api.record;

import io.takhin.api.Api;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// The header of a batch in a buffer, field by field, without an object: `at` is the index where
/// the batch begins.
///
/// ```
///  0 base offset (8)      8 length after this field (4)   12 partition leader epoch (4)
/// 16 magic (1)           17 CRC-32C of all after it (4)   21 attributes (2)
/// 23 last offset delta(4) 27 base timestamp (8)           35 max timestamp (8)
/// 43 producer id (8)     51 producer epoch (2)            53 base sequence (4)
/// 57 record count (4)    61 records, compressed or not
/// ```
///
/// Attributes: bits 0-2 codec, 3 timestamp type (1: log append), 4 transactional, 5 control,
/// 6 has delete horizon.
@Api(status = Api.Status.STABLE, since = "0.1")
public final class RecordBatch {
  /// Bytes before the length counts.
  public static final int LOG_OVERHEAD = 12;

  /// Bytes of the header; records begin here.
  public static final int HEADER_BYTES = 61;

  /// The only format in use since Kafka 4.0.
  public static final byte MAGIC = 2;

  /// Producer id of those that are not idempotent.
  public static final long NO_PRODUCER_ID = -1;

  private static final int LENGTH = 8;
  private static final int LEADER_EPOCH = 12;
  private static final int MAGIC_AT = 16;
  private static final int CRC = 17;
  private static final int ATTRIBUTES = 21;
  private static final int LAST_OFFSET_DELTA = 23;
  private static final int BASE_TIMESTAMP = 27;
  private static final int MAX_TIMESTAMP = 35;
  private static final int PRODUCER_ID = 43;
  private static final int PRODUCER_EPOCH = 51;
  private static final int BASE_SEQUENCE = 53;
  private static final int COUNT = 57;

  private static final int CODEC_MASK = 0x07;
  private static final int LOG_APPEND_TIME_BIT = 0x08;
  private static final int TRANSACTIONAL_BIT = 0x10;
  private static final int CONTROL_BIT = 0x20;

  private RecordBatch() {}

  /// Offset of the first record.
  public static long baseOffset(ByteBuffer buffer, int at) {
    return buffer.getLong(at);
  }

  /// The whole batch's size with header, as its length field claims: check it against the buffer
  /// before believing it.
  public static long sizeBytes(ByteBuffer buffer, int at) {
    return LOG_OVERHEAD + (long) buffer.getInt(at + LENGTH);
  }

  /// Epoch of the leader that appended it.
  public static int leaderEpoch(ByteBuffer buffer, int at) {
    return buffer.getInt(at + LEADER_EPOCH);
  }

  /// The format.
  public static byte magic(ByteBuffer buffer, int at) {
    return buffer.get(at + MAGIC_AT);
  }

  /// The checksum in the header.
  public static int crc(ByteBuffer buffer, int at) {
    return buffer.getInt(at + CRC);
  }

  /// All attribute bits.
  public static short attributes(ByteBuffer buffer, int at) {
    return buffer.getShort(at + ATTRIBUTES);
  }

  /// Number of the codec, 0 to 7.
  public static int codec(ByteBuffer buffer, int at) {
    return attributes(buffer, at) & CODEC_MASK;
  }

  /// Whether the broker stamped it.
  public static boolean logAppendTime(ByteBuffer buffer, int at) {
    return (attributes(buffer, at) & LOG_APPEND_TIME_BIT) != 0;
  }

  /// Whether it belongs to a transaction.
  public static boolean transactional(ByteBuffer buffer, int at) {
    return (attributes(buffer, at) & TRANSACTIONAL_BIT) != 0;
  }

  /// Whether it holds a marker rather than data.
  public static boolean control(ByteBuffer buffer, int at) {
    return (attributes(buffer, at) & CONTROL_BIT) != 0;
  }

  /// Offset of the last record, relative to the first.
  public static int lastOffsetDelta(ByteBuffer buffer, int at) {
    return buffer.getInt(at + LAST_OFFSET_DELTA);
  }

  /// Offset of the last record.
  public static long lastOffset(ByteBuffer buffer, int at) {
    return baseOffset(buffer, at) + lastOffsetDelta(buffer, at);
  }

  /// Timestamp that records' deltas count from, in ms.
  public static long baseTimestamp(ByteBuffer buffer, int at) {
    return buffer.getLong(at + BASE_TIMESTAMP);
  }

  /// Greatest timestamp of its records, in ms.
  public static long maxTimestamp(ByteBuffer buffer, int at) {
    return buffer.getLong(at + MAX_TIMESTAMP);
  }

  /// Producer id, -1 for none.
  public static long producerId(ByteBuffer buffer, int at) {
    return buffer.getLong(at + PRODUCER_ID);
  }

  /// Producer epoch, -1 for none.
  public static short producerEpoch(ByteBuffer buffer, int at) {
    return buffer.getShort(at + PRODUCER_EPOCH);
  }

  /// Sequence number of the first record, -1 for none.
  public static int baseSequence(ByteBuffer buffer, int at) {
    return buffer.getInt(at + BASE_SEQUENCE);
  }

  /// Number of records, as claimed.
  public static int count(ByteBuffer buffer, int at) {
    return buffer.getInt(at + COUNT);
  }

  /// Sets the base offset; the checksum does not cover it.
  public static void baseOffset(ByteBuffer buffer, int at, long offset) {
    buffer.putLong(at, offset);
  }

  /// Sets the leader epoch; the checksum does not cover it.
  public static void leaderEpoch(ByteBuffer buffer, int at, int epoch) {
    buffer.putInt(at + LEADER_EPOCH, epoch);
  }

  /// Stamps the batch with the broker's time. The checksum is stale then: see [#updateCrc].
  public static void stampLogAppendTime(ByteBuffer buffer, int at, long timestampMs) {
    buffer.putShort(at + ATTRIBUTES, (short) (attributes(buffer, at) | LOG_APPEND_TIME_BIT));
    buffer.putLong(at + MAX_TIMESTAMP, timestampMs);
  }

  /// The checksum that the header should hold, of a batch that is whole in the buffer.
  public static int computeCrc(ByteBuffer buffer, int at) {
    CRC32C crc = new CRC32C();
    int from = at + ATTRIBUTES;
    crc.update(buffer.slice(from, (int) sizeBytes(buffer, at) - ATTRIBUTES));
    return (int) crc.getValue();
  }

  /// Computes the checksum and sets it.
  public static void updateCrc(ByteBuffer buffer, int at) {
    buffer.putInt(at + CRC, computeCrc(buffer, at));
  }
}
