package io.takhin.api.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordBatchTest {
  /// Made by the Kafka client 4.4.0: `MemoryRecords.withRecords(Compression.NONE, new
  /// SimpleRecord(1000, "k", "v"), new SimpleRecord(1005, null, "w"))`.
  private static final String BY_KAFKA =
      "000000000000000000000042ffffffff0213b288b10000000000010000000000"
          + "0003e800000000000003edffffffffffffffffffffffffffff00000002100000"
          + "00026b0276000e000a0201027700";

  @Test
  void buildsTheBytesThatTheKafkaClientBuilds() {
    ByteBuffer batch =
        new RecordBatchBuilder().add(1000, utf8("k"), utf8("v")).add(1005, null, utf8("w")).build();
    byte[] bytes = new byte[batch.remaining()];
    batch.get(0, bytes);
    assertEquals(BY_KAFKA, HexFormat.of().formatHex(bytes));
  }

  @Test
  void readsTheHeaderFieldByField() {
    ByteBuffer batch =
        new RecordBatchBuilder()
            .producer(7, (short) 3, 11)
            .add(1000, null, utf8("v"))
            .add(900, null, utf8("w"))
            .build();
    RecordBatch.baseOffset(batch, 0, 40);
    RecordBatch.leaderEpoch(batch, 0, 5);

    assertEquals(40, RecordBatch.baseOffset(batch, 0));
    assertEquals(41, RecordBatch.lastOffset(batch, 0));
    assertEquals(5, RecordBatch.leaderEpoch(batch, 0));
    assertEquals(2, RecordBatch.count(batch, 0));
    assertEquals(1000, RecordBatch.baseTimestamp(batch, 0));
    assertEquals(1000, RecordBatch.maxTimestamp(batch, 0));
    assertEquals(7, RecordBatch.producerId(batch, 0));
    assertEquals(3, RecordBatch.producerEpoch(batch, 0));
    assertEquals(11, RecordBatch.baseSequence(batch, 0));
    assertEquals(batch.limit(), RecordBatch.sizeBytes(batch, 0));
    assertEquals(RecordBatch.computeCrc(batch, 0), RecordBatch.crc(batch, 0));
  }

  @Test
  void visitsRecordsWithOffsetsAndTimestamps() {
    ByteBuffer batch =
        new RecordBatchBuilder()
            .add(1000, utf8("k"), utf8("v"))
            .add(1005, null, null, List.of(new RecordBatchBuilder.Header(utf8("h"), null)))
            .build();
    RecordBatch.baseOffset(batch, 0, 40);
    List<String> seen = new ArrayList<>();
    Records.visit(
        batch,
        0,
        Records.payload(batch, 0),
        (offset, timestamp, key, value) ->
            seen.add(offset + " " + timestamp + " " + text(key) + "=" + text(value)));
    assertEquals(List.of("40 1000 k=v", "41 1005 null=null"), seen);
  }

  @Test
  void recordsThatPassTheirBatchAreRefused() {
    ByteBuffer batch = new RecordBatchBuilder().add(1000, utf8("k"), utf8("v")).build();
    ByteBuffer records = Records.payload(batch, 0);
    for (int cut = 0; cut < records.limit(); cut++) {
      ByteBuffer torn = records.slice(0, cut);
      assertThrows(
          IllegalArgumentException.class,
          () -> Records.visit(batch, 0, torn, (offset, timestamp, key, value) -> {}));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 63, -64, 64, 1 << 20, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void varintsComeBack(long value) {
    ByteBuffer buffer = ByteBuffer.allocate(10);
    Varint.writeInt(buffer, (int) value);
    assertEquals(Varint.sizeOf((int) value), buffer.position());
    assertEquals((int) value, Varint.readInt(buffer.flip()));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 1L << 35, Long.MAX_VALUE, Long.MIN_VALUE})
  void varlongsComeBack(long value) {
    ByteBuffer buffer = ByteBuffer.allocate(10);
    Varint.writeLong(buffer, value);
    assertEquals(Varint.sizeOf(value), buffer.position());
    assertEquals(value, Varint.readLong(buffer.flip()));
  }

  @Test
  void overlongVarintsAreRefused() {
    byte[] bytes = new byte[11];
    java.util.Arrays.fill(bytes, (byte) 0xff);
    assertThrows(IllegalArgumentException.class, () -> Varint.readInt(ByteBuffer.wrap(bytes)));
    assertThrows(IllegalArgumentException.class, () -> Varint.readLong(ByteBuffer.wrap(bytes)));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(@org.jspecify.annotations.Nullable ByteBuffer buffer) {
    return buffer == null ? "null" : StandardCharsets.UTF_8.decode(buffer).toString();
  }
}
