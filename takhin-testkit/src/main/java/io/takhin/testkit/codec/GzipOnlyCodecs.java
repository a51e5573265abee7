package io.takhin.testkit.codec;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/// Codecs without native code: NONE and GZIP by the JDK's streams. The others are refused with
/// UNSUPPORTED_COMPRESSION_TYPE.
///
/// Threading: any thread.
public final class GzipOnlyCodecs implements Codecs {
  private static final int STEP_BYTES = 8192;

  /// Codecs that need no start.
  public GzipOnlyCodecs() {}

  @Override
  public ByteBuffer compress(CompressionType type, ByteBuffer records) {
    byte[] bytes = copy(records);
    return switch (type) {
      case NONE -> ByteBuffer.wrap(bytes);
      case GZIP -> {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
          gzip.write(bytes);
        } catch (IOException e) {
          throw new IllegalStateException("memory does not fail", e);
        }
        yield ByteBuffer.wrap(out.toByteArray());
      }
      case SNAPPY, LZ4, ZSTD -> throw unsupported(type);
    };
  }

  @Override
  public ByteBuffer decompress(CompressionType type, ByteBuffer compressed, int maxBytes) {
    byte[] bytes = copy(compressed);
    return switch (type) {
      case NONE -> {
        if (bytes.length > maxBytes) {
          throw tooLarge(maxBytes);
        }
        yield ByteBuffer.wrap(bytes);
      }
      case GZIP -> {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
          byte[] step = new byte[STEP_BYTES];
          for (int count = in.read(step); count >= 0; count = in.read(step)) {
            if (count > maxBytes - out.size()) {
              throw tooLarge(maxBytes);
            }
            out.write(step, 0, count);
          }
        } catch (IOException e) {
          throw new TakhinException(ErrorCode.CORRUPT_MESSAGE, "records are not valid gzip", e);
        }
        yield ByteBuffer.wrap(out.toByteArray());
      }
      case SNAPPY, LZ4, ZSTD -> throw unsupported(type);
    };
  }

  @Override
  public void close() {}

  private static byte[] copy(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(buffer.position(), bytes);
    return bytes;
  }

  private static TakhinException tooLarge(int maxBytes) {
    return new TakhinException(
        ErrorCode.MESSAGE_TOO_LARGE, "a batch decompresses to more than " + maxBytes + " bytes");
  }

  private static TakhinException unsupported(CompressionType type) {
    return new TakhinException(
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, "this fake has no " + type.configName());
  }
}
