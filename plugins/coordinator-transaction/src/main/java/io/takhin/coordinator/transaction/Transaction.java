package io.takhin.coordinator.transaction;

import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;

/// What is known of a transactional id: immutable, one value for each record in the log.
///
/// @param previousProducerId the id before the present one, if that had no epochs left; else -1
/// @param nextProducerId the id that the producer was told to go on with, while the transaction of
///     the present one is being ended; else -1
/// @param producerEpoch -1 before the first write
/// @param lastProducerEpoch the epoch that the same producer had before, for requests that come
///     twice; -1 if that was another producer, or after a restart. It is not in the log
/// @param partitions touched by the open transaction
/// @param startMs when the transaction began; -1 if there is none yet
/// @param lastUpdateMs for the expiry of the id
/// @param clientVersion 2 if the producer's own request made this value with a new epoch (KIP-890)
record Transaction(
    long producerId,
    long previousProducerId,
    long nextProducerId,
    short producerEpoch,
    short lastProducerEpoch,
    int timeoutMs,
    TransactionState state,
    Set<TxnPartition> partitions,
    long startMs,
    long lastUpdateMs,
    short clientVersion) {
  static final short NO_EPOCH = -1;
  static final long NO_ID = -1;

  /// The generation of KIP-890.
  static final short VERSION_2 = 2;

  /// The last epoch that a producer may have; the one above is for the marker that ends its last
  /// transaction.
  static final short LAST_EPOCH = Short.MAX_VALUE - 1;

  /// Before the first write.
  static Transaction fresh(long producerId, int timeoutMs, long nowMs) {
    return new Transaction(
        producerId,
        NO_ID,
        NO_ID,
        NO_EPOCH,
        NO_EPOCH,
        timeoutMs,
        TransactionState.EMPTY,
        Set.of(),
        -1,
        nowMs,
        (short) 0);
  }

  boolean exhausted() {
    return producerEpoch >= LAST_EPOCH;
  }

  /// Empty, for a producer of this epoch.
  Transaction initialized(short epoch, short lastEpoch, int newTimeoutMs, long nowMs) {
    return new Transaction(
        producerId,
        previousProducerId,
        NO_ID,
        epoch,
        lastEpoch,
        newTimeoutMs,
        TransactionState.EMPTY,
        Set.of(),
        -1,
        nowMs,
        (short) 0);
  }

  /// Empty, under another producer id, because this one has no epochs left.
  Transaction rotated(long newProducerId, short lastEpoch, int newTimeoutMs, long nowMs) {
    return new Transaction(
        newProducerId,
        producerId,
        NO_ID,
        (short) 0,
        lastEpoch,
        newTimeoutMs,
        TransactionState.EMPTY,
        Set.of(),
        -1,
        nowMs,
        (short) 0);
  }

  /// Ongoing with these partitions too.
  Transaction with(Collection<TxnPartition> added, long nowMs) {
    Set<TxnPartition> all = new LinkedHashSet<>(partitions);
    all.addAll(added);
    return new Transaction(
        producerId,
        previousProducerId,
        NO_ID,
        producerEpoch,
        lastProducerEpoch,
        timeoutMs,
        TransactionState.ONGOING,
        Collections.unmodifiableSet(all),
        state == TransactionState.ONGOING ? startMs : nowMs,
        nowMs,
        clientVersion);
  }

  /// Decided by the producer itself, at its epoch.
  Transaction prepared(boolean commit, long nowMs) {
    return decided(commit, producerEpoch, lastProducerEpoch, NO_ID, nowMs, (short) 0);
  }

  /// Decided by the producer itself, which goes on with the next epoch, or with another id if there
  /// is none.
  Transaction preparedWithNextEpoch(boolean commit, long nextId, long nowMs) {
    short next = (short) (producerEpoch + 1);
    return decided(commit, next, producerEpoch, nextId, nowMs, VERSION_2);
  }

  /// Aborted under an epoch that no producer has: whoever wrote so far is fenced.
  ///
  /// @param lastEpoch the epoch of the producer that may go on with the new one, because it asked
  ///     for this itself; else none
  Transaction fenced(short lastEpoch, long nowMs) {
    short next = producerEpoch == Short.MAX_VALUE ? producerEpoch : (short) (producerEpoch + 1);
    return decided(false, next, lastEpoch, NO_ID, nowMs, (short) 0);
  }

  private Transaction decided(
      boolean commit, short epoch, short lastEpoch, long nextId, long nowMs, short version) {
    return new Transaction(
        producerId,
        previousProducerId,
        nextId,
        epoch,
        lastEpoch,
        timeoutMs,
        commit ? TransactionState.PREPARE_COMMIT : TransactionState.PREPARE_ABORT,
        partitions,
        startMs < 0 ? nowMs : startMs,
        nowMs,
        version);
  }

  /// Every partition has its marker.
  Transaction completed(long nowMs) {
    boolean rotates = nextProducerId != NO_ID;
    return new Transaction(
        rotates ? nextProducerId : producerId,
        rotates ? producerId : previousProducerId,
        NO_ID,
        rotates ? 0 : producerEpoch,
        lastProducerEpoch,
        timeoutMs,
        state == TransactionState.PREPARE_COMMIT
            ? TransactionState.COMPLETE_COMMIT
            : TransactionState.COMPLETE_ABORT,
        Set.of(),
        startMs,
        nowMs,
        clientVersion);
  }

  /// Unused for too long.
  Transaction dead() {
    return new Transaction(
        producerId,
        previousProducerId,
        NO_ID,
        producerEpoch,
        NO_EPOCH,
        timeoutMs,
        TransactionState.DEAD,
        Set.of(),
        -1,
        lastUpdateMs,
        (short) 0);
  }
}
