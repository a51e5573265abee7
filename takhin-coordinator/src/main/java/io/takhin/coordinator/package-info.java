/// Stage 4' of 7, what coordinators share. Owns the way between a coordinator's state machines and
/// the internal topic that is their log: which partitions this broker is in charge of, loading
/// them, the gate before each machine, its records into batches and their outcome back, and its
/// deadlines.
///
/// Never: knows what a record means, decides anything about a group or a transaction, parses a
/// request.
///
/// ```
/// request -> CoordinatorRuntime -> Shard -> StateMachine -> ShardEffects
///            (which partition)   (the gate)  (no I/O, no clock)   |
///            answers <- Shard <- Partition.append <- records -----+
///
/// metadata -> CoordinatorRuntime: a new leader's Shard -> ShardLoader -> StateMachine.replay
/// ```
///
/// Threads: none of its own. Work runs on the thread that brings it, one thread at a time per
/// partition, through a gate that nobody waits at; deadlines come from the kernel's scheduler and
/// loading runs on its blocking workers.
package io.takhin.coordinator;
