/// Stage 4' of 7, groups. Owns who is a member of which group, who leads it, what each member was
/// assigned and how far each group has consumed; keeps it in `__consumer_offsets`.
///
/// Never: reads or writes a socket, parses a request, decides who may do something, looks into a
/// member's metadata except to learn which topics it subscribes to.
///
/// ```
/// request -> GroupCoordinatorService -> Shard -> GroupStateMachine -> Effects
///               (which partition)     (the gate)  (no I/O, no clock)    |
///            answers <- Shard <- Partition.append <- records -----------+
/// ```
///
/// Threads: none of its own. Work runs on the thread that brings it, one thread at a time per
/// partition of `__consumer_offsets`, through a gate that nobody waits at; deadlines come from the
/// kernel's scheduler and loading runs on its blocking workers. Heartbeats, fetches of offsets and
/// lists read published state and pass no gate.
package io.takhin.coordinator.group;
