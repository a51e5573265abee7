package io.takhin.testkit.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.testkit.group.InMemoryGroup.Member;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Groups in memory, for tests of what stands above a coordinator: the classic protocol as far as
/// its contract goes, under one lock. It keeps nothing, has no limit of members, lets no offset
/// expire, and takes every member's metadata for a subscription.
///
/// Threading: any. Deadlines run on the scheduler of the context.
public final class InMemoryGroupCoordinator implements GroupCoordinator {
  private static final int PARTITIONS = 50;
  private static final int INITIAL_DELAY_MS = 3_000;
  private static final int MAX_METADATA = 4_096;
  private static final Comparator<OffsetKey> BY_NAME =
      Comparator.comparing(OffsetKey::topic).thenComparingInt(OffsetKey::partition);

  private final PluginContext context;
  private final Map<String, InMemoryGroup> groups = new TreeMap<>();

  /// A coordinator without groups.
  public InMemoryGroupCoordinator(PluginContext context) {
    this.context = context;
  }

  private long nowMs() {
    return context.nanoTime() / 1_000_000;
  }

  private long deadline(long afterMs) {
    context.scheduler().schedule(this::tick, afterMs, TimeUnit.MILLISECONDS);
    return nowMs() + afterMs;
  }

  private void touch(Member member) {
    member.sessionEndMs = deadline(member.request.sessionTimeoutMs());
  }

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String groupId) {
    return CompletableFuture.completedFuture(
        new PartitionResult(ErrorCode.NONE, partitionOf(groupId)));
  }

  private static int partitionOf(String groupId) {
    int hash = groupId.hashCode();
    return (hash == Integer.MIN_VALUE ? 0 : Math.abs(hash)) % PARTITIONS;
  }

  private static JoinResult refused(ErrorCode error, String memberId) {
    return new JoinResult(error, -1, null, null, "", false, memberId, List.of());
  }

  @Override
  public synchronized CompletableFuture<JoinResult> join(JoinRequest request) {
    CompletableFuture<JoinResult> to = new CompletableFuture<>();
    String memberId = request.memberId();
    InMemoryGroup group = groups.get(request.groupId());
    if (request.groupId().isEmpty()) {
      to.complete(refused(ErrorCode.INVALID_GROUP_ID, memberId));
    } else if (request.sessionTimeoutMs() < 6_000 || request.sessionTimeoutMs() > 1_800_000) {
      to.complete(refused(ErrorCode.INVALID_SESSION_TIMEOUT, memberId));
    } else if (group == null && !memberId.isEmpty()) {
      to.complete(refused(ErrorCode.UNKNOWN_MEMBER_ID, memberId));
    } else {
      InMemoryGroup in = groups.computeIfAbsent(request.groupId(), InMemoryGroup::new);
      if (!in.supports(request)) {
        to.complete(refused(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId));
      } else if (memberId.isEmpty()) {
        joinNew(in, request, to);
      } else if (in.pending.remove(memberId) != null) {
        add(in, new Member(memberId, request), to);
      } else {
        rejoin(in, request, to);
      }
    }
    return to;
  }

  private void joinNew(InMemoryGroup group, JoinRequest request, CompletableFuture<JoinResult> to) {
    String instanceId = request.instanceId();
    String prefix = instanceId == null ? request.clientId() : instanceId;
    String id = prefix + "-" + UUID.randomUUID();
    Member old = group.byInstance(instanceId);
    if (old != null) {
      Member next = new Member(id, request);
      next.assignment = old.assignment;
      settle(old, ErrorCode.FENCED_INSTANCE_ID);
      boolean led = group.leader.equals(old.id);
      group.remove(old);
      group.members.put(id, next);
      group.leader = led ? id : group.leader;
      touch(next);
      if (group.state.equals("Stable")) {
        to.complete(group.joined(next, led));
      } else {
        next.joining = to;
        rebalance(group);
      }
    } else if (instanceId == null && request.requireKnownMemberId()) {
      group.pending.put(id, deadline(request.sessionTimeoutMs()));
      to.complete(refused(ErrorCode.MEMBER_ID_REQUIRED, id));
    } else {
      add(group, new Member(id, request), to);
    }
  }

  private void add(InMemoryGroup group, Member member, CompletableFuture<JoinResult> to) {
    if (group.members.isEmpty()) {
      group.protocolType = member.request.protocolType();
      group.leader = member.id;
    }
    group.grew = true;
    group.members.put(member.id, member);
    member.joining = to;
    touch(member);
    rebalance(group);
  }

  private void rejoin(InMemoryGroup group, JoinRequest request, CompletableFuture<JoinResult> to) {
    Member member = group.members.get(request.memberId());
    ErrorCode error = group.validate(request.memberId(), request.instanceId());
    if (error != ErrorCode.NONE || member == null) {
      to.complete(refused(error, request.memberId()));
      return;
    }
    boolean same = sameProtocols(member.request, request);
    boolean settled =
        group.state.equals("CompletingRebalance")
            || (group.state.equals("Stable") && !group.leader.equals(member.id));
    if (same && settled) {
      to.complete(group.joined(member, false));
      return;
    }
    member.request = request;
    member.joining = to;
    touch(member);
    rebalance(group);
  }

  private static boolean sameProtocols(JoinRequest a, JoinRequest b) {
    if (a.protocols().size() != b.protocols().size()) {
      return false;
    }
    for (int i = 0; i < a.protocols().size(); i++) {
      Protocol x = a.protocols().get(i);
      Protocol y = b.protocols().get(i);
      if (!x.name().equals(y.name()) || !java.util.Arrays.equals(x.metadata(), y.metadata())) {
        return false;
      }
    }
    return true;
  }

  /// Puts the barrier up, or lets it fall when everybody is in.
  private void rebalance(InMemoryGroup group) {
    if (!group.state.equals("PreparingRebalance")) {
      group.members.values().forEach(each -> failSync(each, ErrorCode.REBALANCE_IN_PROGRESS));
      group.first = group.state.equals("Empty");
      group.grew = false;
      group.state = "PreparingRebalance";
      group.syncEndMs = InMemoryGroup.NEVER;
      group.joinEndMs =
          deadline(
              group.first
                  ? INITIAL_DELAY_MS
                  : group.members.values().stream()
                      .mapToInt(each -> each.request.rebalanceTimeoutMs())
                      .max()
                      .orElse(0));
    }
    if (!group.first && group.allIn()) {
      generation(group);
    }
  }

  private void generation(InMemoryGroup group) {
    group.joinEndMs = InMemoryGroup.NEVER;
    for (Member member : List.copyOf(group.members.values())) {
      if (member.joining == null && member.request.instanceId() == null) {
        group.remove(member);
      }
    }
    group.generation++;
    if (group.members.isEmpty()) {
      group.state = "Empty";
      group.protocol = "";
      return;
    }
    group.state = "CompletingRebalance";
    group.protocol = group.common().getFirst();
    int timeoutMs = 0;
    for (Member member : group.members.values()) {
      member.synced = false;
      timeoutMs = Math.max(timeoutMs, member.request.rebalanceTimeoutMs());
      touch(member);
    }
    group.syncEndMs = deadline(timeoutMs);
    for (Member member : group.members.values()) {
      CompletableFuture<JoinResult> to = member.joining;
      member.joining = null;
      if (to != null) {
        to.complete(group.joined(member, false));
      }
    }
  }

  private static SyncResult refused(ErrorCode error) {
    return new SyncResult(error, null, null, new byte[0]);
  }

  private static void failSync(Member member, ErrorCode error) {
    CompletableFuture<SyncResult> to = member.syncing;
    member.syncing = null;
    if (to != null) {
      to.complete(refused(error));
    }
  }

  private static void settle(Member member, ErrorCode error) {
    CompletableFuture<JoinResult> to = member.joining;
    member.joining = null;
    if (to != null) {
      to.complete(refused(error, member.id));
    }
    failSync(member, error);
  }

  @Override
  public synchronized CompletableFuture<SyncResult> sync(SyncRequest request) {
    CompletableFuture<SyncResult> to = new CompletableFuture<>();
    InMemoryGroup group = groups.get(request.groupId());
    Member member = group == null ? null : group.members.get(request.memberId());
    if (group == null || member == null) {
      to.complete(refused(ErrorCode.UNKNOWN_MEMBER_ID));
      return to;
    }
    if (request.generation() != group.generation) {
      to.complete(refused(ErrorCode.ILLEGAL_GENERATION));
    } else if (group.state.equals("PreparingRebalance")) {
      to.complete(refused(ErrorCode.REBALANCE_IN_PROGRESS));
    } else {
      member.synced = true;
      member.syncing = to;
      if (group.state.equals("CompletingRebalance") && group.leader.equals(member.id)) {
        group.members.values().forEach(each -> each.assignment = new byte[0]);
        for (Assignment each : request.assignments()) {
          Member assigned = group.members.get(each.memberId());
          if (assigned != null) {
            assigned.assignment = each.assignment();
          }
        }
        group.state = "Stable";
      }
      if (group.state.equals("Stable")) {
        group.members.values().forEach(each -> answerSync(group, each));
      }
    }
    return to;
  }

  private void answerSync(InMemoryGroup group, Member member) {
    CompletableFuture<SyncResult> to = member.syncing;
    member.syncing = null;
    if (to != null) {
      touch(member);
      to.complete(
          new SyncResult(ErrorCode.NONE, group.protocolType, group.protocol, member.assignment));
    }
  }

  @Override
  public synchronized ErrorCode heartbeat(
      String groupId, int generation, String memberId, @Nullable String instanceId) {
    InMemoryGroup group = groups.get(groupId);
    if (group == null) {
      return groupId.isEmpty() ? ErrorCode.INVALID_GROUP_ID : ErrorCode.UNKNOWN_MEMBER_ID;
    }
    ErrorCode error = group.validate(memberId, instanceId);
    Member member = group.members.get(memberId);
    if (error != ErrorCode.NONE || member == null) {
      return error;
    }
    if (generation != group.generation) {
      return ErrorCode.ILLEGAL_GENERATION;
    }
    touch(member);
    return group.state.equals("PreparingRebalance")
        ? ErrorCode.REBALANCE_IN_PROGRESS
        : ErrorCode.NONE;
  }

  @Override
  public synchronized CompletableFuture<LeaveResult> leave(
      String groupId, List<LeavingMember> members) {
    List<ErrorCode> results = new ArrayList<>();
    InMemoryGroup group = groups.get(groupId);
    for (LeavingMember each : members) {
      results.add(group == null ? ErrorCode.UNKNOWN_MEMBER_ID : leave(group, each));
    }
    if (group != null && results.contains(ErrorCode.NONE) && !group.state.equals("Empty")) {
      rebalance(group);
    }
    return CompletableFuture.completedFuture(new LeaveResult(ErrorCode.NONE, results));
  }

  private static ErrorCode leave(InMemoryGroup group, LeavingMember leaving) {
    if (group.pending.remove(leaving.memberId()) != null) {
      return ErrorCode.NONE;
    }
    Member member =
        leaving.memberId().isEmpty()
            ? group.byInstance(leaving.instanceId())
            : group.members.get(leaving.memberId());
    if (member == null) {
      return ErrorCode.UNKNOWN_MEMBER_ID;
    }
    ErrorCode error = group.validate(member.id, leaving.instanceId());
    if (error == ErrorCode.NONE) {
      settle(member, ErrorCode.UNKNOWN_MEMBER_ID);
      group.remove(member);
    }
    return error;
  }

  private synchronized void tick() {
    long nowMs = nowMs();
    for (InMemoryGroup group : List.copyOf(groups.values())) {
      if (group.joinEndMs <= nowMs) {
        if (group.first && group.grew) {
          group.grew = false;
          group.joinEndMs = deadline(INITIAL_DELAY_MS);
        } else {
          generation(group);
        }
      }
      boolean lost = group.pending.values().removeIf(endMs -> endMs <= nowMs);
      boolean late = group.syncEndMs <= nowMs;
      group.syncEndMs = late ? InMemoryGroup.NEVER : group.syncEndMs;
      for (Member member : List.copyOf(group.members.values())) {
        boolean waits = member.joining != null || member.syncing != null;
        if ((!waits && member.sessionEndMs <= nowMs) || (late && !member.synced)) {
          settle(member, ErrorCode.UNKNOWN_MEMBER_ID);
          group.remove(member);
          lost = true;
        }
      }
      if (lost && !group.state.equals("Empty")) {
        rebalance(group);
      }
    }
  }

  @Override
  public synchronized CompletableFuture<List<ErrorCode>> commitOffsets(CommitRequest request) {
    InMemoryGroup group = groups.get(request.groupId());
    ErrorCode error = checkCommit(group, request);
    List<ErrorCode> results = new ArrayList<>();
    for (OffsetToCommit each : request.offsets()) {
      ErrorCode result = error;
      if (result == ErrorCode.NONE && each.metadata().length() > MAX_METADATA) {
        result = ErrorCode.OFFSET_METADATA_TOO_LARGE;
      }
      if (result == ErrorCode.NONE) {
        InMemoryGroup in = groups.computeIfAbsent(request.groupId(), InMemoryGroup::new);
        OffsetKey key = new OffsetKey(each.topic(), each.partition());
        in.offsets.put(key, committed(each));
        // What was written later wins, whenever a transaction that is older commits.
        in.undecided.values().forEach(pending -> pending.replace(key, committed(each)));
      }
      results.add(result);
    }
    return CompletableFuture.completedFuture(results);
  }

  private static FetchedOffset committed(OffsetToCommit offset) {
    return new FetchedOffset(
        offset.topic(),
        offset.partition(),
        ErrorCode.NONE,
        offset.offset(),
        offset.leaderEpoch(),
        offset.metadata());
  }

  @Override
  public synchronized CompletableFuture<List<ErrorCode>> commitTransactionalOffsets(
      TxnCommitRequest request) {
    InMemoryGroup group = groups.get(request.groupId());
    ErrorCode error = checkCommit(group, request);
    List<ErrorCode> results = new ArrayList<>();
    for (OffsetToCommit each : request.offsets()) {
      ErrorCode result = error;
      if (result == ErrorCode.NONE && each.metadata().length() > MAX_METADATA) {
        result = ErrorCode.OFFSET_METADATA_TOO_LARGE;
      }
      if (result == ErrorCode.NONE) {
        groups
            .computeIfAbsent(request.groupId(), InMemoryGroup::new)
            .undecided
            .computeIfAbsent(request.producerId(), id -> new TreeMap<>(BY_NAME))
            .put(new OffsetKey(each.topic(), each.partition()), committed(each));
      }
      results.add(result);
    }
    return CompletableFuture.completedFuture(results);
  }

  private static ErrorCode checkCommit(@Nullable InMemoryGroup group, TxnCommitRequest request) {
    boolean silent =
        request.generation() < 0 && request.memberId().isEmpty() && request.instanceId() == null;
    if (group == null || silent || group.state.equals("Empty")) {
      return request.generation() < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
    }
    ErrorCode error = group.validate(request.memberId(), request.instanceId());
    return error == ErrorCode.NONE && request.generation() != group.generation
        ? ErrorCode.ILLEGAL_GENERATION
        : error;
  }

  @Override
  public synchronized CompletableFuture<ErrorCode> endTransaction(
      int partition,
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {
    if (partition < 0 || partition >= PARTITIONS) {
      return CompletableFuture.completedFuture(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    for (InMemoryGroup group : groups.values()) {
      if (partitionOf(group.id) == partition) {
        Map<OffsetKey, FetchedOffset> decided = group.undecided.remove(producerId);
        if (commit && decided != null) {
          group.offsets.putAll(decided);
        }
      }
    }
    groups
        .values()
        .removeIf(
            group ->
                group.generation == 0
                    && group.members.isEmpty()
                    && group.pending.isEmpty()
                    && group.offsets.isEmpty()
                    && group.undecided.isEmpty());
    return CompletableFuture.completedFuture(ErrorCode.NONE);
  }

  private ErrorCode checkCommit(@Nullable InMemoryGroup group, CommitRequest request) {
    boolean simple = request.generation() < 0;
    if (group == null) {
      return simple ? ErrorCode.NONE : ErrorCode.GROUP_ID_NOT_FOUND;
    }
    if (group.state.equals("Empty")) {
      return simple ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
    }
    ErrorCode error = group.validate(request.memberId(), request.instanceId());
    Member member = group.members.get(request.memberId());
    if (error != ErrorCode.NONE || member == null) {
      return error;
    }
    if (request.generation() != group.generation) {
      return ErrorCode.ILLEGAL_GENERATION;
    }
    touch(member);
    return group.state.equals("CompletingRebalance")
        ? ErrorCode.REBALANCE_IN_PROGRESS
        : ErrorCode.NONE;
  }

  @Override
  public synchronized CompletableFuture<FetchedOffsets> fetchOffsets(
      String groupId, @Nullable List<OffsetKey> keys, boolean requireStable) {
    InMemoryGroup group = groups.get(groupId);
    Map<OffsetKey, FetchedOffset> offsets = group == null ? Map.of() : group.offsets;
    List<FetchedOffset> fetched = new ArrayList<>();
    for (OffsetKey key : keys == null ? List.copyOf(offsets.keySet()) : keys) {
      FetchedOffset none =
          new FetchedOffset(key.topic(), key.partition(), ErrorCode.NONE, -1, -1, "");
      boolean unstable = requireStable && group != null && !group.stable(key);
      fetched.add(
          unstable
              ? new FetchedOffset(
                  key.topic(), key.partition(), ErrorCode.UNSTABLE_OFFSET_COMMIT, -1, -1, "")
              : offsets.getOrDefault(key, none));
    }
    return CompletableFuture.completedFuture(new FetchedOffsets(ErrorCode.NONE, fetched));
  }

  @Override
  public synchronized CompletableFuture<DeletedOffsets> deleteOffsets(
      String groupId, List<OffsetKey> keys) {
    InMemoryGroup group = groups.get(groupId);
    if (group == null) {
      return CompletableFuture.completedFuture(
          new DeletedOffsets(ErrorCode.GROUP_ID_NOT_FOUND, List.of()));
    }
    List<ErrorCode> results = new ArrayList<>();
    for (OffsetKey key : keys) {
      boolean used = group.subscribedTo(key.topic());
      if (!used) {
        group.offsets.remove(key);
        group.undecided.values().forEach(pending -> pending.remove(key));
      }
      results.add(used ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE);
    }
    return CompletableFuture.completedFuture(new DeletedOffsets(ErrorCode.NONE, results));
  }

  @Override
  public synchronized CompletableFuture<List<GroupDescription>> describe(List<String> groupIds) {
    return CompletableFuture.completedFuture(groupIds.stream().map(this::describe).toList());
  }

  private GroupDescription describe(String groupId) {
    InMemoryGroup group = groups.get(groupId);
    if (group == null) {
      String message = "Group " + groupId + " not found.";
      return new GroupDescription(
          ErrorCode.GROUP_ID_NOT_FOUND, groupId, "Dead", "", "", List.of(), message);
    }
    List<MemberDescription> members = new ArrayList<>();
    for (Member each : group.members.values()) {
      members.add(
          new MemberDescription(
              each.id,
              each.request.instanceId(),
              each.request.clientId(),
              each.request.clientHost(),
              each.metadata(group.protocol),
              each.assignment));
    }
    return new GroupDescription(
        ErrorCode.NONE, groupId, group.state, group.protocolType, group.protocol, members, null);
  }

  @Override
  public synchronized ListedGroups list(Set<String> states, Set<String> types) {
    Set<String> wanted = lowerCase(states);
    List<ListedGroup> listed = new ArrayList<>();
    for (InMemoryGroup group : groups.values()) {
      boolean ofState = wanted.isEmpty() || wanted.contains(group.state.toLowerCase(Locale.ROOT));
      boolean ofType = types.isEmpty() || lowerCase(types).contains("classic");
      if (ofState && ofType) {
        listed.add(new ListedGroup(group.id, group.protocolType, group.state, "classic"));
      }
    }
    return new ListedGroups(ErrorCode.NONE, listed);
  }

  private static Set<String> lowerCase(Set<String> words) {
    return words.stream().map(each -> each.toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
  }

  @Override
  public synchronized CompletableFuture<List<ErrorCode>> deleteGroups(List<String> groupIds) {
    List<ErrorCode> results = new ArrayList<>(Collections.nCopies(groupIds.size(), ErrorCode.NONE));
    for (int i = 0; i < groupIds.size(); i++) {
      InMemoryGroup group = groups.get(groupIds.get(i));
      if (group == null) {
        results.set(i, ErrorCode.GROUP_ID_NOT_FOUND);
      } else if (!group.state.equals("Empty")) {
        results.set(i, ErrorCode.NON_EMPTY_GROUP);
      } else {
        groups.remove(group.id);
      }
    }
    return CompletableFuture.completedFuture(results);
  }

  @Override
  public synchronized void close() {
    for (InMemoryGroup group : groups.values()) {
      group.members.values().forEach(each -> settle(each, ErrorCode.NOT_COORDINATOR));
    }
  }
}
