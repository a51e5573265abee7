package io.takhin.storage.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.record.Records;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedAppend;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// T23, T24: what a batch may be, byte by byte.
class BatchValidatorTest {
  private static final long NOW_MS = 10_000;
  private final FakeCodecs codecs = new FakeCodecs();
  private final BatchValidator validator = new BatchValidator(() -> codecs);

  private ErrorCode verdict(ByteBuffer batch, LogConfig config) {
    CapturedAppend append = new CapturedAppend(batch, 0, Origin.CLIENT);
    LogAppend prepared = validator.prepare(append, config, NOW_MS);
    if (prepared != null) {
      return ErrorCode.NONE;
    }
    return assertInstanceOf(Rejected.class, append.await()).code();
  }

  private ErrorCode verdict(Consumer<ByteBuffer> change) {
    ByteBuffer batch = Batches.of("a", "b");
    change.accept(batch);
    RecordBatch.updateCrc(batch, 0);
    return verdict(batch, LogConfigBuilder.defaults());
  }

  private ByteBuffer compressed(CompressionType type, ByteBuffer batch) {
    ByteBuffer packed = codecs.compress(type, Records.payload(batch, 0));
    ByteBuffer made = ByteBuffer.allocateDirect(RecordBatch.HEADER_BYTES + packed.remaining());
    made.put(0, batch, 0, RecordBatch.HEADER_BYTES);
    made.put(RecordBatch.HEADER_BYTES, packed, 0, packed.remaining());
    made.putInt(8, made.limit() - RecordBatch.LOG_OVERHEAD);
    made.putShort(21, (short) (RecordBatch.attributes(batch, 0) | type.id()));
    RecordBatch.updateCrc(made, 0);
    return made;
  }

