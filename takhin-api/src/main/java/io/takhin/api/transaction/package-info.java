/// Extension point `transactions`: stage 4' of 7. Who may write under which producer id and epoch,
/// which partitions a transaction has touched, and how it ended, as state machines on
/// `__transaction_state` (KIP-98, KIP-360, KIP-890).
package io.takhin.api.transaction;
