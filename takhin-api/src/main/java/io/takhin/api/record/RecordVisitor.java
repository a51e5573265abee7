package io.takhin.api.record;

import io.takhin.api.Api;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Sees the records of a batch one by one; see [Records].
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface RecordVisitor {
  /// A record.
  ///
  /// Buffers: key and value are views, valid until return; null as in the record.
  void record(long offset, long timestampMs, @Nullable ByteBuffer key, @Nullable ByteBuffer value);
}
