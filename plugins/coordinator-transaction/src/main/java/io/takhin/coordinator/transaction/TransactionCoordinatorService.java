package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.codec.Codecs;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.metrics.Metrics;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.coordinator.transaction.TransactionShard.Input;
import io.takhin.coordinator.transaction.TransactionShard.Phase;
import io.takhin.coordinator.transaction.TransactionShard.Refusal;
import io.takhin.coordinator.transaction.TransactionShard.Work;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds the shard for each request, and follows the metadata: a shard for each partition of
/// `__transaction_state` that this broker leads, loaded when it becomes the leader and resigned
/// when it no longer is.
///
/// Threads: requests on any thread; metadata on the cluster's applying thread; deadlines on the
/// kernel's scheduler; loading on its blocking workers, many partitions at a time.
final class TransactionCoordinatorService implements TransactionCoordinator {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionCoordinatorService.class);
  private static final String OFFSETS_TOPIC = "__consumer_offsets";
  private static final long NANOS_PER_MS = 1_000_000;
  private static final long LOAD_RETRY_MS = 20;
  private static final long LOAD_RETRY_AFTER_FAILURE_MS = 1_000;

  private final TransactionConfig config;
  private final PluginContext context;
  private final Cluster cluster;
  private final PartitionService partitions;
  private final GroupCoordinator groups;
  private final @Nullable Codecs codecs;
  private final StateTopic topic;
  private final Alarm alarm;
  private final ProducerIds producerIds;
  private final MarkerWriter markers;
  private final TransactionCounters counters = new TransactionCounters();
  private final Metrics.Histogram endDuration;
  private volatile Shards shards = Shards.NONE;
  private volatile boolean closed;
  private @Nullable ScheduledFuture<?> expiry;

  TransactionCoordinatorService(TransactionConfig config, PluginContext context) {
    this.config = config;
    this.context = context;
    cluster = context.service(Cluster.class);
    partitions = context.service(PartitionService.class);
    groups = context.service(GroupCoordinator.class);
    codecs = codecs(context);
    topic = new StateTopic(cluster, config);
    alarm = new Alarm(context.scheduler(), this::monotonicMs, this::ring);
    producerIds = new ProducerIds(cluster);
    markers = new MarkerWriter(context, cluster, partitions, groups);
    endDuration =
        context
            .metrics()
            .histogram(
                "takhin_transaction_end_seconds",
                "From the request to end a transaction to its answer.");
  }

  private static @Nullable Codecs codecs(PluginContext context) {
    try {
      return context.service(Codecs.class);
    } catch (TakhinException e) {
      LOG.debug("Without a codec plugin, compressed records stay unread", e);
      return null;
    }
  }

  @Override
  public void start() {
    new TransactionMetrics(this::machines, counters, markers::retryCount, context.clock())
        .register(context.metrics());
    context.health(new TransactionHealth(() -> shards.here()));
    long everyMs = config.expiryCheckMs();
    expiry =
        context
            .scheduler()
            .scheduleWithFixedDelay(this::expireIds, everyMs, everyMs, TimeUnit.MILLISECONDS);
    cluster.subscribe(this::metadataChanged);
  }

  @Override
  public void drain() {
    resignAll();
  }

  @Override
  public void close() {
    ScheduledFuture<?> periodic = expiry;
    if (periodic != null) {
      periodic.cancel(false);
    }
    markers.close();
    resignAll();
  }

  private void resignAll() {
    Shards before;
    synchronized (this) {
      closed = true;
      before = shards;
      shards = Shards.NONE;
    }
    before.here().forEach(shard -> shard.resign(ErrorCode.NOT_COORDINATOR));
  }

  private long monotonicMs() {
    return context.nanoTime() / NANOS_PER_MS;
  }

  private Now now() {
    return new Now(monotonicMs(), context.clock().millis());
  }

  private List<TransactionStateMachine> machines() {
    List<TransactionStateMachine> active = new ArrayList<>();
    for (TransactionShard shard : shards.here()) {
      if (shard.phase() == Phase.ACTIVE) {
        active.add(shard.machine());
      }
    }
    return active;
  }

  // Metadata.

  private void metadataChanged(
      MetadataImage image, MetadataImage before, List<MetadataRecord> records) {
    TopicImage now = image.topic(StateTopic.NAME);
    if (!closed && (now != before.topic(StateTopic.NAME) || records.isEmpty())) {
      lead(now);
    }
  }

  /// Takes over what this broker leads now, and gives up the rest.
  private void lead(@Nullable TopicImage now) {
    List<TransactionShard> fresh = new ArrayList<>();
    List<TransactionShard> given = new ArrayList<>();
    synchronized (this) {
      if (closed) {
        return;
      }
      Shards before = shards;
      Shards after = now == null ? Shards.NONE : table(now, before);
      List<TransactionShard> old = before.here();
      List<TransactionShard> current = after.here();
      shards = after;
      old.stream().filter(each -> !current.contains(each)).forEach(given::add);
      current.stream().filter(each -> !old.contains(each)).forEach(fresh::add);
    }
    given.forEach(shard -> shard.resign(ErrorCode.NOT_COORDINATOR));
    fresh.forEach(this::load);
  }

  private Shards table(TopicImage now, Shards before) {
    int count = now.partitions().size();
    boolean same = now.id().equals(before.topicId());
    @Nullable TransactionShard[] table = new TransactionShard[count];
    for (int i = 0; i < count; i++) {
      PartitionState state = now.partitions().get(i);
      if (state.leader() == cluster.nodeId()) {
        TransactionShard old =
            same && i < before.byPartition().length ? before.byPartition()[i] : null;
        table[i] =
            old != null && old.leaderEpoch() == state.leaderEpoch()
                ? old
                : newShard(i, state.leaderEpoch());
      }
    }
    return new Shards(now.id(), table);
  }

  private TransactionShard newShard(int index, int leaderEpoch) {
    TransactionStateMachine machine =
        new TransactionStateMachine(config, leaderEpoch, producerIds::take, counters);
    return new TransactionShard(index, leaderEpoch, machine, this::now, this::setAlarm, markers);
  }

  // Loading.

  private @Nullable Partition partition(int index) {
    PartitionService.Topic states = partitions.topic(StateTopic.NAME);
    Partition partition = states == null ? null : states.partition(index);
    return partition == null || !partition.leader() ? null : partition;
  }

  /// Begins to load. A partition without records is ready at once, so that the first producer of a
  /// new broker waits for nothing.
  private void load(TransactionShard shard) {
    Partition partition = partition(shard.index());
    if (partition == null) {
      retry(shard, () -> load(shard), LOAD_RETRY_MS);
    } else if (partition.logStartOffset() == partition.logEndOffset()) {
      shard.activate(partition, topic.maxMessageBytes());
    } else {
      ShardLoader loader = new ShardLoader(partition, shard.machine(), codecs);
      long startNanos = context.nanoTime();
      inBackground(shard, () -> read(shard, loader, partition, startNanos));
    }
  }

  private void inBackground(TransactionShard shard, Runnable task) {
    try {
      context.blocking().execute(task);
    } catch (RejectedExecutionException e) {
      shard.trouble("the kernel stops");
    }
  }

  private void retry(TransactionShard shard, Runnable task, long delayMs) {
    if (closed || shard.phase() == Phase.RESIGNED) {
      return;
    }
    try {
      context.scheduler().schedule(task, delayMs, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      shard.trouble("the kernel stops");
    }
  }

  private void read(
      TransactionShard shard, ShardLoader loader, Partition partition, long startNanos) {
    if (closed || shard.phase() == Phase.RESIGNED) {
      return;
    }
    try {
      if (loader.load()) {
        shard.activate(partition, topic.maxMessageBytes());
        LOG.info(
            "Loaded {} transactional ids from {} records of {} in {} ms",
            shard.machine().entries().size(),
            loader.records(),
            partition.id(),
            (context.nanoTime() - startNanos) / NANOS_PER_MS);
      } else {
        retry(
            shard,
            () -> inBackground(shard, () -> read(shard, loader, partition, startNanos)),
            LOAD_RETRY_MS);
      }
    } catch (RuntimeException e) {
      // Its ids stay in COORDINATOR_LOAD_IN_PROGRESS, and health says why. The machine may hold
      // half of the log: begin anew with a fresh one.
      shard.trouble(StateTopic.NAME + "-" + shard.index() + ": " + e.getMessage());
      LOG.error("{} cannot be loaded; trying again", partition.id(), e);
      retry(shard, () -> reload(shard), LOAD_RETRY_AFTER_FAILURE_MS);
    }
  }

  private void reload(TransactionShard failed) {
    TransactionShard fresh = newShard(failed.index(), failed.leaderEpoch());
    fresh.trouble(failed.trouble());
    if (replace(failed, fresh)) {
      load(fresh);
    }
  }

  private synchronized boolean replace(TransactionShard failed, TransactionShard fresh) {
    Shards table = shards;
    if (failed.index() >= table.byPartition().length
        || table.byPartition()[failed.index()] != failed) {
      return false;
    }
    @Nullable TransactionShard[] copy = table.byPartition().clone();
    copy[failed.index()] = fresh;
    shards = new Shards(table.topicId(), copy);
    return true;
  }

  // Time.

  private void setAlarm() {
    long earliest = Alarm.NEVER;
    for (TransactionShard shard : shards.here()) {
      earliest = Math.min(earliest, shard.nextDeadlineMs());
    }
    alarm.set(earliest);
  }

  private void ring() {
    long nowMs = monotonicMs();
    for (TransactionShard shard : shards.here()) {
      if (shard.nextDeadlineMs() <= nowMs) {
        shard.tick();
      }
    }
    setAlarm();
  }

  private void expireIds() {
    for (TransactionShard shard : shards.here()) {
      if (shard.phase() == Phase.ACTIVE) {
        shard.submit(Work.internal(TransactionStateMachine::expireIds));
      }
    }
  }

  // Requests.

  private static ErrorCode readiness(@Nullable TransactionShard shard) {
    if (shard == null) {
      return ErrorCode.NOT_COORDINATOR;
    }
    return switch (shard.phase()) {
      case LOADING -> ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      case ACTIVE -> ErrorCode.NONE;
      case RESIGNED -> ErrorCode.NOT_COORDINATOR;
    };
  }

  private void dispatch(String transactionalId, Input input, Refusal refusal) {
    TransactionShard shard = shards.of(transactionalId);
    ErrorCode ready = readiness(shard);
    if (shard == null || ready != ErrorCode.NONE) {
      Effects refused = new Effects();
      refusal.refuse(ready, refused);
      refused.takeAnswers().forEach(Effects.Answer::give);
    } else {
      shard.submit(new Work(input, refusal));
    }
  }

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String transactionalId) {
    int count = topic.partitions();
    if (count > 0) {
      return CompletableFuture.completedFuture(
          new PartitionResult(ErrorCode.NONE, Shards.partitionFor(transactionalId, count)));
    }
    return topic
        .create()
        .thenApply(
            error -> {
              int made = topic.partitions();
              if (error != ErrorCode.NONE || made == 0) {
                return new PartitionResult(ErrorCode.COORDINATOR_NOT_AVAILABLE, -1);
              }
              return new PartitionResult(
                  ErrorCode.NONE, Shards.partitionFor(transactionalId, made));
            });
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
    ErrorCode ready = readiness(shards.of(transactionalId));
    if (ready != ErrorCode.NONE) {
      return refused(ready);
    }
    return producerIds
        .ready()
        .thenCompose(
            there -> {
              CompletableFuture<InitResult> to = new CompletableFuture<>();
              dispatch(
                  transactionalId,
                  (machine, now, out) ->
                      machine.init(
                          now, transactionalId, timeoutMs, producerId, producerEpoch, to, out),
                  (error, out) -> out.answer(to, TransactionStateMachine.refused(error)));
              return to;
            });
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
    CompletableFuture<ErrorCode> to = new CompletableFuture<>();
    List<TxnPartition> copy = List.copyOf(added);
    dispatch(
        transactionalId,
        (machine, now, out) ->
            machine.add(now, transactionalId, producerId, producerEpoch, copy, to, out),
        (error, out) -> out.answer(to, error));
    return to;
  }

  @Override
  public CompletableFuture<List<ErrorCode>> verify(
      String transactionalId, long producerId, short producerEpoch, List<TxnPartition> asked) {
    CompletableFuture<List<ErrorCode>> to = new CompletableFuture<>();
    List<TxnPartition> copy = List.copyOf(asked);
    dispatch(
        transactionalId,
        (machine, now, out) ->
            machine.verify(now, transactionalId, producerId, producerEpoch, copy, to, out),
        (error, out) -> out.answer(to, Collections.nCopies(copy.size(), error)));
    return to;
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
    CompletableFuture<InitResult> to = new CompletableFuture<>();
    CompletableFuture<InitResult> measured =
        to.whenComplete((result, failure) -> endDuration.record(context.nanoTime() - startNanos));
    Input input =
        (machine, now, out) ->
            machine.end(
                now, transactionalId, producerId, producerEpoch, commit, bumpEpoch, to, out);
    Refusal refusal = (error, out) -> out.answer(to, TransactionStateMachine.refused(error));
    if (producerEpoch < Transaction.LAST_EPOCH) {
      dispatch(transactionalId, input, refusal);
    } else {
      // This end needs a new producer id.
      var _ = producerIds.ready().thenAccept(there -> dispatch(transactionalId, input, refusal));
    }
    return measured;
  }

  // Looking.

  @Override
  public CompletableFuture<List<TransactionDescription>> describe(List<String> transactionalIds) {
    return CompletableFuture.completedFuture(
        transactionalIds.stream().map(this::description).toList());
  }

  private TransactionDescription description(String id) {
    TransactionShard shard = shards.of(id);
    ErrorCode error = id.isEmpty() ? ErrorCode.INVALID_REQUEST : readiness(shard);
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
    Pattern pattern;
    try {
      pattern = idPattern == null || idPattern.isEmpty() ? null : Pattern.compile(idPattern);
    } catch (PatternSyntaxException e) {
      LOG.debug("A filter that is no regular expression", e);
      return new ListedTransactions(ErrorCode.INVALID_REGULAR_EXPRESSION, List.of(), List.of());
    }
    List<String> unknown =
        states.stream().filter(each -> TransactionState.titled(each) == null).toList();
    List<ListedTransaction> listed = new ArrayList<>();
    long nowMs = context.clock().millis();
    for (TransactionShard shard : shards.here()) {
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
                && (pattern == null || pattern.matcher(entry.id).matches());
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
