/// Stages 1 and 7 of 7, Fetch: parsed in place, read by cursors that stay with the connection,
/// parked without a thread while there is too little data, and answered by gathering small slices
/// and sending large ones from their files.
///
/// Threads: the connection's loop; partitions tell of new data on any thread; cold data is read
/// ahead by a worker.
package io.takhin.protocol.kafka.fetch;
