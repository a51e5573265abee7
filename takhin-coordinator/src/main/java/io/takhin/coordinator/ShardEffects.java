package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// What a state machine wants done after inputs: records to append, and answers that can be given
/// at once. The machine itself does neither. A coordinator extends it by what only it knows.
///
/// Threads: the one that holds the shard's gate.
///
/// @param <R> records
/// @param <E> the extending class
public abstract class ShardEffects<R, E extends ShardEffects<R, E>> {
  /// What happens when the outcome of a write is known.
  public interface Settled<E> {
    /// Errors: none; `out` takes what follows.
    ///
    /// @param error NONE once the records are where they cannot be lost, else why that is not known
    void settled(ErrorCode error, Now now, E out);
  }

  /// Records that belong together, or the end of a transaction.
  ///
  /// @param producer whose transaction the records are part of; null if they count at once
  /// @param marker the end of a transaction; then there are no records
  public record Write<R, E>(
      List<R> records,
      @Nullable TxnProducer producer,
      @Nullable TxnMarker marker,
      Settled<E> then) {}

  /// A transactional producer.
  public record TxnProducer(long id, short epoch) {}

  /// The end of a producer's transaction in this partition.
  ///
  /// @param transactionVersion 2 if the marker's epoch must be above that of the records (KIP-890)
  public record TxnMarker(
      TxnProducer producer, int coordinatorEpoch, boolean commit, int transactionVersion) {}

  /// An answer that waits for nothing.
  public record Answer<T>(CompletableFuture<T> to, T value) {
    /// Gives it.
    public void give() {
      to.complete(value);
    }
  }

  private List<Write<R, E>> writes = new ArrayList<>();
  private List<Answer<?>> answers = new ArrayList<>();

  /// None yet.
  protected ShardEffects() {}

  /// Appends the records in this order, after all writes before.
  public final void write(List<R> records, Settled<E> then) {
    writes.add(new Write<>(records, null, null, then));
  }

  /// Appends the records as part of a producer's transaction.
  public final void writeTransactional(TxnProducer producer, List<R> records, Settled<E> then) {
    writes.add(new Write<>(records, producer, null, then));
  }

  /// Appends the end of a transaction.
  public final void writeMarker(TxnMarker marker, Settled<E> then) {
    writes.add(new Write<>(List.of(), null, marker, then));
  }

  /// Gives an answer.
  public final <T> void answer(CompletableFuture<T> to, T value) {
    answers.add(new Answer<>(to, value));
  }

  /// Whether nothing waits to be written.
  final boolean nothingToWrite() {
    return writes.isEmpty();
  }

  /// The writes since the last call.
  public final List<Write<R, E>> takeWrites() {
    if (writes.isEmpty()) {
      return List.of();
    }
    List<Write<R, E>> taken = writes;
    writes = new ArrayList<>();
    return taken;
  }

  /// The answers since the last call.
  public final List<Answer<?>> takeAnswers() {
    if (answers.isEmpty()) {
      return List.of();
    }
    List<Answer<?>> taken = answers;
    answers = new ArrayList<>();
    return taken;
  }
}
