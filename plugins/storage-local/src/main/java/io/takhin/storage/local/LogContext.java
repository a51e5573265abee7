package io.takhin.storage.local;

import io.takhin.api.metrics.Metrics;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// What the logs of a directory share.
///
/// @param disk every file operation
/// @param directory where they live, and whether that still works
/// @param files open segment files
/// @param indexes loaded indexes of closed segments
/// @param scratch buffers for scanning
/// @param gathers work space of appending threads
/// @param validator checks appends before the gate
/// @param committer fsyncs before acknowledgements
/// @param dirty logs that wait for a background flush
/// @param blocking workers
/// @param clock wall-clock time
/// @param nanoTime monotonic time
/// @param random for jitter
/// @param flushes how long fsync took
/// @param indexIntervalBytes for indexes that are rebuilt
record LogContext(
    Disk disk,
    DirectoryState directory,
    FileCache files,
    IndexCache indexes,
    Scratch<ByteBuffer> scratch,
    Gather.Pool gathers,
    BatchValidator validator,
    Committer committer,
    DirtyLogs dirty,
    Executor blocking,
    InstantSource clock,
    LongSupplier nanoTime,
    RandomGenerator random,
    Metrics.Histogram flushes,
    int indexIntervalBytes) {}
