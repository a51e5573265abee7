package io.takhin.protocol.kafka.fetch;

/// Bounds of Fetch.
///
/// @param maxBytes of records in one answer, but for the first batch
/// @param maxWaitMs the longest wait that a client can ask for
/// @param sessions how many fetch sessions there may be
/// @param sessionEvictionMs how long a session must be unused to be replaced
/// @param coldBytes how far behind the end of a log it is looked whether a read is of cold data
/// @param maxElements how many elements a request may have
public record FetchConfig(
    int maxBytes,
    int maxWaitMs,
    int sessions,
    long sessionEvictionMs,
    long coldBytes,
    int maxElements) {}
