package io.takhin.storage.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.codec.CompressionType;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.record.Records;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.PartitionLog;
import io.takhin.testkit.storage.CapturedAppend;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// B6: batches that are wrong in one place. Each is refused with a code that its sender
/// understands, and nothing of it is stored.
class HostileBatchesTest {
  private static final Set<ErrorCode> UNDERSTOOD =
      EnumSet.of(
          ErrorCode.INVALID_RECORD,
          ErrorCode.CORRUPT_MESSAGE,
          ErrorCode.INVALID_TIMESTAMP,
          ErrorCode.MESSAGE_TOO_LARGE,
          ErrorCode.RECORD_LIST_TOO_LARGE,
          ErrorCode.INVALID_PRODUCER_EPOCH,
          ErrorCode.INVALID_TXN_STATE,
          ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);

  private record Shape(String what, ByteBuffer batch) {}

  @TempDir Path directory;

  private final List<Shape> shapes = new ArrayList<>();

  private static ByteBuffer good(int records) {
    RecordBatchBuilder builder = new RecordBatchBuilder();
    for (int i = 0; i < records; i++) {
      builder.add(1000 + i, ("k" + i).getBytes(UTF_8), ("value-" + i).getBytes(UTF_8));
    }
    return builder.build();
  }

  private static ByteBuffer compressed(CompressionType type, ByteBuffer batch) {
    ByteBuffer packed = new FakeCodecs().compress(type, Records.payload(batch, 0));
    ByteBuffer made = ByteBuffer.allocateDirect(RecordBatch.HEADER_BYTES + packed.remaining());
    made.put(0, batch, 0, RecordBatch.HEADER_BYTES);
    made.put(RecordBatch.HEADER_BYTES, packed, 0, packed.remaining());
    made.putInt(8, made.limit() - RecordBatch.LOG_OVERHEAD);
    made.putShort(21, (short) (RecordBatch.attributes(batch, 0) | type.id()));
    RecordBatch.updateCrc(made, 0);
    return made;
  }

  private static ByteBuffer copy(ByteBuffer from) {
    ByteBuffer copy = ByteBuffer.allocateDirect(from.limit());
    return copy.put(0, from, 0, from.limit());
  }

  private interface Change {
    void to(ByteBuffer batch);
  }

  private void shape(String what, ByteBuffer base, boolean sealed, Change change) {
    ByteBuffer batch = copy(base);
    change.to(batch);
    if (sealed) {
      RecordBatch.updateCrc(batch, 0);
    }
    shapes.add(new Shape(what, batch));
  }

  private void headers(String name, ByteBuffer base) {
    for (long offset : new long[] {-1, 1, 5, Long.MIN_VALUE, Long.MAX_VALUE}) {
      shape(name + " base offset " + offset, base, false, b -> b.putLong(0, offset));
    }
    int size = base.getInt(8);
    for (int length :
        new int[] {
          Integer.MIN_VALUE, -1, 0, 1, 48, 49, size - 1, size + 1, 1 << 30, Integer.MAX_VALUE
        }) {
      shape(name + " length " + length, base, false, b -> b.putInt(8, length));
    }
    for (int magic : new int[] {-128, -1, 0, 1, 3, 4, 127}) {
      shape(name + " magic " + magic, base, true, b -> b.put(16, (byte) magic));
    }
    for (int bit = 0; bit < 32; bit++) {
      int flip = 1 << bit;
      shape(name + " checksum bit " + bit, base, false, b -> b.putInt(17, b.getInt(17) ^ flip));
    }
    int attributes = base.getShort(21) & 0x7;
    for (int set : new int[] {5, 6, 7, 0x08, 0x10, 0x20, 0x30, 0x40, 0x80, 0x100, 0x4000, 0x8000}) {
      int value = set < 8 ? set : set | attributes;
      shape(name + " attributes " + set, base, true, b -> b.putShort(21, (short) value));
    }
    int last = base.getInt(23);
    for (int delta : new int[] {Integer.MIN_VALUE, -1, last - 1, last + 1, Integer.MAX_VALUE}) {
      shape(name + " last offset delta " + delta, base, true, b -> b.putInt(23, delta));
    }
    for (int count :
        new int[] {Integer.MIN_VALUE, -1, 0, last, last + 2, 1_000_000, Integer.MAX_VALUE}) {
      shape(name + " count " + count, base, true, b -> b.putInt(57, count));
    }
    for (long[] producer :
        new long[][] {
          {7, -2, 0}, {7, 0, -1}, {7, -1, -1}, {-2, 0, 0}, {Long.MIN_VALUE, 0, 0}, {7, -5, 3}
        }) {
      shape(
          name + " producer " + producer[0] + " " + producer[1] + " " + producer[2],
          base,
          true,
          b ->
              b.putLong(43, producer[0])
                  .putShort(51, (short) producer[1])
                  .putInt(53, (int) producer[2]));
    }
    for (int more : new int[] {1, 5, 61}) {
      ByteBuffer longer = ByteBuffer.allocateDirect(base.limit() + more);
      longer.put(0, base, 0, base.limit());
      shapes.add(new Shape(name + " and " + more + " bytes", longer));
    }
    for (int cut = 1; cut < base.limit(); cut += Math.max(1, base.limit() / 30)) {
      ByteBuffer shorter = ByteBuffer.allocateDirect(base.limit() - cut);
      shorter.put(0, base, 0, shorter.limit());
      shapes.add(new Shape(name + " cut by " + cut, shorter));
    }
    ByteBuffer twice = ByteBuffer.allocateDirect(2 * base.limit());
    twice.put(0, base, 0, base.limit()).put(base.limit(), base, 0, base.limit());
    shapes.add(new Shape(name + " twice", twice));
  }

