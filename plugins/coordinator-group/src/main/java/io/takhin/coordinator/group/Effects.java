package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// What the state machine wants done after inputs: records to append, and answers that can be given
/// at once. The machine itself does neither.
final class Effects {
  /// What happens when the outcome of a write is known.
  interface Settled {
    /// Errors: none; `out` takes what follows.
    ///
    /// @param error NONE once the records are where they cannot be lost, else why that is not known
    void settled(ErrorCode error, Now now, Effects out);
  }

  /// Records that belong together, or the end of a transaction.
  ///
  /// @param producer whose transaction the records are part of; null if they count at once
  /// @param marker the end of a transaction; then there are no records
  record Write(
      List<GroupRecord> records,
      @Nullable TxnProducer producer,
      @Nullable TxnMarker marker,
      Settled then) {}

  /// A transactional producer.
  record TxnProducer(long id, short epoch) {}

  /// The end of a producer's transaction in this partition.
  ///
  /// @param transactionVersion 2 if the marker's epoch must be above that of the records (KIP-890)
  record TxnMarker(
      TxnProducer producer, int coordinatorEpoch, boolean commit, int transactionVersion) {}

  /// An answer that waits for nothing.
  record Answer<T>(CompletableFuture<T> to, T value) {
    void give() {
      to.complete(value);
    }
  }

  private List<Write> writes = new ArrayList<>();
  private List<Answer<?>> answers = new ArrayList<>();

  /// Appends the records in this order, after all writes before.
  void write(List<GroupRecord> records, Settled then) {
    writes.add(new Write(records, null, null, then));
  }

  /// Appends the records as part of a producer's transaction.
  void writeTransactional(TxnProducer producer, List<GroupRecord> records, Settled then) {
    writes.add(new Write(records, producer, null, then));
  }

  /// Appends the end of a transaction.
  void writeMarker(TxnMarker marker, Settled then) {
    writes.add(new Write(List.of(), null, marker, then));
  }

  /// Gives an answer.
  <T> void answer(CompletableFuture<T> to, T value) {
    answers.add(new Answer<>(to, value));
  }

  /// Whether nothing waits to be written.
  boolean nothingToWrite() {
    return writes.isEmpty();
  }

  /// The writes since the last call.
  List<Write> takeWrites() {
    if (writes.isEmpty()) {
      return List.of();
    }
    List<Write> taken = writes;
    writes = new ArrayList<>();
    return taken;
  }

  /// The answers since the last call.
  List<Answer<?>> takeAnswers() {
    if (answers.isEmpty()) {
      return List.of();
    }
    List<Answer<?>> taken = answers;
    answers = new ArrayList<>();
    return taken;
  }
}
