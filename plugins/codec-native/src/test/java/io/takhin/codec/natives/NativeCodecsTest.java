package io.takhin.codec.natives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import io.takhin.testkit.codec.CodecsContract;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4FrameInputStream;
import net.jpountz.lz4.LZ4FrameOutputStream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.junit.jupiter.api.Test;
import org.xerial.snappy.Snappy;
import org.xerial.snappy.SnappyOutputStream;

class NativeCodecsTest extends CodecsContract {
  private static final EnumSet<CompressionType> REAL =
      EnumSet.complementOf(EnumSet.of(CompressionType.NONE));

  @Override
  protected Codecs create() {
    return new NativeCodecs();
  }

  @Override
  protected int randomInputs() {
    return Integer.getInteger("takhin.codec.inputs", 3000);
  }

  @Test
  void kafkaReadsWhatWeWrite() throws IOException {
    for (CompressionType type : REAL) {
      for (int size : new int[] {1, 100, 65_536, 65_537, 400_000}) {
        for (byte[] data : new byte[][] {text(size), noise(size)}) {
          ByteBuffer ours = codecs().compress(type, ByteBuffer.wrap(data));
          try (InputStream in =
              Compression.of(type.configName())
                  .build()
                  .wrapForInput(ours, RecordBatch.MAGIC_VALUE_V2, BufferSupplier.NO_CACHING)) {
            assertArrayEquals(data, in.readAllBytes(), type + " of " + size);
          }
        }
      }
    }
  }

  @Test
  void weReadWhatKafkaWrites() throws IOException {
    for (CompressionType type : REAL) {
      for (int size : new int[] {1, 100, 65_536, 65_537, 400_000}) {
        for (byte[] data : new byte[][] {text(size), noise(size)}) {
          ByteBufferOutputStream out = new ByteBufferOutputStream(512);
          try (OutputStream kafka =
              Compression.of(type.configName())
                  .build()
                  .wrapForOutput(out, RecordBatch.MAGIC_VALUE_V2)) {
            kafka.write(data);
          }
          ByteBuffer theirs = out.buffer().flip();
          assertArrayEquals(
              data, bytes(codecs().decompress(type, theirs, size)), type + " " + size);
        }
      }
    }
  }

  @Test
  void snappyIsAlsoTakenAsOneRawBlock() throws IOException {
    byte[] data = text(90_000);
    assertArrayEquals(data, decompress(CompressionType.SNAPPY, Snappy.compress(data)));
  }

