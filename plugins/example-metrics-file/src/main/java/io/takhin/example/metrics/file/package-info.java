/// Beside the way of the data: metrics, written to a file for a collector that reads Graphite's
/// plain text.
///
/// Owns one file. Must never write on the kernel's housekeeping thread, which only wakes it up;
/// writing runs on a worker for what blocks, one write at a time.
package io.takhin.example.metrics.file;
