package io.takhin.coordinator.transaction;

import io.takhin.api.config.Key;

/// Settings of transactions, by Kafka's names under `kafka.`.
///
/// @param maxTimeoutMs largest `transaction.timeout.ms` of a producer
/// @param idExpirationMs how long an unused transactional id is remembered
/// @param expiryCheckMs how often that is checked
/// @param partitions of `__transaction_state`, when it is made
/// @param replicationFactor of `__transaction_state`, when it is made
/// @param minIsr of `__transaction_state`, when it is made
/// @param segmentBytes of `__transaction_state`, when it is made
public record TransactionConfig(
    @Key(
            value = "kafka.transaction.max.timeout.ms",
            defaultValue = "900000",
            min = 1,
            max = Integer.MAX_VALUE,
            doc =
                "Largest transaction.timeout.ms that a producer may ask for, in milliseconds. An"
                    + " open transaction keeps read_committed consumers waiting for that long.")
        int maxTimeoutMs,
    @Key(
            value = "kafka.transactional.id.expiration.ms",
            defaultValue = "604800000",
            min = 1,
            max = Integer.MAX_VALUE,
            doc =
                "Milliseconds after which a transactional id that nobody uses is forgotten."
                    + " A producer that still has it must be made anew.")
        int idExpirationMs,
    @Key(
            value = "kafka.transaction.remove.expired.transaction.cleanup.interval.ms",
            defaultValue = "3600000",
            min = 1,
            max = Integer.MAX_VALUE,
            doc = "Milliseconds between searches for transactional ids that nobody uses.")
        int expiryCheckMs,
    @Key(
            value = "kafka.transaction.state.log.num.partitions",
            defaultValue = "50",
            min = 1,
            max = 10_000,
            doc =
                "Partitions of __transaction_state when it is made. Transactional ids are spread"
                    + " over them; do not change it later, or open transactions are not ended.")
        int partitions,
    @Key(
            value = "kafka.transaction.state.log.replication.factor",
            defaultValue = "3",
            min = 1,
            max = 32_767,
            doc =
                "Replicas of __transaction_state when it is made; fewer if there are fewer"
                    + " brokers.")
        int replicationFactor,
    @Key(
            value = "kafka.transaction.state.log.min.isr",
            defaultValue = "2",
            min = 1,
            max = 32_767,
            doc =
                "Replicas that must have a change of __transaction_state before it counts; fewer"
                    + " if it has fewer.")
        int minIsr,
    @Key(
            value = "kafka.transaction.state.log.segment.bytes",
            defaultValue = "104857600",
            min = 1_048_576,
            max = Integer.MAX_VALUE,
            doc = "Bytes of a segment of __transaction_state when it is made.")
        int segmentBytes) {}