  /// A record out of parts: everything that a number in it can claim.
  private static byte[] record(
      int length, long timestampDelta, long offsetDelta, int key, int value, int headers) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.write(0);
    varlong(body, timestampDelta);
    varlong(body, offsetDelta);
    varlong(body, key);
    body.writeBytes(new byte[key == 1 ? 1 : 0]);
    varlong(body, value);
    body.writeBytes(new byte[value == 1 ? 1 : 0]);
    varlong(body, headers);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    varlong(out, length == 0 ? body.size() : length);
    out.writeBytes(body.toByteArray());
    return out.toByteArray();
  }

  private static void varlong(ByteArrayOutputStream out, long value) {
    long rest = (value << 1) ^ (value >> 63);
    while ((rest & ~0x7fL) != 0) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  private void payload(String what, byte[] records, int count) {
    ByteBuffer header = good(1);
    ByteBuffer batch = ByteBuffer.allocateDirect(RecordBatch.HEADER_BYTES + records.length);
    batch.put(0, header, 0, RecordBatch.HEADER_BYTES);
    batch.put(RecordBatch.HEADER_BYTES, records);
    batch.putInt(8, batch.limit() - RecordBatch.LOG_OVERHEAD);
    batch.putInt(23, count - 1).putInt(57, count);
    RecordBatch.updateCrc(batch, 0);
    shapes.add(new Shape(what, batch));
    shapes.add(new Shape(what + ", compressed", compressed(CompressionType.GZIP, batch)));
  }

  private void records() {
    int[] edges = {
      Integer.MIN_VALUE, -100, -2, 2, 50, 1_000, 1 << 20, Integer.MAX_VALUE - 1, Integer.MAX_VALUE
    };
    for (int edge : edges) {
      payload("record length " + edge, record(edge, 0, 0, 1, 1, 0), 1);
      payload("key length " + edge, record(0, 0, 0, edge, 1, 0), 1);
      payload("value length " + edge, record(0, 0, 0, 1, edge, 0), 1);
      payload("headers " + edge, record(0, 0, 0, 1, 1, edge), 1);
      payload("offset delta " + edge, record(0, 0, edge, 1, 1, 0), 1);
    }
    payload("headers -1", record(0, 0, 0, 1, 1, -1), 1);
    payload("record length -1", record(-1, 0, 0, 1, 1, 0), 1);
    payload("offset delta -1", record(0, 0, -1, 1, 1, 0), 1);
    for (int end = 0; end < 9; end++) {
      payload("ends early " + end, java.util.Arrays.copyOf(record(0, 0, 0, 1, 1, 0), end), 1);
    }
    byte[] endless = new byte[40];
    java.util.Arrays.fill(endless, (byte) -1);
    payload("a varint without end", endless, 1);
    byte[] one = record(0, 0, 0, 1, 1, 0);
    byte[] both = java.util.Arrays.copyOf(one, 2 * one.length);
    System.arraycopy(one, 0, both, one.length, one.length);
    payload("an offset twice", both, 2);
    payload("a record more than counted", both, 1);
    payload("a record less than counted", one, 2);
  }

  @Test
  void b6NothingOfAWrongBatchIsStored() {
    headers("plain", good(3));
    for (CompressionType type : EnumSet.complementOf(EnumSet.of(CompressionType.NONE))) {
      headers(type.configName(), compressed(type, good(3)));
    }
    records();
    assertTrue(shapes.size() >= 600, shapes.size() + " shapes");
    List<String> wrong = new ArrayList<>();
    try (Fixture fixture = new Fixture(directory, new FileDisk())) {
      LocalLogStorage storage = fixture.start();
      TopicPartition partition = new TopicPartition(new UUID(1, 2), "hostile", 0);
      PartitionLog log =
          storage.open(
              partition,
              new LogConfigBuilder().strictValidation(true).build(),
              new CapturedProgress());
      for (Shape shape : shapes) {
        AppendResult result = CapturedAppend.append(log, shape.batch());
        if (!(result instanceof Rejected refused) || !UNDERSTOOD.contains(refused.code())) {
          wrong.add(shape.what() + ": " + result);
        }
      }
      assertEquals(List.of(), wrong, wrong.size() + " of " + shapes.size());
      assertEquals(0, log.logEndOffset());
      CapturedAppend.appended(log, good(3));
      assertEquals(3, log.logEndOffset());
      storage.close();
    }
  }
}
