package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.DeletedOffsets;
import io.takhin.api.group.GroupCoordinator.FetchedOffsets;
import io.takhin.api.group.GroupCoordinator.GroupDescription;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.LeaveResult;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.MemberDescription;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.SyncRequest;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import io.takhin.coordinator.AppendErrors;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.ShardEffects.TxnMarker;
import io.takhin.coordinator.StateMachine;
import io.takhin.coordinator.group.GroupRecord.OffsetCommit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The groups of one partition of `__consumer_offsets` as a state machine: inputs and the time go
/// in, [Effects] come out, and the same class replays the records that it once asked to write. It
/// does no I/O, reads no clock, starts no thread and never completes a future: the shard does that
/// in production, a simulation in the tests.
///
/// Threads: one at a time for everything but [#heartbeat], [#fetchOffsets] and [#groups], which
/// read published state from any thread.
final class GroupStateMachine implements StateMachine<GroupRecord, Effects> {
  private final Groups groups;
  private final Membership membership;
  private final Offsets offsets;

  GroupStateMachine(GroupConfig config, Supplier<UUID> ids) {
    groups = new Groups(config.maxGroupsOfShard());
    membership = new Membership(groups, config, ids);
    offsets = new Offsets(groups, config);
  }

  void join(Now now, JoinRequest request, CompletableFuture<JoinResult> to, Effects out) {
    membership.join(now, request, to, out);
  }

  void sync(Now now, SyncRequest request, CompletableFuture<SyncResult> to, Effects out) {
    membership.sync(now, request, to, out);
  }

  void leave(
      Now now,
      String groupId,
      List<LeavingMember> members,
      CompletableFuture<LeaveResult> to,
      Effects out) {
    membership.leave(now, groupId, members, to, out);
  }

  /// Any thread; allocates nothing.
  ErrorCode heartbeat(
      long monotonicMs,
      String groupId,
      int generation,
      String memberId,
      @Nullable String instanceId) {
    Group group = groups.get(groupId);
    if (group == null) {
      return ErrorCode.UNKNOWN_MEMBER_ID;
    }
    long stateAndGeneration = group.stateAndGeneration();
    ErrorCode error = group.validate(memberId, instanceId);
    Member member = group.member(memberId);
    if (error != ErrorCode.NONE || member == null) {
      return error == ErrorCode.NONE ? ErrorCode.UNKNOWN_MEMBER_ID : error;
    }
    if (generation != Group.generationOf(stateAndGeneration)) {
      return ErrorCode.ILLEGAL_GENERATION;
    }
    return switch (Group.stateOf(stateAndGeneration)) {
      case EMPTY, DEAD -> ErrorCode.UNKNOWN_MEMBER_ID;
      case PREPARING_REBALANCE -> {
        member.touch(monotonicMs);
        yield ErrorCode.REBALANCE_IN_PROGRESS;
      }
      case COMPLETING_REBALANCE, STABLE -> {
        member.touch(monotonicMs);
        yield ErrorCode.NONE;
      }
    };
  }

  void commitOffsets(
      Now now, CommitRequest request, CompletableFuture<List<ErrorCode>> to, Effects out) {
    offsets.commit(now, request, to, out);
  }

  void commitTransactionalOffsets(
      Now now, TxnCommitRequest request, CompletableFuture<List<ErrorCode>> to, Effects out) {
    offsets.commitTransactional(now, request, to, out);
  }

  void endTransaction(TxnMarker marker, CompletableFuture<ErrorCode> to, Effects out) {
    offsets.endTransaction(marker, to, out);
  }

  /// Any thread.
  FetchedOffsets fetchOffsets(
      String groupId, @Nullable List<OffsetKey> keys, boolean requireStable) {
    return offsets.fetch(groupId, keys, requireStable);
  }

  /// Only while no write is under way.
  void deleteOffsets(
      String groupId, List<OffsetKey> keys, CompletableFuture<DeletedOffsets> to, Effects out) {
    offsets.delete(groupId, keys, to, out);
  }

