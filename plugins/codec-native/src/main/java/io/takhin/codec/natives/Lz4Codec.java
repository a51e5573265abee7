package io.takhin.codec.natives;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;
import net.jpountz.xxhash.XXHash32;
import net.jpountz.xxhash.XXHashFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The LZ4 frame format, version 1, as Kafka uses it: independent blocks of 64 KiB.
///
/// ```
/// 04 22 4d 18 | FLG | BD | [content size (8)] | HC | blocks ... | 0 (4) | [content xxh32 (4)]
/// block: size (4), its top bit: stored as is | bytes | [xxh32 (4)]
/// FLG: version 01 (2 bits) | independent blocks | block sums | content size | content sum
///      | 0 | dictionary
/// BD:  0 | largest block: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB | 0000
/// ```
///
/// Blocks that depend on each other and dictionaries are refused, as Kafka refuses them. All
/// checksums that are there are verified.
final class Lz4Codec implements Codec {
  private static final Logger log = LoggerFactory.getLogger(Lz4Codec.class);

  private static final int MAGIC = 0x184d2204;
  private static final int FLAG_VERSION = 0x40;
  private static final int FLAG_VERSION_MASK = 0xc0;
  private static final int FLAG_INDEPENDENT = 0x20;
  private static final int FLAG_BLOCK_SUM = 0x10;
  private static final int FLAG_CONTENT_SIZE = 0x08;
  private static final int FLAG_CONTENT_SUM = 0x04;
  private static final int FLAGS_REFUSED = 0x03;
  private static final int STORED = 0x80000000;
  private static final int BLOCK_64_KIB = 4;
  private static final int BLOCK_BYTES = 1 << 16;

  /// No byte of a block makes more than 255 bytes.
  private static final int MOST_GROWTH = 255;

  private final LZ4Compressor compressor;
  private final LZ4SafeDecompressor decompressor;
  private final XXHash32 hash = XXHashFactory.safeInstance().hash32();

  Lz4Codec() {
    LZ4Factory factory = factory();
    compressor = factory.fastCompressor();
    decompressor = factory.safeDecompressor();
  }

  /// The native library if it loads: asked for by name, since in a module layer the library's own
  /// choice of the fastest one never is the native one.
  private static LZ4Factory factory() {
    try {
      return LZ4Factory.nativeInstance();
    } catch (LinkageError | AssertionError | RuntimeException e) {
      log.warn("lz4 runs in Java, at about half the speed: its native library does not load", e);
      return LZ4Factory.safeInstance();
    }
  }

  @Override
  public ByteBuffer compress(ByteBuffer in) {
    long blocks = (in.remaining() + BLOCK_BYTES - 1L) / BLOCK_BYTES;
    long bound = 15L + in.remaining() + 4 * blocks + compressor.maxCompressedLength(BLOCK_BYTES);
    if (bound > Integer.MAX_VALUE - 8) {
      throw new TakhinException(
          ErrorCode.MESSAGE_TOO_LARGE, in.remaining() + " bytes are too many for one batch");
    }
    ByteBuffer out = ByteBuffer.allocate((int) bound).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(MAGIC).put((byte) (FLAG_VERSION | FLAG_INDEPENDENT)).put((byte) (BLOCK_64_KIB << 4));
    out.put((byte) (hash.hash(out, 4, 2, 0) >>> 8));
    while (in.hasRemaining()) {
      int length = Math.min(BLOCK_BYTES, in.remaining());
      int at = out.position() + 4;
      int size = compressor.compress(in, in.position(), length, out, at, out.capacity() - at);
      if (size < length) {
        out.putInt(size).position(at + size);
      } else {
        out.putInt(length | STORED).put(at, in, in.position(), length).position(at + length);
      }
      in.position(in.position() + length);
    }
    return out.putInt(0).flip().slice().order(ByteOrder.BIG_ENDIAN);
  }

  @Override
  public ByteBuffer decompress(ByteBuffer compressed, int maxBytes, byte[] scratch) {
    ByteBuffer in = compressed.order(ByteOrder.LITTLE_ENDIAN);
    int start = in.position();
    if (in.getInt() != MAGIC) {
      throw corrupt("no lz4 frame");
    }
    int flags = in.get();
    int blockBits = in.get();
    if ((flags & FLAG_VERSION_MASK) != FLAG_VERSION || (flags & FLAGS_REFUSED) != 0) {
      throw corrupt("an lz4 frame of another version, or with a dictionary");
    }
    if ((flags & FLAG_INDEPENDENT) == 0) {
      throw corrupt("lz4 blocks that depend on each other are not supported, as in Kafka");
    }
    int blockCode = blockBits >>> 4;
    if (blockCode < BLOCK_64_KIB || blockCode > 7 || (blockBits & 0x0f) != 0) {
      throw corrupt("an lz4 frame with an unknown block size");
    }
    int largestBlock = 1 << (2 * blockCode + 8);
    long contentSize = (flags & FLAG_CONTENT_SIZE) != 0 ? in.getLong() : -1;
    int summed = in.position() - start - 4;
    if (in.get() != (byte) (hash.hash(in, start + 4, summed, 0) >>> 8)) {
      throw corrupt("the header checksum of an lz4 frame does not match");
    }
    Output out =
        new Output((int) Math.min(3L * in.remaining(), Integer.MAX_VALUE), maxBytes, scratch);
    readBlocks(in, out, largestBlock, (flags & FLAG_BLOCK_SUM) != 0);
    ByteBuffer done = out.done();
    if ((flags & FLAG_CONTENT_SUM) != 0
        && in.getInt() != hash.hash(done.array(), done.arrayOffset(), done.remaining(), 0)) {
      throw corrupt("the content checksum of an lz4 frame does not match");
    }
    if (contentSize != -1 && contentSize != done.remaining()) {
      throw corrupt("an lz4 frame does not have the size that it claims");
    }
    if (in.hasRemaining()) {
      throw corrupt("an lz4 frame is followed by something else");
    }
    return done;
  }

  private void readBlocks(ByteBuffer in, Output out, int largestBlock, boolean summed) {
    for (int word = in.getInt(); word != 0; word = in.getInt()) {
      int length = word & ~STORED;
      if (length > largestBlock || length > in.remaining()) {
        throw corrupt("an lz4 block is larger than its frame allows, or ends early");
      }
      int at = in.position();
      in.position(at + length);
      if (summed && in.getInt() != hash.hash(in, at, length, 0)) {
        throw corrupt("the checksum of an lz4 block does not match");
      }
      if ((word & STORED) != 0) {
        if (length > out.allowed()) {
          throw out.tooLarge();
        }
        out.ensure(length);
        in.get(at, out.bytes(), out.length(), length);
        out.added(length);
      } else {
        int most = (int) Math.min(largestBlock, (long) length * MOST_GROWTH);
        out.ensure(most);
        ByteBuffer target = ByteBuffer.wrap(out.bytes());
        out.added(decompressor.decompress(in, at, length, target, out.length(), most));
      }
    }
  }

  private static TakhinException corrupt(String what) {
    return new TakhinException(ErrorCode.CORRUPT_MESSAGE, what);
  }
}
