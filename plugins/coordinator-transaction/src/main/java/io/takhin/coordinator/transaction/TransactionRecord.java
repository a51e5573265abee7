package io.takhin.coordinator.transaction;

import org.jspecify.annotations.Nullable;

/// A record of `__transaction_state`.
///
/// @param value null once the id is forgotten
record TransactionRecord(String transactionalId, @Nullable Transaction value) {}
