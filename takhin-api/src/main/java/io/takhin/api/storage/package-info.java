/// Extension point `storage`: stage 5 of 7, log. Logs of partitions: batches in, batches out, by
/// offset, epoch and time. It knows nothing of requests, groups, users or the wire.
///
/// A batch crosses this API as Kafka's record batch, format 2 ([io.takhin.api.record]), in direct
/// buffers; what is on disk is byte for byte what a consumer gets.
package io.takhin.api.storage;
