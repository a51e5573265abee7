package io.takhin.api.transaction;

import io.takhin.api.Api;
import io.takhin.api.ErrorCode;
import io.takhin.api.Service;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The coordinator of the transactional ids whose `__transaction_state` partition this broker
/// leads.
///
/// Threading: any thread; futures complete on any thread, often before the call returns.
/// Blocking: no. Buffers: none. Errors: what a client can cause is an error code in the result;
/// futures do not fail. Common to all: COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR,
/// COORDINATOR_LOAD_IN_PROGRESS, CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_EPOCH, PRODUCER_FENCED,
/// INVALID_PRODUCER_ID_MAPPING, INVALID_TXN_STATE, TRANSACTION_ABORTABLE.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface TransactionCoordinator extends Service {
  /// The partition of `__transaction_state` that an id belongs to; makes the topic if there is none
  /// yet. The partition's leader is the id's coordinator.
  CompletableFuture<PartitionResult> partitionFor(String transactionalId);

  /// Index of a partition of `__transaction_state`, or an error.
  record PartitionResult(ErrorCode error, int partition) {}

  /// InitProducerId of a transactional producer: fences older ones, ends what they left open.
  ///
  /// @param producerId as the producer knows it, or -1 (KIP-360)
  /// @param producerEpoch likewise
  CompletableFuture<InitResult> init(
      String transactionalId, int timeoutMs, long producerId, short producerEpoch);

  /// Identity for the producer; -1 with an error.
  record InitResult(ErrorCode error, long producerId, short producerEpoch) {}

  /// AddPartitionsToTxn: the transaction will write there. All or nothing: with an error for one
  /// partition the others have OPERATION_NOT_ATTEMPTED. Results in the order of the partitions.
  CompletableFuture<List<ErrorCode>> addPartitions(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> partitions);

  /// Whether the partitions are in the producer's open transaction (KIP-890): NONE, or
  /// TRANSACTION_ABORTABLE, in the order of the partitions. Asked for by the partition before the
  /// first write of a transaction there.
  CompletableFuture<List<ErrorCode>> verify(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> partitions);

  /// A partition by name.
  record TxnPartition(String topic, int partition) {}

  /// AddOffsetsToTxn: the transaction will commit offsets of this group.
  CompletableFuture<ErrorCode> addOffsets(
      String transactionalId, long producerId, short producerEpoch, String groupId);

  /// EndTxn. Completes when the outcome is decided for good; markers follow.
  ///
  /// @param bumpEpoch whether the producer gets a new epoch with the end (`transaction.version=2`,
  ///     EndTxn version 5)
  CompletableFuture<InitResult> end(
      String transactionalId,
      long producerId,
      short producerEpoch,
      boolean commit,
      boolean bumpEpoch);

  /// Descriptions, in the order asked; TRANSACTIONAL_ID_NOT_FOUND for one that is not there.
  CompletableFuture<List<TransactionDescription>> describe(List<String> transactionalIds);

  /// A transaction (KIP-664).
  ///
  /// @param state `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit`,
  ///     `CompleteAbort`, `Dead`, `PrepareEpochFence`
  /// @param startTimeMs -1 if none is open
  record TransactionDescription(
      ErrorCode error,
      String transactionalId,
      String state,
      int timeoutMs,
      long startTimeMs,
      long producerId,
      short producerEpoch,
      List<TxnPartition> partitions) {}

  /// Transactions here, by filters; empty sets match all.
  ///
  /// @param durationMs only those open for longer; -1 for all
  /// @param idPattern RE2-like regular expression on the id; null for all
  ListedTransactions list(
      Set<String> states, Set<Long> producerIds, long durationMs, @Nullable String idPattern);

  /// Answer to a list.
  ///
  /// @param unknownStates filters that are no state
  record ListedTransactions(
      ErrorCode error, List<String> unknownStates, List<ListedTransaction> transactions) {}

  /// A transaction in a list.
  record ListedTransaction(String transactionalId, long producerId, String state) {}
}
