package io.takhin.api.storage;

import io.takhin.api.Api;

/// Told by a log about its progress: how the partition above knows what it may show and
/// acknowledge.
///
/// Threading: the thread that appended, or one that flushed; calls for one log never overlap and
/// come in order. Blocking: no. Buffers: none. Errors: must not throw.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface LogListener {
  /// All below `endOffset` now has the durability that the log's config asks for before an
  /// acknowledgement: in the page cache, or on disk with `flush.messages=1`.
  ///
  /// @param endOffset exclusive; never goes back but by truncation
  /// @param bytes what was added to the log since the last call
  void committable(long endOffset, long bytes);

  /// The first readable offset rose: retention or DeleteRecords.
  void logStartAdvanced(long logStartOffset);

  /// The log cannot be used any more: its directory failed. Appends and reads fail from now on.
  void offline(String reason);
}
