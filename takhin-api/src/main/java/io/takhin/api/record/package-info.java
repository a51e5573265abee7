/// Kafka's record batch, format 2: the unit that is appended, checksummed, compressed and fetched.
/// Layout and meaning: the section "Record Batch" of
/// [Kafka's documentation](https://kafka.apache.org/documentation/#recordbatch) and KIP-98.
package io.takhin.api.record;
