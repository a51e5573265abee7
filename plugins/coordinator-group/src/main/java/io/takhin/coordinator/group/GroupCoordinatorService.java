package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import io.takhin.api.codec.Codecs;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.coordinator.group.Effects.TxnMarker;
import io.takhin.coordinator.group.Effects.TxnProducer;
import io.takhin.coordinator.group.GroupShard.Input;
import io.takhin.coordinator.group.GroupShard.Phase;
import io.takhin.coordinator.group.GroupShard.Refusal;
import io.takhin.coordinator.group.GroupShard.Work;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds the shard for each request, and follows the metadata: a shard for each partition of
/// `__consumer_offsets` that this broker leads, loaded when it becomes the leader and resigned when
/// it no longer is.
///
/// Threads: requests on any thread; metadata on the cluster's applying thread; deadlines on the
/// kernel's scheduler; loading on its blocking workers, many partitions at a time.
final class GroupCoordinatorService implements GroupCoordinator {
  private static final Logger LOG = LoggerFactory.getLogger(GroupCoordinatorService.class);
  private static final long NANOS_PER_MS = 1_000_000;
  private static final long LOAD_RETRY_MS = 20;
  private static final long LOAD_RETRY_AFTER_FAILURE_MS = 1_000;
  private static final String TYPE = "classic";

  private final GroupConfig config;
  private final PluginContext context;
  private final Cluster cluster;
  private final PartitionService partitions;
  private final @Nullable Codecs codecs;
  private final OffsetsTopic topic;
  private final Alarm alarm;
  private volatile Shards shards = Shards.NONE;
  private volatile boolean closed;
  private @Nullable ScheduledFuture<?> expiry;

  GroupCoordinatorService(GroupConfig config, PluginContext context) {
    this.config = config;
    this.context = context;
    cluster = context.service(Cluster.class);
    partitions = context.service(PartitionService.class);
    codecs = codecs(context);
    topic = new OffsetsTopic(cluster, config);
    alarm = new Alarm(context.scheduler(), this::monotonicMs, this::ring);
  }

  private static @Nullable Codecs codecs(PluginContext context) {
    try {
      return context.service(Codecs.class);
    } catch (TakhinException e) {
      LOG.debug("Without a codec plugin, compressed records in {} stay unread", topicName(), e);
      return null;
    }
  }

  private static String topicName() {
    return OffsetsTopic.NAME;
  }