  /// Only while no write is under way.
  void deleteGroups(List<String> groupIds, CompletableFuture<List<ErrorCode>> to, Effects out) {
    List<ErrorCode> results = new ArrayList<>(groupIds.size());
    List<GroupRecord> tombstones = new ArrayList<>();
    for (String groupId : groupIds) {
      results.add(offsets.deleteGroup(groups.get(groupId), tombstones));
    }
    offsets.write(
        tombstones,
        out,
        (appended, then) -> {
          if (appended != ErrorCode.NONE) {
            ErrorCode told = AppendErrors.told(appended);
            results.replaceAll(result -> result == ErrorCode.NONE ? told : result);
          }
          then.answer(to, results);
        });
  }

  /// Only while no write is under way.
  void topicsDeleted(Set<String> topics, Effects out) {
    offsets.topicsDeleted(topics, out);
  }

  /// Only while no write is under way.
  void expireOffsets(Now now, Effects out) {
    offsets.expire(now, out);
  }

  void describe(List<String> groupIds, CompletableFuture<List<GroupDescription>> to, Effects out) {
    List<GroupDescription> descriptions = new ArrayList<>(groupIds.size());
    for (String groupId : groupIds) {
      descriptions.add(describe(groupId));
    }
    out.answer(to, descriptions);
  }

  private GroupDescription describe(String groupId) {
    Group group = groups.get(groupId);
    if (group == null) {
      return unknown(groupId);
    }
    boolean stable = group.is(GroupState.STABLE);
    String protocol = group.protocol();
    List<MemberDescription> members = new ArrayList<>(group.size());
    for (Member member : group.members()) {
      members.add(
          new MemberDescription(
              member.memberId,
              member.instanceId,
              member.clientId,
              member.clientHost,
              stable ? member.metadata(protocol) : Member.NO_ASSIGNMENT,
              member.assignment));
    }
    String type = group.protocolType();
    return new GroupDescription(
        ErrorCode.NONE,
        groupId,
        group.state().title(),
        type == null ? "" : type,
        stable && protocol != null ? protocol : "",
        members,
        null);
  }

  private static GroupDescription unknown(String groupId) {
    return new GroupDescription(
        ErrorCode.GROUP_ID_NOT_FOUND,
        groupId,
        GroupState.DEAD.title(),
        "",
        "",
        List.of(),
        "Group " + groupId + " not found.");
  }

  /// Any thread.
  Collection<Group> groups() {
    return groups.all();
  }

  /// The group, or null. Any thread, for what is published of it.
  @Nullable Group group(String groupId) {
    return groups.get(groupId);
  }

  @Override
  public long nextDeadlineMs() {
    return groups.deadlines().nextMs();
  }

  @Override
  public void expire(Now now, Effects out) {
    Group group = groups.deadlines().due(now.monotonicMs());
    while (group != null) {
      if (groups.holds(group)) {
        membership.expire(now, group, out);
      }
      group = groups.deadlines().due(now.monotonicMs());
    }
  }

  @Override
  public void replay(GroupRecord record) {
    groups.replay(record);
  }

  @Override
  public void replayTransactional(long producerId, GroupRecord record) {
    if (record instanceof OffsetCommit commit && commit.value() != null) {
      groups.pending().add(producerId, commit, groups.pending().nextOrder());
    } else {
      // Kafka writes nothing else in transactions; it would count at once there too.
      groups.replay(record);
    }
  }

  @Override
  public void replayMarker(long producerId, boolean commit) {
    groups.pending().ended(producerId, commit, groups.pending().nextOrder(), 0);
  }

  /// Offsets about which transactions are undecided. Behind the gate.
  int pendingOffsets() {
    return groups.pending().size();
  }

  @Override
  public void loaded(Now now, Effects out) {
    for (Group group : groups.all()) {
      membership.resume(now, group, out);
    }
  }

  @Override
  public void resign(ErrorCode error, Effects out) {
    for (Group group : groups.all()) {
      membership.resign(group, error, out);
    }
  }
}
