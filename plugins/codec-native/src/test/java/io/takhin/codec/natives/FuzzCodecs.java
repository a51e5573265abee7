package io.takhin.codec.natives;

import io.takhin.api.TakhinException;
import io.takhin.api.codec.CompressionType;
import io.takhin.testkit.fuzz.Fuzzing;
import java.nio.ByteBuffer;

/// Compressed records: the first byte chooses the codec.
final class FuzzCodecs {
  private static final int MAX_BYTES = 1 << 20;
  private static final NativeCodecs CODECS = started();

  private FuzzCodecs() {}

  private static NativeCodecs started() {
    NativeCodecs codecs = new NativeCodecs();
    codecs.start();
    return codecs;
  }

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Fuzzing.run(FuzzCodecs::feed, input);
  }

  static void feed(byte[] input) {
    if (input.length < 1) {
      return;
    }
    CompressionType[] types = CompressionType.values();
    CompressionType type = types[(input[0] & 0xff) % types.length];
    try {
      ByteBuffer out =
          CODECS.decompress(type, ByteBuffer.wrap(input, 1, input.length - 1).slice(), MAX_BYTES);
      if (out.remaining() > MAX_BYTES) {
        throw new AssertionError(out.remaining() + " bytes");
      }
    } catch (TakhinException refused) {
      return;
    }
  }
}