  @Test
  void snappyStreamsMayBeJoined() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < 2; i++) {
      try (SnappyOutputStream snappy = new SnappyOutputStream(out)) {
        snappy.write(text(50_000));
      }
    }
    assertEquals(100_000, decompress(CompressionType.SNAPPY, out.toByteArray()).length);
  }

  @Test
  void gzipMembersMayBeJoinedAndHaveNames() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(text(1000));
    }
    byte[] member = out.toByteArray();
    ByteBuffer named = ByteBuffer.allocate(2 * member.length + 20);
    named.put(member).put(member, 0, 3).put((byte) 0x1c).put(member, 4, 6);
    named
        .putShort((short) 0x0300)
        .put(new byte[] {1, 2, 3})
        .put("name\0remark\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    named.put(member, 10, member.length - 10).flip();
    assertEquals(
        2000, codecs().decompress(CompressionType.GZIP, named.slice(), 100_000).remaining());
    byte[] trailing = java.util.Arrays.copyOf(member, member.length + 1);
    assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.GZIP, trailing, 100_000);
  }

  @Test
  void gzipChecksumAndSizeAreVerified() {
    byte[] valid = compress(CompressionType.GZIP, text(1000));
    for (int back = 1; back <= 8; back++) {
      byte[] bad = valid.clone();
      bad[bad.length - back] ^= 1;
      assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.GZIP, bad, 100_000);
    }
  }

  @Test
  void lz4FramesOfEveryShapeAreRead() throws IOException {
    byte[] data = text(700_000);
    for (var size : LZ4FrameOutputStream.BLOCKSIZE.values()) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (LZ4FrameOutputStream lz4 =
          new LZ4FrameOutputStream(
              out,
              size,
              data.length,
              LZ4FrameOutputStream.FLG.Bits.BLOCK_INDEPENDENCE,
              LZ4FrameOutputStream.FLG.Bits.BLOCK_CHECKSUM,
              LZ4FrameOutputStream.FLG.Bits.CONTENT_CHECKSUM,
              LZ4FrameOutputStream.FLG.Bits.CONTENT_SIZE)) {
        lz4.write(data);
      }
      byte[] frame = out.toByteArray();
      assertArrayEquals(data, decompress(CompressionType.LZ4, frame));
      for (int at : new int[] {6, 14, 20, frame.length / 2, frame.length - 6, frame.length - 1}) {
        byte[] bad = frame.clone();
        bad[at] ^= 0x10;
        assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.LZ4, bad, 1_000_000);
      }
    }
  }

  @Test
  void lz4OfTheLibraryReadsOurs() throws IOException {
    byte[] data = text(200_000);
    byte[] ours = compress(CompressionType.LZ4, data);
    try (InputStream in = new LZ4FrameInputStream(new java.io.ByteArrayInputStream(ours))) {
      assertArrayEquals(data, in.readAllBytes());
    }
  }

  @Test
  void lz4DependentBlocksAndDictionariesAreRefused() {
    byte[] valid = compress(CompressionType.LZ4, text(1000));
    for (int flags : new int[] {0x40, 0x61, 0x62, 0x20, 0xa0}) {
      byte[] bad = valid.clone();
      bad[4] = (byte) flags;
      assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.LZ4, bad, 100_000);
    }
  }

  @Test
  void lz4UsesTheNativeLibrary() {
    assertTrue(LZ4Factory.nativeInstance().toString().contains("JNI"));
    assertTrue(LZ4Factory.fastestInstance().toString().contains("JNI"));
  }

  @Test
  void snappyChunksThatClaimMuchAllocateNothing() {
    for (int claimed : new int[] {Integer.MAX_VALUE, Integer.MIN_VALUE, -1, 0, 1 << 30}) {
      ByteBuffer in = ByteBuffer.allocate(64);
      in.putLong(0x82534e4150505900L).putInt(1).putInt(1).putInt(claimed);
      assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.SNAPPY, in.array(), Integer.MAX_VALUE);
    }
    // A block of 6 bytes that claims 2^31 - 1 and then 2^35 - 1 bytes.
    for (int top : new int[] {0x07, 0x7f}) {
      byte[] raw = {-1, -1, -1, -1, (byte) top, 0};
      assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.SNAPPY, raw, Integer.MAX_VALUE);
    }
  }

  @Test
  void zstdFramesThatClaimMuchAllocateNothing() {
    // Single segment, content size of 8 bytes: 2^40; then a window of 2^31 by its descriptor.
    ByteBuffer size = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    size.putInt(0xfd2fb528).put((byte) 0xe0).putLong(1L << 40);
    assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.ZSTD, size.array(), Integer.MAX_VALUE);
    ByteBuffer window = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    window.putInt(0xfd2fb528).put((byte) 0).put((byte) (21 << 3));
    assertCode(ErrorCode.CORRUPT_MESSAGE, CompressionType.ZSTD, window.array(), Integer.MAX_VALUE);
  }

  @Test
  void zstdOfEveryLevelIsReadWithItsWindow() {
    byte[] data = text(300_000);
    for (int level : new int[] {-7, 1, 3, 19, 22}) {
      assertArrayEquals(data, decompress(CompressionType.ZSTD, Zstd.compress(data, level)));
    }
  }

  @Test
  void zstdBombsStopAtTheBound() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream zstd = new com.github.luben.zstd.ZstdOutputStreamNoFinalizer(out)) {
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 1024; i++) {
        zstd.write(zeros);
      }
    }
    long before = System.nanoTime();
    assertCode(
        ErrorCode.MESSAGE_TOO_LARGE, CompressionType.ZSTD, out.toByteArray(), 10 * (1 << 20));
    assertTrue(System.nanoTime() - before < 2_000_000_000L);
  }

  @Test
  void theyWorkOnAfterCloseWithoutKeepingAnything() {
    Codecs closed = new NativeCodecs();
    closed.start();
    closed.close();
    ByteBuffer data = ByteBuffer.wrap(text(1000));
    for (CompressionType type : CompressionType.values()) {
      assertEquals(data, closed.decompress(type, closed.compress(type, data), 1000));
    }
  }

  private void assertCode(ErrorCode code, CompressionType type, byte[] data, int maxBytes) {
    TakhinException e =
        assertThrows(
            TakhinException.class,
            () -> codecs().decompress(type, ByteBuffer.wrap(data), maxBytes));
    assertEquals(code, e.code(), e.toString());
  }

  private byte[] compress(CompressionType type, byte[] data) {
    return bytes(codecs().compress(type, ByteBuffer.wrap(data)));
  }

  private byte[] decompress(CompressionType type, byte[] data) {
    return bytes(codecs().decompress(type, ByteBuffer.wrap(data), 10_000_000));
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(buffer.position(), bytes);
    return bytes;
  }

  private static byte[] text(int size) {
    byte[] data = new byte[size];
    for (int i = 0; i < size; i++) {
      data[i] = (byte) ("sensor ".charAt(i % 7) + (i % 1000 == 0 ? i / 1000 : 0));
    }
    return data;
  }

  private static byte[] noise(int size) {
    byte[] data = new byte[size];
    new Random(size).nextBytes(data);
    return data;
  }
}
