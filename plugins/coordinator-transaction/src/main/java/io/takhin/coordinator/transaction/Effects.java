package io.takhin.coordinator.transaction;

import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.coordinator.ShardEffects;
import java.util.ArrayList;
import java.util.List;

/// What [TransactionStateMachine] wants done: records to append, answers to give, and markers to
/// write into the logs of users.
final class Effects extends ShardEffects<TransactionRecord, Effects> {
  /// Markers that end a transaction; [TransactionStateMachine#markersWritten] when all are there.
  ///
  /// @param transactionVersion 2 if the epoch is above that of the transaction's records
  record Markers(
      String transactionalId,
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion,
      List<TxnPartition> partitions) {}

  private List<Markers> markers = new ArrayList<>();

  /// Writes the markers, again and again until they are there.
  void markers(Markers wanted) {
    markers.add(wanted);
  }

  /// The markers since the last call.
  List<Markers> takeMarkers() {
    if (markers.isEmpty()) {
      return List.of();
    }
    List<Markers> taken = markers;
    markers = new ArrayList<>();
    return taken;
  }
}
