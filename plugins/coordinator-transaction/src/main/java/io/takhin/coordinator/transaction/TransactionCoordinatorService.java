package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.metrics.Metrics;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.coordinator.CoordinatorRuntime;
import io.takhin.coordinator.Shard;
import io.takhin.coordinator.Shard.Phase;
import io.takhin.coordinator.Shard.Question;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Puts each request to the state machine in charge of its transactional id. What it shares with
/// other coordinators, from following the metadata to loading, is the [CoordinatorRuntime]'s.
///
/// Threads: requests on any thread.
final class TransactionCoordinatorService implements TransactionCoordinator {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionCoordinatorService.class);
  private static final String OFFSETS_TOPIC = "__consumer_offsets";

  private final TransactionConfig config;
  private final PluginContext context;
  private final Cluster cluster;
  private final GroupCoordinator groups;
  private final ProducerIds producerIds;
  private final MarkerWriter markers;
  private final TransactionCounters counters = new TransactionCounters();
  private final Metrics.Histogram endDuration;
  private final CoordinatorRuntime<TransactionStateMachine, TransactionRecord, Effects> runtime;

  TransactionCoordinatorService(TransactionConfig config, PluginContext context) {
    this.config = config;
    this.context = context;
    cluster = context.service(Cluster.class);
    groups = context.service(GroupCoordinator.class);
    producerIds = new ProducerIds(cluster);
    markers = new MarkerWriter(context, cluster, context.service(PartitionService.class), groups);
    runtime =
        new CoordinatorRuntime<>(
            new TransactionKind(config, producerIds::take, counters, markers), context);
    endDuration =
        context
            .metrics()
            .histogram(
                "takhin_transaction_end_seconds",
                "From the request to end a transaction to its answer.");
  }

  @Override
  public void start() {
    new TransactionMetrics(runtime::machines, counters, markers::retryCount, context.clock())
        .register(context.metrics());
    runtime.start();
    runtime.every(config.expiryCheckMs(), false, TransactionStateMachine::expireIds);
  }

  @Override
  public void drain() {
    runtime.resign();
  }

  @Override
  public void close() {
    markers.close();
    runtime.resign();
  }

  // Requests.

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String transactionalId) {
    return runtime.partitionFor(transactionalId, PartitionResult::new);
  }

  @Override
  public CompletableFuture<InitResult> init(
      String transactionalId, int timeoutMs, long producerId, short producerEpoch) {
    if (transactionalId.isEmpty()) {
      return refused(ErrorCode.INVALID_REQUEST);
    }
    if (timeoutMs <= 0 || timeoutMs > config.maxTimeoutMs()) {
      return refused(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    }
    ErrorCode ready = CoordinatorRuntime.readiness(runtime.shard(transactionalId));
    if (ready != ErrorCode.NONE) {
      return refused(ready);
    }
    return producerIds
        .ready()
        .thenCompose(
            there ->
                runtime.ask(
                    transactionalId,
                    (machine, now, to, out) ->
                        machine.init(
                            now, transactionalId, timeoutMs, producerId, producerEpoch, to, out),
                    TransactionStateMachine::refused));
  }

  private static CompletableFuture<InitResult> refused(ErrorCode error) {
    return CompletableFuture.completedFuture(TransactionStateMachine.refused(error));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> addPartitions(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> added) {
    if (transactionalId.isEmpty()) {
      return CompletableFuture.completedFuture(
          Collections.nCopies(added.size(), ErrorCode.INVALID_REQUEST));
    }
    MetadataImage image = cluster.image();
    List<ErrorCode> unknown = new ArrayList<>(added.size());
    boolean all = true;
    for (TxnPartition each : added) {
      boolean known = known(image, each);
      all &= known;
      unknown.add(known ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (!all) {
      return CompletableFuture.completedFuture(List.copyOf(unknown));
    }
    return add(transactionalId, producerId, producerEpoch, added)
        .thenApply(error -> Collections.nCopies(added.size(), error));
  }

  private static boolean known(MetadataImage image, TxnPartition partition) {
    TopicImage topic = image.topic(partition.topic());
    return topic != null
        && partition.partition() >= 0
        && partition.partition() < topic.partitions().size();
  }

  private CompletableFuture<ErrorCode> add(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> added) {
    List<TxnPartition> copy = List.copyOf(added);
    return runtime.ask(
        transactionalId,
        (machine, now, to, out) ->
            machine.add(now, transactionalId, producerId, producerEpoch, copy, to, out),
        error -> error);
  }

  @Override
  public CompletableFuture<List<ErrorCode>> verify(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> asked) {
    List<TxnPartition> copy = List.copyOf(asked);
    return runtime.ask(
        transactionalId,
        (machine, now, to, out) ->
            machine.verify(now, transactionalId, producerId, producerEpoch, copy, to, out),
        error -> Collections.nCopies(copy.size(), error));
  }

  @Override
  public CompletableFuture<ErrorCode> addOffsets(
      String transactionalId, long producerId, short producerEpoch, String groupId) {
    if (transactionalId.isEmpty()) {
      return CompletableFuture.completedFuture(ErrorCode.INVALID_REQUEST);
    }
    return groups
        .partitionFor(groupId)
        .thenCompose(
            found ->
                found.error() != ErrorCode.NONE
                    ? CompletableFuture.completedFuture(found.error())
                    : add(
                        transactionalId,
                        producerId,
                        producerEpoch,
                        List.of(new TxnPartition(OFFSETS_TOPIC, found.partition()))));
  }

  @Override
  public CompletableFuture<InitResult> end(
      String transactionalId,
      long producerId,
      short producerEpoch,
      boolean commit,
      boolean bumpEpoch) {
    if (transactionalId.isEmpty()) {
      return refused(ErrorCode.INVALID_REQUEST);
    }
    long startNanos = context.nanoTime();
    Question<TransactionStateMachine, Effects, InitResult> question =
        (machine, now, to, out) ->
            machine.end(
                now, transactionalId, producerId, producerEpoch, commit, bumpEpoch, to, out);
    CompletableFuture<InitResult> ended =
        producerEpoch < Transaction.LAST_EPOCH
            ? runtime.ask(transactionalId, question, TransactionStateMachine::refused)
            // This end needs a new producer id.
            : producerIds
                .ready()
                .thenCompose(
                    there ->
                        runtime.ask(transactionalId, question, TransactionStateMachine::refused));
    return ended.whenComplete(
        (result, failure) -> endDuration.record(context.nanoTime() - startNanos));
  }

  // Looking.

  @Override
  public CompletableFuture<List<TransactionDescription>> describe(List<String> transactionalIds) {
    return CompletableFuture.completedFuture(
        transactionalIds.stream().map(this::description).toList());
  }

  private TransactionDescription description(String id) {
    Shard<TransactionStateMachine, TransactionRecord, Effects> shard = runtime.shard(id);
    ErrorCode error =
        id.isEmpty() ? ErrorCode.INVALID_REQUEST : CoordinatorRuntime.readiness(shard);
    Transaction found = null;
    if (shard != null && error == ErrorCode.NONE) {
      found = shard.machine().transaction(id);
      error = found == null ? ErrorCode.TRANSACTIONAL_ID_NOT_FOUND : ErrorCode.NONE;
    }
    if (found == null) {
      return new TransactionDescription(error, id, "", 0, -1, -1, (short) -1, List.of());
    }
    return new TransactionDescription(
        ErrorCode.NONE,
        id,
        found.state().title(),
        found.timeoutMs(),
        found.state().idle() ? -1 : found.startMs(),
        found.producerId(),
        found.producerEpoch(),
        List.copyOf(found.partitions()));
  }

  @Override
  public ListedTransactions list(
      Set<String> states, Set<Long> ids, long durationMs, @Nullable String idPattern) {
    try {
      IdPattern pattern =
          idPattern == null || idPattern.isEmpty() ? null : new IdPattern(idPattern);
      return list(states, ids, durationMs, pattern);
    } catch (IllegalArgumentException e) {
      LOG.debug("A filter that is no regular expression, or one that is too large", e);
      return new ListedTransactions(ErrorCode.INVALID_REGULAR_EXPRESSION, List.of(), List.of());
    }
  }

  private ListedTransactions list(
      Set<String> states, Set<Long> ids, long durationMs, @Nullable IdPattern pattern) {
    List<String> unknown =
        states.stream().filter(each -> TransactionState.titled(each) == null).toList();
    List<ListedTransaction> listed = new ArrayList<>();
    long nowMs = context.clock().millis();
    for (Shard<TransactionStateMachine, TransactionRecord, Effects> shard : runtime.here()) {
      if (shard.phase() == Phase.LOADING) {
        return new ListedTransactions(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, unknown, List.of());
      }
      for (TransactionStateMachine.Entry entry : shard.machine().entries()) {
        Transaction current = entry.current;
        boolean wanted =
            current.producerEpoch() >= 0
                && (states.isEmpty() || states.contains(current.state().title()))
                && (ids.isEmpty() || ids.contains(current.producerId()))
                && (durationMs < 0 || openFor(current, nowMs) > durationMs)
                && (pattern == null || pattern.matches(entry.id));
        if (wanted) {
          listed.add(
              new ListedTransaction(entry.id, current.producerId(), current.state().title()));
        }
      }
    }
    return new ListedTransactions(ErrorCode.NONE, unknown, listed);
  }

  private static long openFor(Transaction current, long nowMs) {
    return current.state().idle() || current.startMs() < 0 ? -1 : nowMs - current.startMs();
  }
}
