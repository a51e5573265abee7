/// Stages 1 and 7 of 7, Produce: parsed in place, records handed to partitions as slices of the
/// frame, answered in place.
///
/// Threads: the connection's loop; acknowledgements may come from any thread.
package io.takhin.protocol.kafka.produce;
