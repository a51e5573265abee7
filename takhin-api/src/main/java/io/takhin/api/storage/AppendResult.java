package io.takhin.api.storage;

import io.takhin.api.Api;
import io.takhin.api.ErrorCode;

/// What became of an append.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public sealed interface AppendResult {
  /// Written.
  ///
  /// @param baseOffset of the first record
  /// @param lastOffset of the last record, inclusive
  /// @param logAppendTimeMs the broker's timestamp, or -1 when the producer's stands
  /// @param logStartOffset first readable offset of the log
  record Appended(long baseOffset, long lastOffset, long logAppendTimeMs, long logStartOffset)
      implements AppendResult {}

  /// An idempotent producer sent it before: nothing was written, the first outcome stands (T47).
  record Duplicate(long baseOffset, long lastOffset, long logAppendTimeMs, long logStartOffset)
      implements AppendResult {}

  /// Nothing was written.
  ///
  /// @param code Kafka's error
  /// @param message what was wrong and what to do
  record Rejected(ErrorCode code, String message) implements AppendResult {}
}
