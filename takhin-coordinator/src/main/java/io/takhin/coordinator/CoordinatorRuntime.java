package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.codec.Codecs;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.coordinator.Shard.Input;
import io.takhin.coordinator.Shard.Phase;
import io.takhin.coordinator.Shard.Question;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The state machines of one coordinator on this broker. It follows the metadata: a [Shard] for
/// each partition of the internal topic that this broker leads, loaded when it becomes the leader
/// and
/// resigned when it no longer is. Finds the shard for each request, and wakes shards at their
/// deadlines.
///
/// Threads: requests on any thread; metadata on the cluster's applying thread; deadlines on the
/// kernel's scheduler; loading on its blocking workers, many partitions at a time.
///
/// @param <M> state machines
/// @param <R> records
/// @param <E> effects
public final class CoordinatorRuntime<
    M extends StateMachine<R, E>, R, E extends ShardEffects<R, E>> {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinatorRuntime.class);
  private static final long NANOS_PER_MS = 1_000_000;
  private static final long LOAD_RETRY_MS = 20;
  private static final long LOAD_RETRY_AFTER_FAILURE_MS = 1_000;

  /// How a partition that was looked for is told.
  public interface FoundPartition<T> {
    /// The answer.
    ///
    /// @param partition -1 unless `error` is NONE
    T found(ErrorCode error, int partition);
  }

  private final CoordinatorKind<M, R, E> kind;
  private final PluginContext context;
  private final Cluster cluster;
  private final PartitionService partitions;
  private final @Nullable Codecs codecs;
  private final InternalTopic topic;
  private final Alarm alarm;
  private final List<ScheduledFuture<?>> periodic = new ArrayList<>();
  private volatile ShardTable<Shard<M, R, E>> shards = ShardTable.none();
  private volatile boolean closed;

  /// A runtime that does nothing yet.
  public CoordinatorRuntime(CoordinatorKind<M, R, E> kind, PluginContext context) {
    this.kind = kind;
    this.context = context;
    cluster = context.service(Cluster.class);
    partitions = context.service(PartitionService.class);
    codecs = codecs(context);
    topic = new InternalTopic(cluster, kind.topic());
    alarm = new Alarm(context.scheduler(), this::monotonicMs, this::ring);
  }

  private @Nullable Codecs codecs(PluginContext from) {
    try {
      return from.service(Codecs.class);
    } catch (TakhinException e) {
      LOG.debug("Without a codec plugin, compressed records of {} stay unread", kind.name(), e);
      return null;
    }
  }

  // Life.

  /// Registers the health check, and begins to follow the metadata.
  public void start() {
    context.health(new ShardHealth(kind.name(), topic.name(), this::here));
    cluster.subscribe(this::metadataChanged);
  }

  /// Has each active shard do something once in a while.
  ///
  /// @param whenQuiet whether it needs a moment in which no write is under way
  public void every(long periodMs, boolean whenQuiet, Input<M, E> input) {
    ScheduledFuture<?> task =
        context
            .scheduler()
            .scheduleWithFixedDelay(
                () -> forAll(whenQuiet, input), periodMs, periodMs, TimeUnit.MILLISECONDS);
    synchronized (this) {
      periodic.add(task);
    }
  }

  /// Gives up all shards: who waits is told that this is not the coordinator. May be called again.
  public void resign() {
    List<Shard<M, R, E>> before;
    synchronized (this) {
      closed = true;
      before = shards.here();
      shards = ShardTable.none();
      periodic.forEach(task -> task.cancel(false));
      periodic.clear();
    }
    before.forEach(shard -> shard.resign(ErrorCode.NOT_COORDINATOR));
  }

  // Metadata.

  private void metadataChanged(
      MetadataImage image, MetadataImage before, List<MetadataRecord> records) {
    TopicImage now = image.topic(topic.name());
    if (!closed && (now != before.topic(topic.name()) || records.isEmpty())) {
      lead(now);
    }
  }

  /// Takes over what this broker leads now, and gives up the rest.
  private void lead(@Nullable TopicImage now) {
    List<Shard<M, R, E>> fresh = new ArrayList<>();
    List<Shard<M, R, E>> given = new ArrayList<>();
    synchronized (this) {
      if (closed) {
        return;
      }
      ShardTable<Shard<M, R, E>> before = shards;
      ShardTable<Shard<M, R, E>> after = now == null ? ShardTable.none() : table(now, before);
      List<Shard<M, R, E>> old = before.here();
      List<Shard<M, R, E>> current = after.here();
      shards = after;
      old.stream().filter(each -> !current.contains(each)).forEach(given::add);
      current.stream().filter(each -> !old.contains(each)).forEach(fresh::add);
    }
    given.forEach(shard -> shard.resign(ErrorCode.NOT_COORDINATOR));
    fresh.forEach(this::load);
  }

  private ShardTable<Shard<M, R, E>> table(TopicImage now, ShardTable<Shard<M, R, E>> before) {
    boolean same = now.id().equals(before.topicId());
    List<@Nullable Shard<M, R, E>> table = new ArrayList<>(now.partitions().size());
    for (int i = 0; i < now.partitions().size(); i++) {
      PartitionState state = now.partitions().get(i);
      Shard<M, R, E> old = same ? before.at(i) : null;
      if (state.leader() != cluster.nodeId()) {
        table.add(null);
      } else if (old != null && old.leaderEpoch() == state.leaderEpoch()) {
        table.add(old);
      } else {
        table.add(shard(i, state.leaderEpoch()));
      }
    }
    return new ShardTable<>(now.id(), table);
  }

  private Shard<M, R, E> shard(int index, int leaderEpoch) {
    return new Shard<>(kind, index, leaderEpoch, this::now, this::setAlarm);
  }

  // Loading.

  private @Nullable Partition partition(int index) {
    PartitionService.Topic mine = partitions.topic(topic.name());
    Partition partition = mine == null ? null : mine.partition(index);
    return partition == null || !partition.leader() ? null : partition;
  }

  /// Why the log of a partition cannot be used; null if it can, or is not here.
  private @Nullable String offline(int index) {
    PartitionService.Topic mine = partitions.topic(topic.name());
    Partition partition = mine == null ? null : mine.partition(index);
    return partition == null ? null : partition.offline();
  }

  /// Begins to load. A partition without records is ready at once, so that the first client of a
  /// new broker waits for nothing.
  private void load(Shard<M, R, E> shard) {
    Partition partition = partition(shard.index());
    String offline = offline(shard.index());
    if (offline != null) {
      shard.trouble(topic.name() + "-" + shard.index() + " is offline: " + offline);
      retry(shard, () -> load(shard), LOAD_RETRY_AFTER_FAILURE_MS);
    } else if (partition == null) {
      retry(shard, () -> load(shard), LOAD_RETRY_MS);
    } else if (partition.logStartOffset() == partition.logEndOffset()) {
      shard.activate(partition, topic.maxMessageBytes());
    } else {
      ShardLoader<R> loader = new ShardLoader<>(partition, shard.machine(), kind.codec(), codecs);
      long startNanos = context.nanoTime();
      inBackground(shard, () -> read(shard, loader, partition, startNanos));
    }
  }

  private void inBackground(Shard<M, R, E> shard, Runnable task) {
    try {
      context.blocking().execute(task);
    } catch (RejectedExecutionException e) {
      shard.trouble("the kernel stops");
    }
  }

  private void retry(Shard<M, R, E> shard, Runnable task, long delayMs) {
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
      Shard<M, R, E> shard, ShardLoader<R> loader, Partition partition, long startNanos) {
    if (closed || shard.phase() == Phase.RESIGNED) {
      return;
    }
    try {
      if (loader.load()) {
        shard.activate(partition, topic.maxMessageBytes());
        LOG.info(
            "Loaded {} from {} records of {} in {} ms",
            kind.describe(shard.machine()),
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
      // Clients go on hearing COORDINATOR_LOAD_IN_PROGRESS, and health says why. The machine may
      // hold half of the log: begin anew with a fresh one.
      shard.trouble(topic.name() + "-" + shard.index() + ": " + e.getMessage());
      LOG.error("{} cannot be loaded; trying again", partition.id(), e);
      retry(shard, () -> reload(shard), LOAD_RETRY_AFTER_FAILURE_MS);
    }
  }

  private void reload(Shard<M, R, E> failed) {
    Shard<M, R, E> fresh = shard(failed.index(), failed.leaderEpoch());
    fresh.trouble(failed.trouble());
    if (replace(failed, fresh)) {
      load(fresh);
    }
  }

  private synchronized boolean replace(Shard<M, R, E> failed, Shard<M, R, E> fresh) {
    ShardTable<Shard<M, R, E>> table = shards;
    if (table.at(failed.index()) != failed) {
      return false;
    }
    shards = table.with(failed.index(), fresh);
    return true;
  }

  // Time.

  /// Milliseconds of arbitrary origin that never go back.
  public long monotonicMs() {
    return context.nanoTime() / NANOS_PER_MS;
  }

  private Now now() {
    return new Now(monotonicMs(), context.clock().millis());
  }

  private void setAlarm() {
    long earliest = Deadlines.NEVER;
    for (Shard<M, R, E> shard : here()) {
      earliest = Math.min(earliest, shard.nextDeadlineMs());
    }
    alarm.set(earliest);
  }

  private void ring() {
    long nowMs = monotonicMs();
    for (Shard<M, R, E> shard : here()) {
      if (shard.nextDeadlineMs() <= nowMs) {
        shard.tick();
      }
    }
    setAlarm();
  }

  // Requests.

  /// Partitions of the topic; 0 if it does not exist.
  public int partitions() {
    return topic.partitions();
  }

  /// The partition of a key, as Kafka computes it.
  public static int partitionFor(String key, int partitions) {
    return ShardTable.partitionFor(key, partitions);
  }

  /// The partition of a key; makes the topic if there is none.
  public <T> CompletableFuture<T> partitionFor(String key, FoundPartition<T> result) {
    int count = topic.partitions();
    if (count > 0) {
      return CompletableFuture.completedFuture(
          result.found(ErrorCode.NONE, partitionFor(key, count)));
    }
    return topic
        .create()
        .thenApply(
            error -> {
              int made = topic.partitions();
              return error != ErrorCode.NONE || made == 0
                  ? result.found(ErrorCode.COORDINATOR_NOT_AVAILABLE, -1)
                  : result.found(ErrorCode.NONE, partitionFor(key, made));
            });
  }

  /// The shard in charge of a key; null if it is not here.
  public @Nullable Shard<M, R, E> shard(String key) {
    return shards.of(key);
  }

  /// The shard of a partition; null if it is not here.
  public @Nullable Shard<M, R, E> shard(int partition) {
    return shards.at(partition);
  }

  /// The shards here, in whatever phase.
  public List<Shard<M, R, E>> here() {
    return shards.here();
  }

  /// The state machines in charge here: for what may be read from any thread.
  public List<M> machines() {
    List<M> active = new ArrayList<>();
    for (Shard<M, R, E> shard : here()) {
      if (shard.phase() == Phase.ACTIVE) {
        active.add(shard.machine());
      }
    }
    return active;
  }

  /// Whether a shard takes requests: NONE if it does.
  ///
  /// @param shard null if it is not here
  public static ErrorCode readiness(@Nullable Shard<?, ?, ?> shard) {
    return shard == null ? ErrorCode.NOT_COORDINATOR : shard.readiness();
  }

  /// Asks the shard in charge of a key.
  ///
  /// @param refused the answer if it cannot be asked
  public <T> CompletableFuture<T> ask(
      String key, Question<M, E, T> question, Function<ErrorCode, T> refused) {
    return ask(shards.of(key), false, question, refused);
  }

  /// Asks a shard.
  ///
  /// @param shard null if it is not here
  /// @param whenQuiet whether it needs a moment in which no write is under way; later work then
  ///     waits behind it
  /// @param refused the answer if it cannot be asked
  public <T> CompletableFuture<T> ask(
      @Nullable Shard<M, R, E> shard,
      boolean whenQuiet,
      Question<M, E, T> question,
      Function<ErrorCode, T> refused) {
    ErrorCode ready = readiness(shard);
    if (shard == null || ready != ErrorCode.NONE) {
      return CompletableFuture.completedFuture(refused.apply(ready));
    }
    CompletableFuture<T> to = new CompletableFuture<>();
    shard.submit(new Work.Asked<>(question, to, refused, whenQuiet));
    return to;
  }

  /// Has all active shards do something.
  ///
  /// @param whenQuiet whether it needs a moment in which no write is under way
  public void forAll(boolean whenQuiet, Input<M, E> input) {
    for (Shard<M, R, E> shard : here()) {
      if (shard.phase() != Phase.ACTIVE) {
        continue;
      }
      if (whenQuiet) {
        shard.submitWhenQuiet(input);
      } else {
        shard.submit(input);
      }
    }
  }
}