  @Override
  public void start() {
    new GroupMetrics(this::machines, partitions).register(context.metrics());
    context.health(new GroupHealth(() -> shards.here()));
    long everyMs = config.offsetsRetentionCheckMs();
    expiry =
        context
            .scheduler()
            .scheduleWithFixedDelay(this::expireOffsets, everyMs, everyMs, TimeUnit.MILLISECONDS);
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

  /// The state machines in charge here: for what may be read from any thread.
  private List<GroupStateMachine> machines() {
    List<GroupStateMachine> active = new ArrayList<>();
    for (GroupShard shard : shards.here()) {
      if (shard.phase() == Phase.ACTIVE) {
        active.add(shard.machine());
      }
    }
    return active;
  }

  // Metadata.

  private void metadataChanged(
      MetadataImage image, MetadataImage before, List<MetadataRecord> records) {
    if (closed) {
      return;
    }
    TopicImage now = image.topic(OffsetsTopic.NAME);
    if (now != before.topic(OffsetsTopic.NAME) || records.isEmpty()) {
      lead(now);
    }
    Set<String> deleted = new HashSet<>();
    for (MetadataRecord record : records) {
      if (record instanceof TopicDeleted(UUID id)) {
        TopicImage gone = before.topic(id);
        if (gone != null) {
          deleted.add(gone.name());
        }
      }
    }
    if (!deleted.isEmpty()) {
      forAll((machine, at, out) -> machine.topicsDeleted(deleted, out));
    }
  }

  /// Takes over what this broker leads now, and gives up the rest.
  private void lead(@Nullable TopicImage now) {
    List<GroupShard> fresh = new ArrayList<>();
    List<GroupShard> given = new ArrayList<>();
    synchronized (this) {
      if (closed) {
        return;
      }
      Shards before = shards;
      Shards after = now == null ? Shards.NONE : table(now, before);
      List<GroupShard> old = before.here();
      List<GroupShard> current = after.here();
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
    @Nullable GroupShard[] table = new GroupShard[count];
    for (int i = 0; i < count; i++) {
      PartitionState state = now.partitions().get(i);
      if (state.leader() == cluster.nodeId()) {
        GroupShard old = same && i < before.byPartition().length ? before.byPartition()[i] : null;
        table[i] =
            old != null && old.leaderEpoch() == state.leaderEpoch()
                ? old
                : newShard(i, state.leaderEpoch());
      }
    }
    return new Shards(now.id(), table);
  }

  private GroupShard newShard(int index, int leaderEpoch) {
    GroupStateMachine machine = new GroupStateMachine(config, this::uuid);
    return new GroupShard(index, leaderEpoch, machine, this::now, this::setAlarm);
  }

  /// A random UUID (version 4) for a member's id: who does not know it cannot speak for the member.
  private UUID uuid() {
    long high = (context.random().nextLong() & ~0xF000L) | 0x4000L;
    long low = (context.random().nextLong() & (-1L >>> 2)) | Long.MIN_VALUE;
    return new UUID(high, low);
  }

  // Loading.

  private @Nullable Partition partition(int index) {
    PartitionService.Topic offsets = partitions.topic(OffsetsTopic.NAME);
    Partition partition = offsets == null ? null : offsets.partition(index);
    return partition == null || !partition.leader() ? null : partition;
  }

  /// Begins to load. A partition without records is ready at once, so that the first group of a new
  /// broker waits for nothing.
  private void load(GroupShard shard) {
    Partition partition = partition(shard.index());
    if (partition == null) {
      retry(shard, () -> load(shard), LOAD_RETRY_MS);
    } else if (partition.logStartOffset() == partition.logEndOffset()) {
      shard.activate(partition, topic.maxMessageBytes());
    } else {
      GroupStateMachine machine = shard.machine();
      ShardLoader loader = new ShardLoader(partition, machine, codecs);
      long startNanos = context.nanoTime();
      inBackground(shard, () -> read(shard, loader, partition, startNanos));
    }
  }

  private void inBackground(GroupShard shard, Runnable task) {
    try {
      context.blocking().execute(task);
    } catch (RejectedExecutionException e) {
      shard.trouble("the kernel stops");
    }
  }

  private void retry(GroupShard shard, Runnable task, long delayMs) {
    if (closed || shard.phase() == Phase.RESIGNED) {
      return;
    }
    try {
      context.scheduler().schedule(task, delayMs, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      shard.trouble("the kernel stops");
    }
  }

  private void read(GroupShard shard, ShardLoader loader, Partition partition, long startNanos) {
    if (closed || shard.phase() == Phase.RESIGNED) {
      return;
    }
    try {
      if (loader.load()) {
        shard.activate(partition, topic.maxMessageBytes());
        LOG.info(
            "Loaded {} groups from {} records of {} in {} ms",
            shard.machine().groups().size(),
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
      // Its groups stay in COORDINATOR_LOAD_IN_PROGRESS, and health says why. The machine may hold
      // half of the log: begin anew with a fresh one.
      shard.trouble("__consumer_offsets-" + shard.index() + ": " + e.getMessage());
      LOG.error("{} cannot be loaded; trying again", partition.id(), e);
      retry(shard, () -> reload(shard), LOAD_RETRY_AFTER_FAILURE_MS);
    }
  }

  private void reload(GroupShard failed) {
    GroupShard fresh = newShard(failed.index(), failed.leaderEpoch());
    fresh.trouble(failed.trouble());
    if (replace(failed, fresh)) {
      load(fresh);
    }
  }

  private synchronized boolean replace(GroupShard failed, GroupShard fresh) {
    Shards table = shards;
    if (failed.index() >= table.byPartition().length
        || table.byPartition()[failed.index()] != failed) {
      return false;
    }
    @Nullable GroupShard[] copy = table.byPartition().clone();
    copy[failed.index()] = fresh;
    shards = new Shards(table.topicId(), copy);
    return true;
  }

  // Time.

  private void setAlarm() {
    long earliest = Deadlines.NEVER;
    for (GroupShard shard : shards.here()) {
      earliest = Math.min(earliest, shard.nextDeadlineMs());
    }
    alarm.set(earliest);
  }

  private void ring() {
    long nowMs = monotonicMs();
    for (GroupShard shard : shards.here()) {
      if (shard.nextDeadlineMs() <= nowMs) {
        shard.tick();
      }
    }
    setAlarm();
  }

  private void expireOffsets() {
    forAll(GroupStateMachine::expireOffsets);
  }

  private void forAll(Input input) {
    for (GroupShard shard : shards.here()) {
      if (shard.phase() == Phase.ACTIVE) {
        shard.submit(new Work(input, (error, out) -> {}, true));
      }
    }
  }

  // Requests.

  private static ErrorCode readiness(@Nullable GroupShard shard) {
    if (shard == null) {
      return ErrorCode.NOT_COORDINATOR;
    }
    return switch (shard.phase()) {
      case LOADING -> ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      case ACTIVE -> ErrorCode.NONE;
      case RESIGNED -> ErrorCode.NOT_COORDINATOR;
    };
  }

  /// The shard in charge of a group, or null.
  @Nullable GroupShard shard(String groupId) {
    return shards.of(groupId);
  }

  private static void dispatch(
      @Nullable GroupShard shard, boolean whenQuiet, Input input, Refusal refusal) {
    ErrorCode ready = readiness(shard);
    if (shard == null || ready != ErrorCode.NONE) {
      Effects refused = new Effects();
      refusal.refuse(ready, refused);
      refused.takeAnswers().forEach(Effects.Answer::give);
    } else {
      shard.submit(new Work(input, refusal, whenQuiet));
    }
  }

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String groupId) {
    int count = topic.partitions();
    if (count > 0) {
      return CompletableFuture.completedFuture(
          new PartitionResult(ErrorCode.NONE, Shards.partitionFor(groupId, count)));
    }
    return topic
        .create()
        .thenApply(
            error -> {
              int made = topic.partitions();
              if (error != ErrorCode.NONE || made == 0) {
                return new PartitionResult(ErrorCode.COORDINATOR_NOT_AVAILABLE, -1);
              }
              return new PartitionResult(ErrorCode.NONE, Shards.partitionFor(groupId, made));
            });
  }

  @Override
  public CompletableFuture<JoinResult> join(JoinRequest request) {
    CompletableFuture<JoinResult> to = new CompletableFuture<>();
    dispatch(
        shards.of(request.groupId()),
        false,
        (machine, now, out) -> machine.join(now, request, to, out),
        (error, out) -> out.answer(to, Membership.joinError(error, request.memberId())));
    return to;
  }

  @Override
  public CompletableFuture<SyncResult> sync(SyncRequest request) {
    CompletableFuture<SyncResult> to = new CompletableFuture<>();
    dispatch(
        shards.of(request.groupId()),
        false,
        (machine, now, out) -> machine.sync(now, request, to, out),
        (error, out) -> out.answer(to, Membership.syncError(error)));
    return to;
  }

  @Override
  public ErrorCode heartbeat(
      String groupId, int generation, String memberId, @Nullable String instanceId) {
    if (groupId.isEmpty()) {
      return ErrorCode.INVALID_GROUP_ID;
    }
    GroupShard shard = shards.of(groupId);
    ErrorCode ready = readiness(shard);
    return shard == null || ready != ErrorCode.NONE
        ? ready
        : shard.machine().heartbeat(monotonicMs(), groupId, generation, memberId, instanceId);
  }

  @Override
  public CompletableFuture<LeaveResult> leave(String groupId, List<LeavingMember> members) {
    CompletableFuture<LeaveResult> to = new CompletableFuture<>();
    dispatch(
        shards.of(groupId),
        false,
        (machine, now, out) -> machine.leave(now, groupId, members, to, out),
        (error, out) -> out.answer(to, new LeaveResult(error, List.of())));
    return to;
  }

  @Override
  public CompletableFuture<List<ErrorCode>> commitOffsets(CommitRequest request) {
    CompletableFuture<List<ErrorCode>> to = new CompletableFuture<>();
    dispatch(
        shards.of(request.groupId()),
        false,
        (machine, now, out) -> machine.commitOffsets(now, request, to, out),
        (error, out) -> out.answer(to, Collections.nCopies(request.offsets().size(), error)));
    return to;
  }

  @Override
  public CompletableFuture<List<ErrorCode>> commitTransactionalOffsets(TxnCommitRequest request) {
    CompletableFuture<List<ErrorCode>> to = new CompletableFuture<>();
    dispatch(
        shards.of(request.groupId()),
        false,
        (machine, now, out) -> machine.commitTransactionalOffsets(now, request, to, out),
        (error, out) -> out.answer(to, Collections.nCopies(request.offsets().size(), error)));
    return to;
  }

  @Override
  public CompletableFuture<ErrorCode> endTransaction(
      int partition,
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {
    Shards table = shards;
    if (partition < 0 || partition >= topic.partitions()) {
      return CompletableFuture.completedFuture(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    TxnMarker marker =
        new TxnMarker(
            new TxnProducer(producerId, producerEpoch),
            coordinatorEpoch,
            commit,
            transactionVersion);
    CompletableFuture<ErrorCode> to = new CompletableFuture<>();
    dispatch(
        partition < table.byPartition().length ? table.byPartition()[partition] : null,
        false,
        (machine, now, out) -> machine.endTransaction(marker, to, out),
        (error, out) -> out.answer(to, error));
    return to;
  }

  @Override
  public CompletableFuture<FetchedOffsets> fetchOffsets(
      String groupId, @Nullable List<OffsetKey> keys, boolean requireStable) {
    GroupShard shard = shards.of(groupId);
    ErrorCode ready = readiness(shard);
    return CompletableFuture.completedFuture(
        shard == null || ready != ErrorCode.NONE
            ? new FetchedOffsets(ready, List.of())
            : shard.machine().fetchOffsets(groupId, keys, requireStable));
  }

  @Override
  public CompletableFuture<DeletedOffsets> deleteOffsets(String groupId, List<OffsetKey> keys) {
    CompletableFuture<DeletedOffsets> to = new CompletableFuture<>();
    dispatch(
        shards.of(groupId),
        true,
        (machine, now, out) -> machine.deleteOffsets(groupId, keys, to, out),
        (error, out) -> out.answer(to, new DeletedOffsets(error, List.of())));
    return to;
  }

  @Override
  public CompletableFuture<List<GroupDescription>> describe(List<String> groupIds) {
    return scatter(
        groupIds,
        false,
        (ids, to) -> (machine, now, out) -> machine.describe(ids, to, out),
        (error, id) -> new GroupDescription(error, id, "", "", "", List.of(), null));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> deleteGroups(List<String> groupIds) {
    return scatter(
        groupIds,
        true,
        (ids, to) -> (machine, now, out) -> machine.deleteGroups(ids, to, out),
        (error, id) -> error);
  }

  /// Part of a request that concerns groups of many shards.
  private interface Part<T> {
    Input input(List<String> groupIds, CompletableFuture<List<T>> to);
  }

  private interface Refused<T> {
    T refused(ErrorCode error, String groupId);
  }

  /// Asks each shard once and puts the answers in the order of the groups.
  private <T> CompletableFuture<List<T>> scatter(
      List<String> groupIds, boolean whenQuiet, Part<T> part, Refused<T> refused) {
    Shards table = shards;
    Map<Integer, List<Integer>> positions = new LinkedHashMap<>();
    for (int i = 0; i < groupIds.size(); i++) {
      int partition =
          table.exist() ? Shards.partitionFor(groupIds.get(i), table.byPartition().length) : -1;
      positions.computeIfAbsent(partition, key -> new ArrayList<>()).add(i);
    }
    List<@Nullable T> results = new ArrayList<>(Collections.nCopies(groupIds.size(), null));
    List<CompletableFuture<?>> parts = new ArrayList<>(positions.size());
    positions.forEach(
        (partition, indexes) -> {
          GroupShard shard = partition < 0 ? null : table.byPartition()[partition];
          List<String> ids = indexes.stream().map(groupIds::get).toList();
          CompletableFuture<List<T>> to = new CompletableFuture<>();
          dispatch(
              shard,
              whenQuiet,
              part.input(ids, to),
              (error, out) ->
                  out.answer(to, ids.stream().map(id -> refused.refused(error, id)).toList()));
          parts.add(
              to.thenAccept(
                  answers -> {
                    synchronized (results) {
                      for (int i = 0; i < indexes.size(); i++) {
                        results.set(indexes.get(i), answers.get(i));
                      }
                    }
                  }));
        });
    return CompletableFuture.allOf(parts.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            done -> {
              synchronized (results) {
                return List.copyOf(results);
              }
            });
  }

  @Override
  public ListedGroups list(Set<String> states, Set<String> types) {
    Set<String> wanted = lowerCase(states);
    boolean ofType = types.isEmpty() || lowerCase(types).contains(TYPE);
    List<ListedGroup> listed = new ArrayList<>();
    ErrorCode error = ErrorCode.NONE;
    for (GroupShard shard : shards.here()) {
      if (shard.phase() == Phase.LOADING) {
        error = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      } else if (ofType) {
        for (Group group : shard.machine().groups()) {
          String state = group.state().title();
          String protocolType = group.protocolType();
          if (wanted.isEmpty() || wanted.contains(state.toLowerCase(Locale.ROOT))) {
            listed.add(
                new ListedGroup(
                    group.groupId(), protocolType == null ? "" : protocolType, state, TYPE));
          }
        }
      }
    }
    return new ListedGroups(error, error == ErrorCode.NONE ? listed : List.of());
  }

  private static Set<String> lowerCase(Set<String> words) {
    Set<String> lower = new HashSet<>();
    for (String word : words) {
      lower.add(word.toLowerCase(Locale.ROOT));
    }
    return lower;
  }
}
