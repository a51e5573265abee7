/// Stage 4' of 7, transactions. Owns which producer id and epoch a transactional id has, which
/// partitions and groups its open transaction has touched, and whether it was committed or aborted;
/// keeps it in `__transaction_state`, and sees to it that every touched partition learns the
/// outcome.
///
/// Never: reads or writes a socket, parses a request, decides who may do something, looks at a
/// record of a user.
///
/// ```
/// request -> TransactionCoordinatorService -> Shard -> TransactionStateMachine
///                 (which partition)         (the gate)   (no I/O, no clock)
///            answers <- Shard <- Partition.append <- records -+ Effects
///            MarkerWriter -> Partition.endTransaction <- markers -+
///                         -> GroupCoordinator.endTransaction
/// ```
///
/// Threads: none of its own. Work runs on the thread that brings it, one thread at a time per
/// partition of `__transaction_state`, through a gate that nobody waits at; deadlines and repeated
/// markers come from the kernel's scheduler and loading runs on its blocking workers. Descriptions
/// and lists read published state and pass no gate.
package io.takhin.coordinator.transaction;
