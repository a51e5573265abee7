package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// What the state machine wants done after inputs: a record to append, markers to write, answers
/// that can be given at once. The machine itself does none of it.
final class Effects {
  /// What happens when the outcome of a write is known.
  interface Settled {
    /// Errors: none; `out` takes what follows.
    ///
    /// @param error NONE once the record is where it cannot be lost, else why that is not known
    void settled(ErrorCode error, Now now, Effects out);
  }

  /// A record on its way.
  record Write(TransactionRecord record, Settled then) {}

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

  /// An answer that waits for nothing.
  record Answer<T>(CompletableFuture<T> to, T value) {
    void give() {
      to.complete(value);
    }
  }

  private List<Write> writes = new ArrayList<>();
  private List<Markers> markers = new ArrayList<>();
  private List<Answer<?>> answers = new ArrayList<>();

  /// Appends the record after all writes before.
  void write(TransactionRecord record, Settled then) {
    writes.add(new Write(record, then));
  }

  /// Writes the markers, again and again until they are there.
  void markers(Markers wanted) {
    markers.add(wanted);
  }

  /// Gives an answer.
  <T> void answer(CompletableFuture<T> to, T value) {
    answers.add(new Answer<>(to, value));
  }

  /// The writes since the last call.
  List<Write> takeWrites() {
    List<Write> taken = writes;
    writes = taken.isEmpty() ? taken : new ArrayList<>();
    return taken;
  }

  /// The markers since the last call.
  List<Markers> takeMarkers() {
    List<Markers> taken = markers;
    markers = taken.isEmpty() ? taken : new ArrayList<>();
    return taken;
  }

  /// The answers since the last call.
  List<Answer<?>> takeAnswers() {
    List<Answer<?>> taken = answers;
    answers = taken.isEmpty() ? taken : new ArrayList<>();
    return taken;
  }
}
