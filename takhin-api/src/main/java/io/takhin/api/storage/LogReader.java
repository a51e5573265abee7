package io.takhin.api.storage;

import io.takhin.api.Api;
import org.jspecify.annotations.Nullable;

/// A cursor into a log. A read that goes on where the last one ended needs no lookup.
///
/// Threading: one thread at a time. Blocking: index lookups may touch the disk. Buffers: the slice
/// is the caller's to close. Errors: TakhinException KAFKA_STORAGE_ERROR.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface LogReader {
  /// Whole batches from the one that holds `offset` on, and as many as fit.
  ///
  /// @param offset the first offset wanted; batches hold it or begin after it
  /// @param endOffset no batch that reaches this offset or goes beyond it: the high watermark or
  ///     last stable offset
  /// @param maxBytes what the slice may measure
  /// @param atLeastOneBatch whether the first batch comes even if it alone is larger (KIP-74)
  /// @return the slice; null if `offset` is below the log start or above the log end; an empty
  /// slice if there is nothing to read yet
  @Nullable LogSlice read(long offset, long endOffset, int maxBytes, boolean atLeastOneBatch);
}
