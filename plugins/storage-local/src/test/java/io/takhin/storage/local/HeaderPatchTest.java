package io.takhin.storage.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.record.RecordBatch;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HeaderPatchTest {
  private static final int AT = 5;

  private final Random random = new Random(1);

  private ByteBuffer batch(int size) {
    byte[] bytes = new byte[AT + size + 3];
    random.nextBytes(bytes);
    ByteBuffer batch = ByteBuffer.wrap(bytes);
    batch.putInt(AT + 8, size - RecordBatch.LOG_OVERHEAD);
    RecordBatch.updateCrc(batch, AT);
    return batch;
  }

  @Test
  void aStampedBatchHasTheChecksumOfItsBytes() {
    for (int size = RecordBatch.HEADER_BYTES; size < 700; size++) {
      ByteBuffer batch = batch(size);
      HeaderPatch.stampLogAppendTime(batch, AT, random.nextLong());
      assertEquals(RecordBatch.computeCrc(batch, AT), RecordBatch.crc(batch, AT), "size " + size);
      assertTrue(RecordBatch.logAppendTime(batch, AT));
    }
  }

  @Test
  void batchesOfAllMagnitudesAreMended() {
    for (int bits = 7; bits < 25; bits++) {
      ByteBuffer batch = batch((1 << bits) + random.nextInt(1 << bits));
      long timestamp = random.nextLong();
      HeaderPatch.maxTimestamp(batch, AT, timestamp);
      assertEquals(timestamp, RecordBatch.maxTimestamp(batch, AT));
      assertEquals(RecordBatch.computeCrc(batch, AT), RecordBatch.crc(batch, AT));
    }
  }

  @Test
  void theSameTimestampChangesNothing() {
    ByteBuffer batch = batch(1000);
    int crc = RecordBatch.crc(batch, AT);
    HeaderPatch.maxTimestamp(batch, AT, RecordBatch.maxTimestamp(batch, AT));
    assertEquals(crc, RecordBatch.crc(batch, AT));
  }

  @Test
  void aDamagedBatchStaysDamaged() {
    ByteBuffer batch = batch(1000);
    batch.put(AT + 900, (byte) (batch.get(AT + 900) + 1));
    int wrongBy = RecordBatch.computeCrc(batch, AT) ^ RecordBatch.crc(batch, AT);
    HeaderPatch.stampLogAppendTime(batch, AT, 12345);
    assertEquals(wrongBy, RecordBatch.computeCrc(batch, AT) ^ RecordBatch.crc(batch, AT));
  }
}
