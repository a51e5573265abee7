package io.takhin.codec.natives;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xerial.snappy.Snappy;

/// Snappy in the framing of the Java library, which Kafka's clients write, or one raw block, which
/// some others do.
///
/// ```
/// 82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | version (4) | compatible (4) | chunks ...
/// chunk: size (4) | snappy block: uncompressed size (varint) | elements ...
/// ```
///
/// All numbers are big-endian. A header may come again between chunks, where streams were joined.
final class SnappyCodec implements Codec {
  private static final long MAGIC = 0x82534e4150505900L;
  private static final int MAGIC_BEGIN = (int) (MAGIC >>> 32);
  private static final int VERSION = 1;
  private static final int HEADER_BYTES = 16;
  private static final int CHUNK_BYTES = 1 << 15;

  /// An element of 3 bytes copies at most 64, one of 2 bytes at most 11: no block grows more.
  private static final int MOST_GROWTH = 22;

  SnappyCodec() {
    Snappy.getNativeLibraryVersion();
  }

  @Override
  public ByteBuffer compress(ByteBuffer in) throws IOException {
    long chunks = (in.remaining() + CHUNK_BYTES - 1L) / CHUNK_BYTES;
    long most = Snappy.maxCompressedLength(CHUNK_BYTES);
    Output out =
        new Output(
            (int) Math.min(HEADER_BYTES + chunks * (4 + most), in.remaining() + 4L + 2 * most),
            Integer.MAX_VALUE);
    out.ensure(HEADER_BYTES);
    out.room().putLong(MAGIC).putInt(VERSION).putInt(VERSION);
    out.added(HEADER_BYTES);
    byte[] chunk = new byte[Math.min(CHUNK_BYTES, in.remaining())];
    while (in.hasRemaining()) {
      int length = Math.min(CHUNK_BYTES, in.remaining());
      in.get(chunk, 0, length);
      out.ensure(4 + (int) most);
      int size = Snappy.compress(chunk, 0, length, out.bytes(), out.length() + 4);
      out.room().putInt(size);
      out.added(4 + size);
    }
    return out.done();
  }

  @Override
  public ByteBuffer decompress(ByteBuffer compressed, int maxBytes, byte[] scratch)
      throws IOException {
    ByteBuffer in = onHeap(compressed).order(ByteOrder.BIG_ENDIAN);
    Output out =
        new Output((int) Math.min(2L * in.remaining(), Integer.MAX_VALUE), maxBytes, scratch);
    if (in.remaining() < HEADER_BYTES || in.getLong(in.position()) != MAGIC) {
      readBlock(in, in.remaining(), out);
      return out.done();
    }
    readHeader(in);
    while (in.hasRemaining()) {
      int length = in.getInt();
      if (length == MAGIC_BEGIN) {
        in.position(in.position() - 4);
        readHeader(in);
      } else {
        readBlock(in, length, out);
      }
    }
    return out.done();
  }

  private static void readHeader(ByteBuffer in) {
    if (in.getLong() != MAGIC) {
      throw corrupt("no snappy header where one begins");
    }
    in.getInt();
    if (in.getInt() < VERSION) {
      throw corrupt("a snappy stream of an unknown version");
    }
  }

  private static void readBlock(ByteBuffer in, int length, Output out) throws IOException {
    if (length <= 0 || length > in.remaining()) {
      throw corrupt("a snappy chunk is empty or ends early");
    }
    int from = in.position();
    in.position(from + length);
    long size = uncompressedBytes(in, from, length);
    if (size > (long) length * MOST_GROWTH) {
      throw corrupt("a snappy chunk claims more than it can hold");
    }
    if (size > out.allowed()) {
      throw out.tooLarge();
    }
    out.ensure((int) size);
    int at = in.arrayOffset() + from;
    out.added(Snappy.uncompress(in.array(), at, length, out.bytes(), out.length()));
  }

  /// The varint that a block begins with.
  private static long uncompressedBytes(ByteBuffer in, int from, int length) {
    long size = 0;
    for (int i = 0; i < Math.min(5, length); i++) {
      byte b = in.get(from + i);
      size |= (long) (b & 0x7f) << (7 * i);
      if (b >= 0) {
        return size;
      }
    }
    throw corrupt("a snappy chunk without a length");
  }

  /// The library takes arrays on both sides or none; what is returned is an array.
  private static ByteBuffer onHeap(ByteBuffer in) {
    return in.hasArray() ? in : ByteBuffer.allocate(in.remaining()).put(in).flip();
  }

  private static TakhinException corrupt(String what) {
    return new TakhinException(ErrorCode.CORRUPT_MESSAGE, what);
  }
}
