package io.takhin.codec.natives;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.nio.ByteBuffer;

/// zstd, RFC 8878. Frames that follow each other are read as their sum; skippable frames and
/// dictionaries as the library does.
///
/// The decoder reserves a window as large as the frame claims, at most 128 MiB, and touches only
/// what it fills, so real memory follows the output. Contexts that filled much are not kept.
final class ZstdCodec implements Codec {
  /// 128 MiB: what level 22 writes and what decoders accept without being asked.
  private static final int WINDOW_LOG_MAX = 27;

  private static final int KEPT_WINDOW_BYTES = 1 << 20;

  private final ContextPool<ZstdDecompressCtx> decoders =
      new ContextPool<>(ZstdDecompressCtx::new, ZstdDecompressCtx::close);
  private final ContextPool<ZstdCompressCtx> encoders =
      new ContextPool<>(ZstdCompressCtx::new, ZstdCompressCtx::close);

  @Override
  public ByteBuffer compress(ByteBuffer in) {
    long bound = Zstd.compressBound(in.remaining());
    if (bound > Integer.MAX_VALUE - 8 || Zstd.isError(bound)) {
      throw new TakhinException(
          ErrorCode.MESSAGE_TOO_LARGE, in.remaining() + " bytes are too many for one batch");
    }
    ByteBuffer out = ByteBuffer.allocate((int) bound);
    int size = in.remaining();
    ZstdCompressCtx encoder = encoders.take();
    boolean sound = false;
    try {
      encoder.reset();
      encoder.setPledgedSrcSize(size);
      boolean done = false;
      while (!done) {
        done = encoder.compressByteBufferStream(out, in, EndDirective.END);
      }
      sound = size <= KEPT_WINDOW_BYTES;
    } finally {
      if (sound) {
        encoders.give(encoder);
      } else {
        encoders.discard(encoder);
      }
    }
    return out.flip().slice();
  }

  @Override
  public ByteBuffer decompress(ByteBuffer in, int maxBytes, byte[] scratch) {
    if (!in.hasRemaining()) {
      throw new TakhinException(ErrorCode.CORRUPT_MESSAGE, "no zstd frame");
    }
    Output out =
        new Output((int) Math.min(4L * in.remaining(), Integer.MAX_VALUE), maxBytes, scratch);
    ZstdDecompressCtx decoder = decoders.take();
    boolean sound = false;
    try {
      decoder.reset();
      decoder.setLongMax(WINDOW_LOG_MAX);
      boolean frameDone = false;
      while (in.hasRemaining() || !frameDone) {
        ByteBuffer room = out.room();
        int read = in.position();
        int written = room.position();
        frameDone = decoder.decompressByteBufferStream(room, in);
        written = room.position() - written;
        if (written == 0 && in.position() == read && !frameDone) {
          throw new TakhinException(ErrorCode.CORRUPT_MESSAGE, "zstd data ends early");
        }
        out.added(written);
      }
      sound = out.length() <= KEPT_WINDOW_BYTES;
    } finally {
      if (sound) {
        decoders.give(decoder);
      } else {
        decoders.discard(decoder);
      }
    }
    return out.done();
  }

  @Override
  public void close() {
    decoders.close();
    encoders.close();
  }
}
