package io.takhin.storage.local;

/// Where a log ends, as one consistent view for readers; one is made for each write.
///
/// @param offset the next offset
/// @param segment the one that grows
/// @param position its size
/// @param bytes written to the log since it was opened
record LogEnd(long offset, Segment segment, int position, long bytes) {}
