package io.takhin.coordinator.transaction;

import org.jspecify.annotations.Nullable;

/// Where a transactional id stands.
///
/// ```
///                          init                         add partitions
///   (nobody) --------------------------> Empty -----------------------------> Ongoing
///                                         ^ ^                                 |     |
///                              init       | | init                     commit |     | abort,
///                  +----------------------+ +---------------------+           |     | timeout,
///                  |                                              |           |     | new producer
///                  |                                              |           v     v
///           CompleteCommit <-- all markers written -- PrepareCommit    PrepareAbort
///           CompleteAbort  <-- all markers written ----------------------------+
///                  |
///                  +-- add partitions --> Ongoing
///
///   Empty, CompleteCommit, CompleteAbort -- abort with a new epoch (KIP-890) --> PrepareAbort
///   Empty, CompleteCommit, CompleteAbort -- unused for 7 days --> Dead: forgotten
/// ```
///
/// What is in the log in a Prepare state is decided for good; after a restart its markers are
/// written again. PrepareEpochFence is never a state by itself: Ongoing goes to PrepareAbort with a
/// higher epoch in one record. The name exists because tools may filter by it.
enum TransactionState {
  EMPTY(0, "Empty"),
  ONGOING(1, "Ongoing"),
  PREPARE_COMMIT(2, "PrepareCommit"),
  PREPARE_ABORT(3, "PrepareAbort"),
  COMPLETE_COMMIT(4, "CompleteCommit"),
  COMPLETE_ABORT(5, "CompleteAbort"),
  DEAD(6, "Dead"),
  PREPARE_EPOCH_FENCE(7, "PrepareEpochFence");

  private final byte id;
  private final String title;

  TransactionState(int id, String title) {
    this.id = (byte) id;
    this.title = title;
  }

  /// The number in records.
  byte id() {
    return id;
  }

  /// The name that tools show.
  String title() {
    return title;
  }

  /// Decided, but not all markers are written.
  boolean prepared() {
    return this == PREPARE_COMMIT || this == PREPARE_ABORT;
  }

  /// No transaction is open or being ended.
  boolean idle() {
    return this == EMPTY || this == COMPLETE_COMMIT || this == COMPLETE_ABORT;
  }

  static TransactionState of(byte id) {
    for (TransactionState state : values()) {
      if (state.id == id) {
        return state;
      }
    }
    throw new IllegalArgumentException("a transaction state of " + id);
  }

  static @Nullable TransactionState titled(String title) {
    for (TransactionState state : values()) {
      if (state.title.equals(title)) {
        return state;
      }
    }
    return null;
  }
}
