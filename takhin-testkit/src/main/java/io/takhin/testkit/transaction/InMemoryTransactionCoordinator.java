package io.takhin.testkit.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.transaction.TransactionCoordinator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// Transactions in memory, for tests of what stands above or below a coordinator: both generations
/// of the protocol under one lock. It keeps nothing and lets no id expire; it writes markers
/// through the partitions and groups of its context as far as there are any, once, and counts a
/// transaction as complete whatever they answer.
///
/// Threading: any. Timeouts run on the scheduler of the context, to the millisecond.
public final class InMemoryTransactionCoordinator implements TransactionCoordinator {
  private static final int PARTITIONS = 50;
  private static final int MAX_TIMEOUT_MS = 900_000;
  private static final String OFFSETS_TOPIC = "__consumer_offsets";
  private static final Set<String> STATES =
      Set.of(
          "Empty",
          "Ongoing",
          "PrepareCommit",
          "PrepareAbort",
          "CompleteCommit",
          "CompleteAbort",
          "Dead",
          "PrepareEpochFence");

  private final PluginContext context;
  private final Map<String, Transaction> transactions = new TreeMap<>();
  private final List<Ended> ended = new CopyOnWriteArrayList<>();
  private long nextProducerId = 1_000;

  /// A transaction that was ended.
  ///
  /// @param producerEpoch of the markers
  public record Ended(
      String transactionalId,
      long producerId,
      short producerEpoch,
      boolean commit,
      int transactionVersion,
      List<TxnPartition> partitions) {}

  private static final class Transaction {
    final String id;
    String state = "Empty";
    long producerId;
    short epoch;
    short lastEpoch = -1;
    long previousProducerId = -1;
    int timeoutMs;
    long startMs = -1;
    long sequence;
    Set<TxnPartition> partitions = emptyPartitions();

    Transaction(String id, long producerId, int timeoutMs) {
      this.id = id;
      this.producerId = producerId;
      this.timeoutMs = timeoutMs;
      this.epoch = -1;
    }

    boolean exhausted() {
      return epoch >= Short.MAX_VALUE - 1;
    }
  }

  private static Set<TxnPartition> emptyPartitions() {
    return new TreeSet<>(
        (a, b) -> {
          int byTopic = a.topic().compareTo(b.topic());
          return byTopic != 0 ? byTopic : Integer.compare(a.partition(), b.partition());
        });
  }

  /// A coordinator without transactions.
  public InMemoryTransactionCoordinator(PluginContext context) {
    this.context = context;
  }

