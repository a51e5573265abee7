package io.takhin.broker.partition;

/// No settings of its own: topics bring theirs, the storage has the defaults.
public record PartitionConfig() {}
