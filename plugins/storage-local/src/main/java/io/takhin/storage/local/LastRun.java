package io.takhin.storage.local;

/// What the last run left to know about a log.
///
/// @param closed whether it was closed in order
/// @param sameBoot whether the machine has run since: what was written is in the page cache
/// @param suspect whether its disk failed: what it wrote may be in the page cache, taken for clean,
///     and never reach the disk by itself
/// @param recoveryPoint fsynced up to here; 0 if unknown
/// @param logStartOffset as the checkpoint has it; 0 if unknown
/// @param highWatermark likewise
/// @param cleanedOffset Kafka's cleaner compacted the log up to here: only below may offsets be
///     missing between two segments. 0 where none has run.
record LastRun(
    boolean closed,
    boolean sameBoot,
    boolean suspect,
    long recoveryPoint,
    long logStartOffset,
    long highWatermark,
    long cleanedOffset) {
  /// Whether all but the tail can be believed.
  boolean trusted() {
    return closed || sameBoot;
  }
}
