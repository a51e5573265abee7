package io.takhin.codec.natives;

import com.github.luben.zstd.util.Native;
import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import java.util.zip.DataFormatException;
import org.jspecify.annotations.Nullable;
import org.xerial.snappy.SnappyError;

/// The five codecs. [#start] loads native libraries, so that a place from which none can be loaded
/// is told at once and not with the first batch.
final class NativeCodecs implements Codecs {
  private volatile Codec @Nullable [] codecs;

  /// Loads these libraries ahead: classes are initialized once, whoever comes first.
  static void loadAll() {
    new Lz4Codec().close();
    zstd().close();
  }

  @Override
  public void start() {
    Codec[] made = new Codec[CompressionType.values().length];
    made[CompressionType.NONE.id()] = new Uncompressed();
    made[CompressionType.GZIP.id()] = new GzipCodec();
    made[CompressionType.SNAPPY.id()] = new LateCodec("snappy", SnappyCodec::new);
    made[CompressionType.LZ4.id()] = new Lz4Codec();
    made[CompressionType.ZSTD.id()] = load("zstd", NativeCodecs::zstd);
    codecs = made;
  }

  private static Codec zstd() {
    Native.load();
    return new ZstdCodec();
  }

  private static Codec load(String name, Supplier<Codec> make) {
    try {
      return make.get();
    } catch (LinkageError | SnappyError | RuntimeException e) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          "the native library of "
              + name
              + " does not load ("
              + e.getMessage()
              + "): it is unpacked into "
              + System.getProperty("java.io.tmpdir")
              + ", which must be writable and not mounted noexec; choose another directory with"
              + " -Djava.io.tmpdir=...",
          e);
    }
  }

  /// A codec whose library is loaded with its first batch: that of snappy compares what it has
  /// unpacked byte by byte, half of all that is done beside a start.
  private static final class LateCodec implements Codec {
    private final String name;
    private final Supplier<Codec> make;
    private volatile @Nullable Codec made;

    LateCodec(String name, Supplier<Codec> make) {
      this.name = name;
      this.make = make;
    }

    @Override
    public ByteBuffer compress(ByteBuffer in) throws IOException {
      return codec().compress(in);
    }

    @Override
    public ByteBuffer decompress(ByteBuffer in, int maxBytes, byte[] scratch)
        throws IOException, DataFormatException {
      return codec().decompress(in, maxBytes, scratch);
    }

    /// Whoever comes at the same time makes another one; they are alike.
    private Codec codec() {
      Codec codec = made;
      if (codec == null) {
        codec = load(name, make);
        made = codec;
      }
      return codec;
    }
  }

  @Override
  public ByteBuffer compress(CompressionType type, ByteBuffer records) {
    try {
      return codec(type).compress(view(records));
    } catch (IOException | SnappyError e) {
      throw new TakhinException(
          ErrorCode.CORRUPT_MESSAGE, "records cannot be compressed as " + type.configName(), e);
    }
  }

  @Override
  public ByteBuffer decompress(CompressionType type, ByteBuffer compressed, int maxBytes) {
    return decompress(type, compressed, maxBytes, Output.NO_SCRATCH);
  }

  @Override
  public ByteBuffer decompress(
      CompressionType type, ByteBuffer compressed, int maxBytes, byte[] scratch) {
    Codec codec = codec(type);
    try {
      return codec.decompress(view(compressed), maxBytes, scratch);
    } catch (TakhinException e) {
      throw e;
    } catch (IOException | DataFormatException | RuntimeException | SnappyError e) {
      // Whatever a library says of data that it cannot read, it means the same.
      throw new TakhinException(
          ErrorCode.CORRUPT_MESSAGE, "records are not valid " + type.configName(), e);
    }
  }

  @Override
  public void close() {
    Codec[] open = codecs;
    if (open != null) {
      for (Codec codec : open) {
        codec.close();
      }
    }
  }

  private Codec codec(CompressionType type) {
    Codec[] open = codecs;
    if (open == null) {
      throw new IllegalStateException("the codecs are used before they are started");
    }
    return open[type.id()];
  }

  /// A view to move about in, direct or with an array: what native code can reach.
  private static ByteBuffer view(ByteBuffer buffer) {
    ByteBuffer view = buffer.duplicate();
    return view.isDirect() || view.hasArray()
        ? view
        : ByteBuffer.allocate(view.remaining()).put(view).flip();
  }

  /// Records as they are, in a buffer of the caller's own.
  private static final class Uncompressed implements Codec {
    @Override
    public ByteBuffer compress(ByteBuffer in) {
      return ByteBuffer.allocate(in.remaining()).put(in).flip();
    }

    @Override
    public ByteBuffer decompress(ByteBuffer in, int maxBytes, byte[] scratch) {
      if (in.remaining() > maxBytes) {
        throw new TakhinException(
            ErrorCode.MESSAGE_TOO_LARGE,
            in.remaining() + " bytes of records are more than the " + maxBytes + " allowed");
      }
      return compress(in);
    }
  }
}
