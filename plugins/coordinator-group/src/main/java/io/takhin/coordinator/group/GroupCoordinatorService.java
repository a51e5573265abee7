package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.coordinator.CoordinatorRuntime;
import io.takhin.coordinator.Shard;
import io.takhin.coordinator.Shard.Phase;
import io.takhin.coordinator.Shard.Question;
import io.takhin.coordinator.ShardEffects.TxnMarker;
import io.takhin.coordinator.ShardEffects.TxnProducer;
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
import org.jspecify.annotations.Nullable;

/// Puts each request to the state machine in charge of its group. What it shares with other
/// coordinators, from following the metadata to loading, is the [CoordinatorRuntime]'s.
///
/// Threads: requests on any thread; metadata on the cluster's applying thread.
final class GroupCoordinatorService implements GroupCoordinator {
  private static final String TYPE = "classic";

  private final GroupConfig config;
  private final PluginContext context;
  private final CoordinatorRuntime<GroupStateMachine, GroupRecord, Effects> runtime;

  GroupCoordinatorService(GroupConfig config, PluginContext context) {
    this.config = config;
    this.context = context;
    runtime = new CoordinatorRuntime<>(new GroupKind(config, this::uuid), context);
  }

  @Override
  public void start() {
    new GroupMetrics(runtime::machines, context.service(PartitionService.class))
        .register(context.metrics());
    runtime.start();
    runtime.every(config.offsetsRetentionCheckMs(), true, GroupStateMachine::expireOffsets);
    context.service(Cluster.class).subscribe(this::metadataChanged);
  }

  @Override
  public void drain() {
    runtime.resign();
  }

  @Override
  public void close() {
    runtime.resign();
  }

