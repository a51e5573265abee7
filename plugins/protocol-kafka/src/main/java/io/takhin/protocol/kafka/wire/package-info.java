/// Stages 1 and 7 of 7, bytes: reading and writing the primitives of Kafka's protocol in a frame,
/// with every length and count checked before it is believed. Knows neither sockets nor requests.
///
/// Threads: whichever holds the reader or writer; none is shared.
package io.takhin.protocol.kafka.wire;
