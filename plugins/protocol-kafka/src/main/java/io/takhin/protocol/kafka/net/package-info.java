/// Stages 1 and 7 of 7, sockets: loops, connections, frames, the order of responses, back-pressure
/// and timers. Knows that a request begins with a key, a version and a correlation id, and nothing
/// else of what is in it.
///
/// Threads: one loop per core; a connection and all of its state belong to one loop. Other threads
/// hand over with [io.takhin.protocol.kafka.net.Loop#submit] and nothing else.
package io.takhin.protocol.kafka.net;