  /// The transactions that were ended, in their order.
  public List<Ended> ended() {
    return List.copyOf(ended);
  }

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String transactionalId) {
    int hash = transactionalId.hashCode();
    int partition = (hash == Integer.MIN_VALUE ? 0 : Math.abs(hash)) % PARTITIONS;
    return CompletableFuture.completedFuture(new PartitionResult(ErrorCode.NONE, partition));
  }

  private static InitResult refused(ErrorCode error) {
    return new InitResult(error, -1, (short) -1);
  }

  @Override
  public CompletableFuture<InitResult> init(
      String transactionalId, int timeoutMs, long producerId, short producerEpoch) {
    return CompletableFuture.completedFuture(
        initNow(transactionalId, timeoutMs, producerId, producerEpoch));
  }

  private synchronized InitResult initNow(
      String id, int timeoutMs, long producerId, short producerEpoch) {
    if (id.isEmpty()) {
      return refused(ErrorCode.INVALID_REQUEST);
    }
    if (timeoutMs <= 0 || timeoutMs > MAX_TIMEOUT_MS) {
      return refused(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    }
    Transaction txn =
        transactions.computeIfAbsent(id, key -> new Transaction(key, nextProducerId++, timeoutMs));
    boolean expected = producerId >= 0 && txn.epoch >= 0;
    boolean exhaustedBefore =
        producerId == txn.previousProducerId && producerEpoch >= Short.MAX_VALUE - 1;
    if (expected && producerId != txn.producerId && !exhaustedBefore) {
      return refused(ErrorCode.PRODUCER_FENCED);
    }
    if (txn.state.equals("Ongoing")) {
      txn.epoch++;
      txn.lastEpoch = -1;
      finish(txn, false, 0);
    }
    if (expected && producerEpoch == txn.lastEpoch) {
      return new InitResult(ErrorCode.NONE, txn.producerId, txn.epoch);
    }
    if (expected && producerEpoch != txn.epoch) {
      return refused(ErrorCode.PRODUCER_FENCED);
    }
    if (txn.exhausted()) {
      txn.previousProducerId = txn.producerId;
      txn.producerId = nextProducerId++;
      txn.lastEpoch = expected ? txn.epoch : -1;
      txn.epoch = 0;
    } else {
      txn.lastEpoch = expected ? txn.epoch : -1;
      txn.epoch++;
    }
    txn.state = "Empty";
    txn.timeoutMs = timeoutMs;
    return new InitResult(ErrorCode.NONE, txn.producerId, txn.epoch);
  }

  private ErrorCode check(@Nullable Transaction txn, long producerId, short producerEpoch) {
    if (txn == null || txn.producerId != producerId) {
      return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
    }
    return txn.epoch == producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED;
  }

  @Override
  public CompletableFuture<List<ErrorCode>> addPartitions(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> partitions) {
    ErrorCode error = add(transactionalId, producerId, producerEpoch, partitions);
    return CompletableFuture.completedFuture(Collections.nCopies(partitions.size(), error));
  }

  private synchronized ErrorCode add(
      String id, long producerId, short producerEpoch, List<TxnPartition> partitions) {
    Transaction txn = transactions.get(id);
    ErrorCode error = check(txn, producerId, producerEpoch);
    if (error != ErrorCode.NONE || txn == null) {
      return error;
    }
    if (!txn.state.equals("Ongoing")) {
      txn.state = "Ongoing";
      txn.startMs = context.clock().millis();
      long sequence = ++txn.sequence;
      context
          .scheduler()
          .schedule(() -> timeOut(txn, sequence), txn.timeoutMs, TimeUnit.MILLISECONDS);
    }
    txn.partitions.addAll(partitions);
    return ErrorCode.NONE;
  }

  private synchronized void timeOut(Transaction txn, long sequence) {
    if (txn.state.equals("Ongoing") && txn.sequence == sequence) {
      txn.epoch++;
      txn.lastEpoch = -1;
      finish(txn, false, 0);
    }
  }

  @Override
  public synchronized CompletableFuture<List<ErrorCode>> verify(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> partitions) {
    Transaction txn = transactions.get(transactionalId);
    ErrorCode error = check(txn, producerId, producerEpoch);
    List<ErrorCode> results = new ArrayList<>();
    for (TxnPartition partition : partitions) {
      boolean in = txn != null && txn.partitions.contains(partition);
      results.add(error != ErrorCode.NONE || in ? error : ErrorCode.TRANSACTION_ABORTABLE);
    }
    return CompletableFuture.completedFuture(results);
  }

  @Override
  public CompletableFuture<ErrorCode> addOffsets(
      String transactionalId, long producerId, short producerEpoch, String groupId) {
    GroupCoordinator groups = optional(GroupCoordinator.class);
    int partition = groups == null ? 0 : groups.partitionFor(groupId).join().partition();
    return CompletableFuture.completedFuture(
        add(
            transactionalId,
            producerId,
            producerEpoch,
            List.of(new TxnPartition(OFFSETS_TOPIC, partition))));
  }

  @Override
  public CompletableFuture<InitResult> end(
      String transactionalId,
      long producerId,
      short producerEpoch,
      boolean commit,
      boolean bumpEpoch) {
    return CompletableFuture.completedFuture(
        endNow(transactionalId, producerId, producerEpoch, commit, bumpEpoch));
  }

  private synchronized InitResult endNow(
      String id, long producerId, short producerEpoch, boolean commit, boolean bump) {
    Transaction txn = transactions.get(id);
    if (txn == null) {
      return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    }
    boolean overflowed =
        producerId == txn.previousProducerId
            && producerEpoch == Short.MAX_VALUE - 1
            && txn.epoch == 0;
    boolean bumped = producerId == txn.producerId && producerEpoch + 1 == txn.epoch;
    boolean again =
        bump
            && txn.state.startsWith("Complete")
            && txn.lastEpoch == producerEpoch
            && (overflowed || bumped);
    ErrorCode error = again ? ErrorCode.NONE : check(txn, producerId, producerEpoch);
    if (error != ErrorCode.NONE) {
      return refused(error);
    }
    String complete = commit ? "CompleteCommit" : "CompleteAbort";
    InitResult done = new InitResult(ErrorCode.NONE, txn.producerId, txn.epoch);
    if (again || (!bump && !txn.state.equals("Ongoing"))) {
      return txn.state.equals(complete) ? done : refused(ErrorCode.INVALID_TXN_STATE);
    }
    if (commit && !txn.state.equals("Ongoing")) {
      return refused(ErrorCode.INVALID_TXN_STATE);
    }
    boolean exhausted = txn.exhausted();
    if (bump) {
      txn.lastEpoch = txn.epoch;
      txn.epoch++;
    }
    finish(txn, commit, bump ? 2 : 0);
    if (bump && exhausted) {
      txn.previousProducerId = txn.producerId;
      txn.producerId = nextProducerId++;
      txn.epoch = 0;
    }
    return new InitResult(ErrorCode.NONE, txn.producerId, txn.epoch);
  }

  private void finish(Transaction txn, boolean commit, int version) {
    txn.state = commit ? "CompleteCommit" : "CompleteAbort";
    txn.startMs = -1;
    List<TxnPartition> partitions = List.copyOf(txn.partitions);
    txn.partitions = emptyPartitions();
    ended.add(new Ended(txn.id, txn.producerId, txn.epoch, commit, version, partitions));
    PartitionService service = optional(PartitionService.class);
    GroupCoordinator groups = optional(GroupCoordinator.class);
    for (TxnPartition each : partitions) {
      if (each.topic().equals(OFFSETS_TOPIC)) {
        if (groups != null) {
          var _ =
              groups.endTransaction(
                  each.partition(), txn.producerId, txn.epoch, 0, commit, version);
        }
      } else if (service != null) {
        PartitionService.Topic topic = service.topic(each.topic());
        Partition partition = topic == null ? null : topic.partition(each.partition());
        if (partition != null) {
          var _ = partition.endTransaction(txn.producerId, txn.epoch, 0, commit, version);
        }
      }
    }
  }

  private <T> @Nullable T optional(Class<T> type) {
    try {
      return context.service(type);
    } catch (TakhinException e) {
      return null;
    }
  }

  @Override
  public synchronized CompletableFuture<List<TransactionDescription>> describe(
      List<String> transactionalIds) {
    List<TransactionDescription> found = new ArrayList<>();
    for (String id : transactionalIds) {
      Transaction txn = transactions.get(id);
      found.add(
          txn == null
              ? new TransactionDescription(
                  ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, id, "", 0, -1, -1, (short) -1, List.of())
              : new TransactionDescription(
                  ErrorCode.NONE,
                  id,
                  txn.state,
                  txn.timeoutMs,
                  txn.startMs,
                  txn.producerId,
                  txn.epoch,
                  List.copyOf(txn.partitions)));
    }
    return CompletableFuture.completedFuture(found);
  }

  @Override
  public synchronized ListedTransactions list(
      Set<String> states, Set<Long> producerIds, long durationMs, @Nullable String idPattern) {
    Pattern pattern;
    try {
      pattern = idPattern == null || idPattern.isEmpty() ? null : Pattern.compile(idPattern);
    } catch (PatternSyntaxException e) {
      return new ListedTransactions(ErrorCode.INVALID_REGULAR_EXPRESSION, List.of(), List.of());
    }
    List<ListedTransaction> listed = new ArrayList<>();
    long nowMs = context.clock().millis();
    for (Transaction txn : transactions.values()) {
      boolean longEnough = durationMs < 0 || (txn.startMs >= 0 && nowMs - txn.startMs > durationMs);
      if ((states.isEmpty() || states.contains(txn.state))
          && (producerIds.isEmpty() || producerIds.contains(txn.producerId))
          && longEnough
          && (pattern == null || pattern.matcher(txn.id).matches())) {
        listed.add(new ListedTransaction(txn.id, txn.producerId, txn.state));
      }
    }
    List<String> unknown = states.stream().filter(each -> !STATES.contains(each)).toList();
    return new ListedTransactions(ErrorCode.NONE, unknown, listed);
  }

  @Override
  public void close() {}
}