  @Test
  void t23HeadersThatLieAreRejected() {
    assertEquals(ErrorCode.NONE, verdict(batch -> {}));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putLong(0, 5)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putShort(21, (short) 5)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putShort(21, (short) 0x40)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putShort(21, (short) 0x8000)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putShort(21, (short) 0x10)));
    assertEquals(ErrorCode.INVALID_TIMESTAMP, verdict(batch -> batch.putShort(21, (short) 8)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putInt(57, 3).putInt(23, 2)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putInt(57, 1).putInt(23, 0)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putLong(43, 7)));
    assertEquals(ErrorCode.INVALID_RECORD, verdict(batch -> batch.putLong(43, -2)));
  }

  @Test
  void t23AnyByteOfTheRecordsMayBeAnything() {
    for (int at = RecordBatch.HEADER_BYTES; at < Batches.of("a", "b").limit(); at++) {
      for (int value = 0; value < 256; value++) {
        int position = at;
        byte changed = (byte) value;
        verdict(batch -> batch.put(position, changed)); // an answer, never an exception
      }
    }
  }

  @Test
  void t24TheGreatestTimestampIsMadeTrue() {
    ByteBuffer batch = Batches.at(1000, "a", "b", "c");
    batch.putLong(35, 5);
    RecordBatch.updateCrc(batch, 0);
    assertEquals(ErrorCode.NONE, verdict(batch, LogConfigBuilder.defaults()));
    assertEquals(1002, RecordBatch.maxTimestamp(batch, 0));
    assertEquals(RecordBatch.crc(batch, 0), RecordBatch.computeCrc(batch, 0));
  }

  @Test
  void t24TimestampsAreBounded() {
    LogConfig bounded =
        new LogConfigBuilder().timestampBeforeMaxMs(100).timestampAfterMaxMs(50).build();
    assertEquals(ErrorCode.NONE, verdict(Batches.at(NOW_MS - 100, "a"), bounded));
    assertEquals(ErrorCode.INVALID_TIMESTAMP, verdict(Batches.at(NOW_MS - 101, "a"), bounded));
    assertEquals(ErrorCode.NONE, verdict(Batches.at(NOW_MS + 50, "a"), bounded));
    assertEquals(ErrorCode.INVALID_TIMESTAMP, verdict(Batches.at(NOW_MS + 51, "a"), bounded));
    assertEquals(
        ErrorCode.INVALID_TIMESTAMP,
        verdict(compressed(CompressionType.GZIP, Batches.at(NOW_MS - 101, "a")), bounded));
  }

  @Test
  void compressedRecordsAreLookedIntoOnlyWhenTheyMustBe() {
    ByteBuffer good = compressed(CompressionType.LZ4, Batches.of("a", "b"));
    assertEquals(ErrorCode.NONE, verdict(good, LogConfigBuilder.defaults()));
    ByteBuffer bad = compressed(CompressionType.LZ4, Batches.of("a", "b"));
    bad.put(RecordBatch.HEADER_BYTES, (byte) 99);
    RecordBatch.updateCrc(bad, 0);
    assertEquals(ErrorCode.NONE, verdict(bad, LogConfigBuilder.defaults()));
    LogConfig strict = new LogConfigBuilder().strictValidation(true).build();
    assertEquals(ErrorCode.NONE, verdict(good, strict));
    assertEquals(ErrorCode.CORRUPT_MESSAGE, verdict(bad, strict));
  }

  @Test
  void compactedTopicsWantKeys() {
    LogConfig compacted = new LogConfigBuilder().compact(true).build();
    assertEquals(ErrorCode.INVALID_RECORD, verdict(Batches.of("a"), compacted));
    assertEquals(
        ErrorCode.INVALID_RECORD,
        verdict(compressed(CompressionType.ZSTD, Batches.of("a")), compacted));
    ByteBuffer keyed =
        new RecordBatchBuilder().add(1, "k".getBytes(UTF_8), "v".getBytes(UTF_8)).build();
    assertEquals(ErrorCode.NONE, verdict(keyed, compacted));
  }

  @Test
  void t23BatchesAreRecompressedWhenTheTopicWantsAnotherCodec() {
    for (CompressionType from : CompressionType.values()) {
      for (CompressionType to : CompressionType.values()) {
        ByteBuffer plain = Batches.of("a", "b");
        ByteBuffer batch = from == CompressionType.NONE ? plain : compressed(from, plain);
        CapturedAppend append = new CapturedAppend(batch, 0, Origin.CLIENT);
        LogAppend prepared =
            validator.prepare(append, new LogConfigBuilder().compression(to).build(), NOW_MS);
        assertNotNull(prepared);
        ByteBuffer out = prepared.records();
        assertEquals(to.id(), RecordBatch.codec(out, 0));
        assertEquals(RecordBatch.crc(out, 0), RecordBatch.computeCrc(out, 0));
        if (to == CompressionType.NONE) {
          assertEquals(List.of("0=a", "1=b"), Batches.show(out));
        } else {
          ByteBuffer unpacked = codecs.decompress(to, Records.payload(out, 0), 1000);
          assertEquals(Records.payload(Batches.of("a", "b"), 0), unpacked);
        }
      }
    }
  }

  @Test
  void t48ARecompressedBatchStaysVerified() {
    CapturedAppend append = CapturedAppend.beginning(Batches.inTransaction(9, 0, 3, "a"), 42, 7);
    LogAppend prepared =
        validator.prepare(
            append, new LogConfigBuilder().compression(CompressionType.GZIP).build(), NOW_MS);
    assertNotNull(prepared);
    assertEquals(CompressionType.GZIP.id(), RecordBatch.codec(prepared.records(), 0));
    assertEquals(42, prepared.verification());
    assertEquals(7, prepared.highestSequence());
  }

  @Test
  void anAppendLargerThanASegmentIsRejected() {
    LogConfig tiny = new LogConfigBuilder().segmentBytes(100).build();
    assertEquals(ErrorCode.RECORD_LIST_TOO_LARGE, verdict(Batches.of("x".repeat(200)), tiny));
    CapturedAppend replica =
        new CapturedAppend(Batches.replica(5, 1, "x".repeat(200)), 1, Origin.REPLICA);
    assertNotNull(validator.prepare(replica, tiny, NOW_MS));
    CapturedAppend nothing = new CapturedAppend(ByteBuffer.allocateDirect(0), 1, Origin.CLIENT);
    assertNull(validator.prepare(nothing, tiny, NOW_MS));
  }

  /// Codecs that keep how much they were allowed, and give what they are told to.
  private static final class MeasuredCodecs implements Codecs {
    private final ByteBuffer records;
    private int allowedBytes;

    MeasuredCodecs(ByteBuffer records) {
      this.records = records;
    }

    @Override
    public ByteBuffer compress(CompressionType type, ByteBuffer from) {
      throw new AssertionError("nothing is to be compressed");
    }

    @Override
    public ByteBuffer decompress(CompressionType type, ByteBuffer compressed, int maxBytes) {
      allowedBytes = maxBytes;
      if (records.remaining() > maxBytes) {
        throw new TakhinException(ErrorCode.MESSAGE_TOO_LARGE, "more than " + maxBytes);
      }
      return records.duplicate();
    }

    @Override
    public void close() {}
  }

  private static ErrorCode lookedInto(MeasuredCodecs codecs, int payloadBytes) {
    ByteBuffer batch = ByteBuffer.allocateDirect(RecordBatch.HEADER_BYTES + payloadBytes);
    batch.put(0, Batches.of("a", "b"), 0, RecordBatch.HEADER_BYTES);
    batch.putInt(8, batch.limit() - RecordBatch.LOG_OVERHEAD);
    batch.putShort(21, (short) CompressionType.ZSTD.id());
    RecordBatch.updateCrc(batch, 0);
    LogConfig config =
        new LogConfigBuilder().strictValidation(true).maxMessageBytes(8 << 20).build();
    CapturedAppend append = new CapturedAppend(batch, 0, Origin.CLIENT);
    return new BatchValidator(() -> codecs).prepare(append, config, NOW_MS) != null
        ? ErrorCode.NONE
        : assertInstanceOf(Rejected.class, append.await()).code();
  }

  @Test
  void b7ALookIntoABatchIsBoundedByItsSize() {
    MeasuredCodecs codecs = new MeasuredCodecs(Records.payload(Batches.of("a", "b"), 0));
    for (int[] sizes :
        new int[][] {
          {1, 16 << 20},
          {256 << 10, 16 << 20},
          {(256 << 10) + 1, 64 * ((256 << 10) + 1)},
          {1 << 20, 64 << 20},
          {4 << 20, 256 << 20},
          {5 << 20, 256 << 20}
        }) {
      assertEquals(ErrorCode.NONE, lookedInto(codecs, sizes[0]));
      assertEquals(sizes[1], codecs.allowedBytes, sizes[0] + " bytes");
    }
    MeasuredCodecs bomb = new MeasuredCodecs(ByteBuffer.allocateDirect((16 << 20) + 1));
    assertEquals(ErrorCode.MESSAGE_TOO_LARGE, lookedInto(bomb, 1000));
  }
}
