package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import java.nio.ByteBuffer;

/// Codecs that put the codec's number before the bytes and flip every bit.
final class FakeCodecs implements Codecs {
  @Override
  public ByteBuffer compress(CompressionType type, ByteBuffer records) {
    ByteBuffer out = ByteBuffer.allocateDirect(records.remaining() + 1);
    out.put((byte) type.id());
    for (int i = records.position(); i < records.limit(); i++) {
      out.put((byte) ~records.get(i));
    }
    return out.flip();
  }

  @Override
  public ByteBuffer decompress(CompressionType type, ByteBuffer compressed, int maxBytes) {
    int from = compressed.position();
    if (compressed.remaining() < 1 || compressed.get(from) != type.id()) {
      throw new TakhinException(ErrorCode.CORRUPT_MESSAGE, "not " + type);
    }
    if (compressed.remaining() - 1 > maxBytes) {
      throw new TakhinException(ErrorCode.MESSAGE_TOO_LARGE, "more than " + maxBytes);
    }
    ByteBuffer out = ByteBuffer.allocateDirect(compressed.remaining() - 1);
    for (int i = from + 1; i < compressed.limit(); i++) {
      out.put((byte) ~compressed.get(i));
    }
    return out.flip();
  }

  @Override
  public void close() {}
}
