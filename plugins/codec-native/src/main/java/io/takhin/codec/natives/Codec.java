package io.takhin.codec.natives;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/// One compression format.
///
/// Buffers: inputs are private views of the caller's buffer, direct or with an accessible array;
/// what is returned is fresh, or the scratch that was lent for it. Errors: TakhinException for what
/// the format itself finds; whatever else a library throws becomes CORRUPT_MESSAGE in
/// [NativeCodecs].
interface Codec extends AutoCloseable {
  /// Everything from position to limit, compressed.
  ByteBuffer compress(ByteBuffer in) throws IOException;

  /// Everything from position to limit, decompressed: in `scratch` if that is large enough.
  ByteBuffer decompress(ByteBuffer in, int maxBytes, byte[] scratch)
      throws IOException, DataFormatException;

  @Override
  default void close() {}
}