  private void metadataChanged(
      MetadataImage image, MetadataImage before, List<MetadataRecord> records) {
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
      runtime.forAll(true, (machine, at, out) -> machine.topicsDeleted(deleted, out));
    }
  }

  /// A random UUID (version 4) for a member's id: who does not know it cannot speak for the member.
  private UUID uuid() {
    long high = (context.random().nextLong() & ~0xF000L) | 0x4000L;
    long low = (context.random().nextLong() & (-1L >>> 2)) | Long.MIN_VALUE;
    return new UUID(high, low);
  }

  /// The shard in charge of a group, or null.
  @Nullable Shard<GroupStateMachine, GroupRecord, Effects> shard(String groupId) {
    return runtime.shard(groupId);
  }

  // Requests.

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String groupId) {
    return runtime.partitionFor(groupId, PartitionResult::new);
  }

  @Override
  public CompletableFuture<JoinResult> join(JoinRequest request) {
    return runtime.ask(
        request.groupId(),
        (machine, now, to, out) -> machine.join(now, request, to, out),
        error -> Answers.joinError(error, request.memberId()));
  }

  @Override
  public CompletableFuture<SyncResult> sync(SyncRequest request) {
    return runtime.ask(
        request.groupId(),
        (machine, now, to, out) -> machine.sync(now, request, to, out),
        error -> Answers.syncError(error));
  }

  @Override
  public ErrorCode heartbeat(
      String groupId, int generation, String memberId, @Nullable String instanceId) {
    if (groupId.isEmpty()) {
      return ErrorCode.INVALID_GROUP_ID;
    }
    Shard<GroupStateMachine, GroupRecord, Effects> shard = runtime.shard(groupId);
    ErrorCode ready = CoordinatorRuntime.readiness(shard);
    return shard == null || ready != ErrorCode.NONE
        ? ready
        : shard
            .machine()
            .heartbeat(runtime.monotonicMs(), groupId, generation, memberId, instanceId);
  }

  @Override
  public CompletableFuture<LeaveResult> leave(String groupId, List<LeavingMember> members) {
    return runtime.ask(
        groupId,
        (machine, now, to, out) -> machine.leave(now, groupId, members, to, out),
        error -> new LeaveResult(error, List.of()));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> commitOffsets(CommitRequest request) {
    return runtime.ask(
        request.groupId(),
        (machine, now, to, out) -> machine.commitOffsets(now, request, to, out),
        error -> Collections.nCopies(request.offsets().size(), error));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> commitTransactionalOffsets(TxnCommitRequest request) {
    return runtime.ask(
        request.groupId(),
        (machine, now, to, out) -> machine.commitTransactionalOffsets(now, request, to, out),
        error -> Collections.nCopies(request.offsets().size(), error));
  }

  @Override
  public CompletableFuture<ErrorCode> endTransaction(
      int partition,
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {
    if (partition < 0 || partition >= runtime.partitions()) {
      return CompletableFuture.completedFuture(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    TxnMarker marker =
        new TxnMarker(
            new TxnProducer(producerId, producerEpoch),
            coordinatorEpoch,
            commit,
            transactionVersion);
    return runtime.ask(
        runtime.shard(partition),
        false,
        (machine, now, to, out) -> machine.endTransaction(marker, to, out),
        error -> error);
  }

  @Override
  public CompletableFuture<FetchedOffsets> fetchOffsets(
      String groupId, @Nullable List<OffsetKey> keys, boolean requireStable) {
    Shard<GroupStateMachine, GroupRecord, Effects> shard = runtime.shard(groupId);
    ErrorCode ready = CoordinatorRuntime.readiness(shard);
    return CompletableFuture.completedFuture(
        shard == null || ready != ErrorCode.NONE
            ? new FetchedOffsets(ready, List.of())
            : shard.machine().fetchOffsets(groupId, keys, requireStable));
  }

  @Override
  public CompletableFuture<DeletedOffsets> deleteOffsets(String groupId, List<OffsetKey> keys) {
    return runtime.ask(
        runtime.shard(groupId),
        true,
        (machine, now, to, out) -> machine.deleteOffsets(groupId, keys, to, out),
        error -> new DeletedOffsets(error, List.of()));
  }

  @Override
  public CompletableFuture<List<GroupDescription>> describe(List<String> groupIds) {
    return scatter(
        groupIds,
        false,
        ids -> (machine, now, to, out) -> machine.describe(ids, to, out),
        (error, id) -> new GroupDescription(error, id, "", "", "", List.of(), null));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> deleteGroups(List<String> groupIds) {
    return scatter(
        groupIds,
        true,
        ids -> (machine, now, to, out) -> machine.deleteGroups(ids, to, out),
        (error, id) -> error);
  }

  /// Part of a request that concerns groups of many shards.
  private interface Part<T> {
    Question<GroupStateMachine, Effects, List<T>> about(List<String> groupIds);
  }

  private interface Refused<T> {
    T refused(ErrorCode error, String groupId);
  }

  /// Asks each shard once and puts the answers in the order of the groups.
  private <T> CompletableFuture<List<T>> scatter(
      List<String> groupIds, boolean whenQuiet, Part<T> part, Refused<T> refused) {
    int partitions = runtime.partitions();
    Map<Integer, List<Integer>> positions = new LinkedHashMap<>();
    for (int i = 0; i < groupIds.size(); i++) {
      int partition =
          partitions > 0 ? CoordinatorRuntime.partitionFor(groupIds.get(i), partitions) : -1;
      positions.computeIfAbsent(partition, key -> new ArrayList<>()).add(i);
    }
    List<@Nullable T> results = new ArrayList<>(Collections.nCopies(groupIds.size(), null));
    List<CompletableFuture<?>> parts = new ArrayList<>(positions.size());
    positions.forEach(
        (partition, indexes) -> {
          List<String> ids = indexes.stream().map(groupIds::get).toList();
          parts.add(
              runtime
                  .ask(
                      runtime.shard(partition),
                      whenQuiet,
                      part.about(ids),
                      error -> ids.stream().map(id -> refused.refused(error, id)).toList())
                  .thenAccept(
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
    for (Shard<GroupStateMachine, GroupRecord, Effects> shard : runtime.here()) {
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
