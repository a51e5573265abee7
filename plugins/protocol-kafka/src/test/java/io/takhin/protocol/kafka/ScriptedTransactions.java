package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.transaction.TransactionCoordinator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A coordinator of transactions that says what the test tells it to, and keeps what it was asked.
/// Out of the box it agrees to everything.
final class ScriptedTransactions implements TransactionCoordinator {
  ErrorCode answer = ErrorCode.NONE;
  List<ListedTransaction> listed = List.of();
  List<TxnPartition> described = List.of();
  final List<Object> asked = new ArrayList<>();

  record Init(String id, int timeoutMs, long producerId, short producerEpoch) {}

  record Partitions(String id, long producerId, boolean verify, List<TxnPartition> partitions) {}

  record Group(String id, long producerId, short producerEpoch, String groupId) {}

  record End(String id, long producerId, short producerEpoch, boolean commit, boolean bump) {}

  record Filters(
      Set<String> states, Set<Long> producerIds, long durationMs, @Nullable String idPattern) {}

  @SuppressWarnings("unchecked")
  <T> T lastAsked() {
    return (T) asked.getLast();
  }

  private InitResult result(long producerId, short epoch) {
    return answer == ErrorCode.NONE
        ? new InitResult(answer, producerId, epoch)
        : new InitResult(answer, -1, (short) -1);
  }

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String transactionalId) {
    asked.add(transactionalId);
    return CompletableFuture.completedFuture(new PartitionResult(answer, 0));
  }

  @Override
  public CompletableFuture<InitResult> init(
      String transactionalId, int timeoutMs, long producerId, short producerEpoch) {
    asked.add(new Init(transactionalId, timeoutMs, producerId, producerEpoch));
    return CompletableFuture.completedFuture(result(7, (short) 3));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> addPartitions(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> partitions) {
    asked.add(new Partitions(transactionalId, producerId, false, partitions));
    return CompletableFuture.completedFuture(Collections.nCopies(partitions.size(), answer));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> verify(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> partitions) {
    asked.add(new Partitions(transactionalId, producerId, true, partitions));
    return CompletableFuture.completedFuture(Collections.nCopies(partitions.size(), answer));
  }

  @Override
  public CompletableFuture<ErrorCode> addOffsets(
      String transactionalId, long producerId, short producerEpoch, String groupId) {
    asked.add(new Group(transactionalId, producerId, producerEpoch, groupId));
    return CompletableFuture.completedFuture(answer);
  }

  @Override
  public CompletableFuture<InitResult> end(
      String transactionalId,
      long producerId,
      short producerEpoch,
      boolean commit,
      boolean bumpEpoch) {
    asked.add(new End(transactionalId, producerId, producerEpoch, commit, bumpEpoch));
    return CompletableFuture.completedFuture(result(producerId, (short) (producerEpoch + 1)));
  }

  @Override
  public CompletableFuture<List<TransactionDescription>> describe(List<String> transactionalIds) {
    asked.add(transactionalIds);
    return CompletableFuture.completedFuture(
        transactionalIds.stream()
            .map(
                id ->
                    new TransactionDescription(
                        answer, id, "Ongoing", 60_000, 5, 7, (short) 3, described))
            .toList());
  }

  @Override
  public ListedTransactions list(
      Set<String> states, Set<Long> producerIds, long durationMs, @Nullable String idPattern) {
    asked.add(new Filters(states, producerIds, durationMs, idPattern));
    return new ListedTransactions(answer, List.of("Odd"), listed);
  }

  @Override
  public void close() {}
}
