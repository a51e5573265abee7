package io.takhin.coordinator.group;

/// An offset that a group committed.
///
/// @param leaderEpoch -1 if unknown
/// @param commitTimestampMs wall clock
/// @param expireTimestampMs wall clock, or -1: versions 2 to 4 of OffsetCommit set it
record CommittedOffset(
    long offset,
    int leaderEpoch,
    String metadata,
    long commitTimestampMs,
    long expireTimestampMs) {}
