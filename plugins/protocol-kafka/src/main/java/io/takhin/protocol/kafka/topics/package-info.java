/// Stage 1 of 7, topics as the hot APIs meet them: from the bytes of a name or an id in a frame
/// to a handle, without a string; and what a client is told when it asked the wrong broker.
///
/// Threads: a [io.takhin.protocol.kafka.topics.TopicHandles] belongs to one loop.
package io.takhin.protocol.kafka.topics;
