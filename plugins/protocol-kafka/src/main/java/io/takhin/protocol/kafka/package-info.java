/// Stages 1 and 7 of 7, protocol: what Kafka's clients ask and are told. The server, the table of
/// APIs that it serves, and the APIs that go by the message classes of kafka-clients; Produce and
/// Fetch have packages of their own. Never owns data: partitions, groups and metadata are services.
///
/// Threads: the loop of the connection; what blocks goes to [Exchange#blocking].
package io.takhin.protocol.kafka;
