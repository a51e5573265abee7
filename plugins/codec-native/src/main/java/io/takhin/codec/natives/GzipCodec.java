package io.takhin.codec.natives;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/// gzip, RFC 1952, over the JDK's zlib. A stream of several members is read as their sum.
///
/// ```
/// 1f 8b | 08 | flags | mtime (4) | xfl | os | [extra] [name] [comment] [crc16]
/// deflate stream | crc32 (4) | size (4)
/// ```
final class GzipCodec implements Codec {
  private static final int MAGIC = 0x8b1f;
  private static final int DEFLATE = 8;
  private static final int HEADER_BYTES = 10;
  private static final int TRAILER_BYTES = 8;
  private static final int FLAG_CRC16 = 0x02;
  private static final int FLAG_EXTRA = 0x04;
  private static final int FLAG_NAME = 0x08;
  private static final int FLAG_COMMENT = 0x10;
  private static final int FLAGS_RESERVED = 0xe0;
  private static final byte OS_UNKNOWN = (byte) 0xff;

  private final ContextPool<Inflater> inflaters =
      new ContextPool<>(() -> new Inflater(true), Inflater::end);
  private final ContextPool<Deflater> deflaters =
      new ContextPool<>(() -> new Deflater(Deflater.DEFAULT_COMPRESSION, true), Deflater::end);

  @Override
  public ByteBuffer compress(ByteBuffer in) {
    CRC32 crc = new CRC32();
    crc.update(in.duplicate());
    int size = in.remaining();
    Output out = new Output(size / 2 + HEADER_BYTES + TRAILER_BYTES, Integer.MAX_VALUE);
    out.room()
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) MAGIC)
        .put((byte) DEFLATE)
        .putInt(0)
        .putShort((short) 0)
        .put(OS_UNKNOWN);
    out.added(HEADER_BYTES);
    Deflater deflater = deflaters.take();
    boolean sound = false;
    try {
      deflater.setInput(in);
      deflater.finish();
      while (!deflater.finished()) {
        out.added(deflater.deflate(out.room()));
      }
      deflater.reset();
      sound = true;
    } finally {
      giveOrDiscard(deflaters, deflater, sound);
    }
    out.ensure(TRAILER_BYTES);
    out.room().order(ByteOrder.LITTLE_ENDIAN).putInt((int) crc.getValue()).putInt(size);
    out.added(TRAILER_BYTES);
    return out.done();
  }

  @Override
  public ByteBuffer decompress(ByteBuffer compressed, int maxBytes, byte[] scratch)
      throws DataFormatException {
    ByteBuffer in = compressed.order(ByteOrder.LITTLE_ENDIAN);
    Output out =
        new Output((int) Math.min(3L * in.remaining(), Integer.MAX_VALUE), maxBytes, scratch);
    Inflater inflater = inflaters.take();
    boolean sound = false;
    try {
      do {
        readHeader(in);
        readMember(inflater, in, out);
        inflater.reset();
      } while (in.hasRemaining());
      sound = true;
    } finally {
      giveOrDiscard(inflaters, inflater, sound);
    }
    return out.done();
  }

  private static void readMember(Inflater inflater, ByteBuffer in, Output out)
      throws DataFormatException {
    CRC32 crc = new CRC32();
    int from = out.length();
    inflater.setInput(in);
    while (!inflater.finished()) {
      int at = out.length();
      int count = inflater.inflate(out.room());
      if (count == 0 && !inflater.finished()) {
        throw corrupt("gzip data ends early or wants a dictionary");
      }
      out.added(count);
      crc.update(out.bytes(), at, count);
    }
    if (in.getInt() != (int) crc.getValue() || in.getInt() != out.length() - from) {
      throw corrupt("gzip checksum or size does not match");
    }
  }

  private static void readHeader(ByteBuffer in) {
    int start = in.position();
    if ((in.getShort() & 0xffff) != MAGIC || in.get() != DEFLATE) {
      throw corrupt("no gzip header");
    }
    int flags = in.get();
    in.position(in.position() + 6);
    if ((flags & FLAGS_RESERVED) != 0) {
      throw corrupt("gzip header has reserved flags");
    }
    if ((flags & FLAG_EXTRA) != 0) {
      int extra = in.getShort() & 0xffff;
      if (extra > in.remaining()) {
        throw corrupt("gzip header ends early");
      }
      in.position(in.position() + extra);
    }
    if ((flags & FLAG_NAME) != 0) {
      skipText(in);
    }
    if ((flags & FLAG_COMMENT) != 0) {
      skipText(in);
    }
    if ((flags & FLAG_CRC16) != 0) {
      CRC32 crc = new CRC32();
      crc.update(in.slice(start, in.position() - start));
      if ((in.getShort() & 0xffff) != (crc.getValue() & 0xffff)) {
        throw corrupt("gzip header checksum does not match");
      }
    }
  }

  private static void skipText(ByteBuffer in) {
    byte b;
    do {
      b = in.get();
    } while (b != 0);
  }

  @Override
  public void close() {
    inflaters.close();
    deflaters.close();
  }

  private static <T> void giveOrDiscard(ContextPool<T> pool, T context, boolean sound) {
    if (sound) {
      pool.give(context);
    } else {
      pool.discard(context);
    }
  }

  private static TakhinException corrupt(String what) {
    return new TakhinException(ErrorCode.CORRUPT_MESSAGE, what);
  }
}
