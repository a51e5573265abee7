/// Stages 1 and 7 of 7, ListOffsets: read in place and answered into a pooled buffer.
///
/// Threads: the connection's loop; lookups that read the disk are done by a worker.
package io.takhin.protocol.kafka.offsets;
