package io.takhin.api.codec;

import io.takhin.api.Api;
import io.takhin.api.Service;
import java.nio.ByteBuffer;

/// Compresses and decompresses the records part of a batch.
///
/// Threading: any thread. Blocking: CPU only. Buffers: inputs are borrowed until return, position
/// and limit are left alone; the returned buffer is the caller's own.
/// Errors: [io.takhin.api.TakhinException] with CORRUPT_MESSAGE for data that is not of this codec,
/// with MESSAGE_TOO_LARGE when the output would pass `maxBytes`, with UNSUPPORTED_COMPRESSION_TYPE
/// for a codec that the implementation does not have. Never anything else, for any input.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface Codecs extends Service {
  /// The records, compressed. The result is positioned at 0 with the limit at its end.
  ByteBuffer compress(CompressionType type, ByteBuffer records);

  /// The records, decompressed: at most `maxBytes`, and memory in proportion to what was really
  /// decompressed, not to what the data claims.
  ByteBuffer decompress(CompressionType type, ByteBuffer compressed, int maxBytes);

  /// The same for a caller that needs the records for a moment only: they are in `scratch`, from
  /// its beginning on, if it is large enough, and otherwise in memory of their own. A caller that
  /// keeps the array behind the result as its next scratch soon has one that is.
  default ByteBuffer decompress(
      CompressionType type, ByteBuffer compressed, int maxBytes, byte[] scratch) {
    return decompress(type, compressed, maxBytes);
  }
}
