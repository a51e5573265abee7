/// Stages 4 and 6 of 7, partition and replication.
///
/// Owns the state of every replica on this broker: who leads it and in which epoch, how far it is
/// visible (the high watermark), which produces wait for that and who waits to read more. It must
/// never touch bytes of records, block an event loop, hold a lock while another stage runs, or make
/// a thread or a timer for something that waits.
///
/// Threads: appends and reads run on the caller's, which is an event loop; progress of a log comes
/// on the thread that wrote or flushed; metadata on the quorum's applying thread; timeouts on the
/// kernel's scheduler; logs that found no room are opened again on its workers. Nothing here has a
/// thread of its own.
///
/// [io.takhin.broker.partition.Replica] joins three parts that know nothing of I/O or clocks:
/// [io.takhin.broker.partition.ReplicaState] (what may be done now),
/// [io.takhin.broker.partition.HighWatermark] (what is visible) and
/// [io.takhin.broker.partition.ParkedAppends] (who waits).
package io.takhin.broker.partition;
