package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.Assignment;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.LeaveResult;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.api.group.GroupCoordinator.SyncRequest;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import io.takhin.coordinator.AppendErrors;
import io.takhin.coordinator.Deadlines;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.WireWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Who is in a group: joining, the barrier of a rebalance, handing out assignments, leaving, dying.
/// See [GroupState] for the states. A function of its inputs: time and new ids are arguments.
///
/// Sources: KIP-62 (rebalance timeout), KIP-134 (initial delay), KIP-345 (static members), KIP-394
/// (member id first), KIP-814 (skipping the assignment).
final class Membership {
  private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

  /// How long a new member may wait for its first generation: clients give up sooner.
  private static final long NEW_MEMBER_TIMEOUT_MS = 5 * 60_000;

  /// What the metadata of one member may measure in all; more could never be written to the log.
  private static final int MAX_METADATA_BYTES = 1 << 20;

  private static final int MAX_PROTOCOLS = 1_000;

  private final Groups groups;
  private final GroupConfig config;
  private final Supplier<UUID> ids;

  Membership(Groups groups, GroupConfig config, Supplier<UUID> ids) {
    this.groups = groups;
    this.config = config;
    this.ids = ids;
  }

  // Joining.

  void join(Now now, JoinRequest request, CompletableFuture<JoinResult> to, Effects out) {
    ErrorCode invalid = check(request);
    if (invalid != ErrorCode.NONE) {
      out.answer(to, Answers.joinError(invalid, request.memberId()));
      return;
    }
    boolean newcomer = request.memberId().isEmpty();
    Group group = groups.get(request.groupId());
    if (group == null) {
      if (!newcomer) {
        out.answer(to, Answers.joinError(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId()));
        return;
      }
      if (groups.full()) {
        out.answer(to, Answers.joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, ""));
        return;
      }
      group = groups.getOrAdd(request.groupId());
    }
    if (!hasRoom(group, request.memberId())) {
      evict(now, group, request.memberId(), out);
      out.answer(to, Answers.joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, ""));
    } else if (!group.supports(request.protocolType(), request.protocols())) {
      out.answer(to, Answers.joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, request.memberId()));
    } else if (newcomer) {
      joinNew(now, group, request, to, out);
    } else {
      rejoin(now, group, request, to, out);
    }
    groups.dropIfVoid(group, now.wallMs());
  }

  private ErrorCode check(JoinRequest request) {
    if (request.groupId().isEmpty() || !WireWriter.fits(request.groupId())) {
      return ErrorCode.INVALID_GROUP_ID;
    }
    if (request.sessionTimeoutMs() < config.minSessionTimeoutMs()
        || request.sessionTimeoutMs() > config.maxSessionTimeoutMs()) {
      return ErrorCode.INVALID_SESSION_TIMEOUT;
    }
    long bytes = 0;
    for (Protocol protocol : request.protocols()) {
      bytes += protocol.metadata().length;
      if (!WireWriter.fits(protocol.name())) {
        return ErrorCode.INVALID_REQUEST;
      }
    }
    String instanceId = request.instanceId();
    boolean fits =
        bytes <= MAX_METADATA_BYTES
            && request.protocols().size() <= MAX_PROTOCOLS
            && WireWriter.fits(request.memberId())
            && WireWriter.fits(request.clientId() + "-00000000-0000-0000-0000-000000000000")
            && WireWriter.fits(request.clientHost())
            && WireWriter.fits(request.protocolType())
            && (instanceId == null
                || WireWriter.fits(instanceId + "-00000000-0000-0000-0000-000000000000"));
    return fits ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST;
  }

  private boolean hasRoom(Group group, String memberId) {
    return switch (group.state()) {
      case EMPTY, DEAD -> true;
      case PREPARING_REBALANCE -> {
        Member member = group.member(memberId);
        yield (member != null && member.awaitingJoin != null)
            || group.awaitingJoin() < config.maxSize();
      }
      case COMPLETING_REBALANCE, STABLE ->
          group.member(memberId) != null || group.size() < config.maxSize();
    };
  }

  private void evict(Now now, Group group, String memberId, Effects out) {
    Member member = group.member(memberId);
    if (member != null) {
      settle(group, member, ErrorCode.GROUP_MAX_SIZE_REACHED, out);
    }
    group.remove(memberId);
    completeJoinIfAllIn(now, group, out);
  }

  private void joinNew(
      Now now, Group group, JoinRequest request, CompletableFuture<JoinResult> to, Effects out) {
    String instanceId = request.instanceId();
    String memberId = (instanceId == null ? request.clientId() : instanceId) + "-" + ids.get();
    String current = instanceId == null ? null : group.staticMember(instanceId);
    Member old = group.member(current);
    if (old != null) {
      replaceStatic(now, group, request, old, memberId, to, out);
    } else if (instanceId == null && request.requireKnownMemberId()) {
      long deadlineMs = now.monotonicMs() + request.sessionTimeoutMs();
      group.addPending(memberId, deadlineMs);
      groups.deadlines().arm(group, deadlineMs);
      out.answer(to, Answers.joinError(ErrorCode.MEMBER_ID_REQUIRED, memberId));
    } else {
      addMember(now, group, request, memberId, to, out);
    }
  }

  private void addMember(
      Now now,
      Group group,
      JoinRequest request,
      String memberId,
      CompletableFuture<JoinResult> to,
      Effects out) {
    Member member =
        new Member(
            memberId,
            request.instanceId(),
            request.clientId(),
            request.clientHost(),
            request.rebalanceTimeoutMs(),
            request.sessionTimeoutMs(),
            request.protocols());
    member.fresh = true;
    if (group.is(GroupState.PREPARING_REBALANCE) && group.previousState() == GroupState.EMPTY) {
      group.memberAdded = true;
    }
    group.add(member, request.protocolType());
    group.awaitJoin(member, to);
    session(group, member, now.monotonicMs() + NEW_MEMBER_TIMEOUT_MS);
    rebalanceOrCompleteJoin(now, group, "member " + memberId + " joins" + because(request), out);
  }

  private void rejoin(
      Now now, Group group, JoinRequest request, CompletableFuture<JoinResult> to, Effects out) {
    String memberId = request.memberId();
    if (group.pendingMembers().containsKey(memberId) && request.instanceId() == null) {
      addMember(now, group, request, memberId, to, out);
      return;
    }
    ErrorCode error = group.validate(memberId, request.instanceId());
    Member member = group.member(memberId);
    if (error != ErrorCode.NONE || member == null) {
      out.answer(to, Answers.joinError(error, memberId));
      return;
    }
    boolean same = member.offers(request.protocols());
    switch (group.state()) {
      case PREPARING_REBALANCE -> updateMember(now, group, member, request, to, out);
      case COMPLETING_REBALANCE -> {
        if (same) {
          // It missed the answer to its join: nothing has changed since.
          out.answer(to, Answers.joined(group, member));
        } else {
          updateMember(now, group, member, request, to, out);
        }
      }
      case STABLE -> {
        if (group.isLeader(memberId) || !same) {
          // A leader rejoins when it sees new partitions, so that it may assign anew.
          updateMember(now, group, member, request, to, out);
        } else {
          out.answer(to, Answers.joined(group, member));
        }
      }
      case EMPTY, DEAD -> out.answer(to, Answers.joinError(ErrorCode.UNKNOWN_MEMBER_ID, memberId));
    }
  }

  private void updateMember(
      Now now,
      Group group,
      Member member,
      JoinRequest request,
      CompletableFuture<JoinResult> to,
      Effects out) {
    group.update(
        member, request.protocols(), request.rebalanceTimeoutMs(), request.sessionTimeoutMs());
    supersede(group.awaitJoin(member, to), member, out);
    rebalanceOrCompleteJoin(
        now, group, "member " + member.memberId + " rejoins" + because(request), out);
  }

  private static String because(JoinRequest request) {
    String reason = request.reason();
    return reason == null || reason.isEmpty() ? "" : ": " + reason;
  }

  /// The client asked again and waits for the new answer only; the old one must not be owed for
  /// ever, for answers on one connection go out in order.
  private static void supersede(
      @Nullable CompletableFuture<JoinResult> before, Member member, Effects out) {
    if (before != null) {
      out.answer(before, Answers.joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId));
    }
  }

  private void replaceStatic(
      Now now,
      Group group,
      JoinRequest request,
      Member old,
      String newMemberId,
      CompletableFuture<JoinResult> to,
      Effects out) {
    settle(group, old, ErrorCode.FENCED_INSTANCE_ID, out);
    String leaderBefore = group.leader();
    Member member = group.replace(old, newMemberId);
    group.update(
        member, request.protocols(), request.rebalanceTimeoutMs(), request.sessionTimeoutMs());
    group.awaitJoin(member, to);
    session(group, member, now.monotonicMs() + member.sessionTimeoutMs());
    switch (group.state()) {
      case STABLE -> {
        String protocol = group.protocol();
        if (protocol != null && protocol.equals(group.vote())) {
          keepAssignment(group, request, old, member, leaderBefore, out);
        } else {
          rebalanceOrCompleteJoin(
              now, group, "static member " + request.instanceId() + " changes the protocol", out);
        }
      }
      case COMPLETING_REBALANCE ->
          prepareRebalance(
              now, group, "static member " + request.instanceId() + " comes back", out);
      case EMPTY, PREPARING_REBALANCE, DEAD -> completeJoinIfAllIn(now, group, out);
    }
  }

  /// The point of static membership: a restarted member takes its place again and nobody else
  /// notices. The new id must be in the log before the member hears of it.
  private void keepAssignment(
      Group group,
      JoinRequest request,
      Member old,
      Member member,
      @Nullable String leaderBefore,
      Effects out) {
    out.write(
        List.of(group.record(null)),
        (error, settledAt, then) -> {
          CompletableFuture<JoinResult> to = member.awaitingJoin;
          boolean waits =
              to != null && group.is(GroupState.STABLE) && group.member(member.memberId) == member;
          if (!waits || to == null) {
            // Others began a rebalance meanwhile: it stands at their barrier already.
            return;
          }
          if (error != ErrorCode.NONE) {
            group.awaitJoin(member, null);
            Member restored = group.replace(member, old.memberId);
            group.update(restored, old.protocols, old.rebalanceTimeoutMs, old.sessionTimeoutMs());
            session(group, restored, settledAt.monotonicMs() + restored.sessionTimeoutMs());
            then.answer(to, Answers.joinError(AppendErrors.told(error), ""));
            return;
          }
          group.inLog = true;
          boolean skip = request.supportsSkippingAssignment() && group.isLeader(member.memberId);
          JoinResult result = Answers.joined(group, member);
          if (!request.supportsSkippingAssignment()) {
            // Named by its old id, an older client does not take itself for the leader, and
            // does not assign what nobody waits for.
            result = Answers.withLeader(result, leaderBefore == null ? "" : leaderBefore);
          } else if (skip) {
            result = Answers.withSkipAssignment(result);
          }
          group.awaitJoin(member, null);
          session(group, member, settledAt.monotonicMs() + member.sessionTimeoutMs());
          then.answer(to, result);
        });
  }

  // The barrier.

  private void rebalanceOrCompleteJoin(Now now, Group group, String reason, Effects out) {
    switch (group.state()) {
      case EMPTY, COMPLETING_REBALANCE, STABLE -> prepareRebalance(now, group, reason, out);
      case PREPARING_REBALANCE -> completeJoinIfAllIn(now, group, out);
      case DEAD -> throw new IllegalStateException(group.groupId() + " is dead");
    }
  }

  private void prepareRebalance(Now now, Group group, String reason, Effects out) {
    if (group.is(GroupState.COMPLETING_REBALANCE)) {
      resetAssignments(now, group, ErrorCode.REBALANCE_IN_PROGRESS, out);
    }
    group.pendingSync().clear();
    group.syncDeadlineMs = Deadlines.NEVER;
    boolean first = group.is(GroupState.EMPTY);
    group.transitionTo(GroupState.PREPARING_REBALANCE, now.wallMs());
    LOG.info(
        "Group {} rebalances after generation {}: {}", group.groupId(), group.generation(), reason);
    if (first) {
      group.memberAdded = false;
      group.initialDelayMs = config.initialRebalanceDelayMs();
      group.initialRemainingMs = Math.max(group.rebalanceTimeoutMs() - group.initialDelayMs, 0);
      joinDeadline(group, now.monotonicMs() + group.initialDelayMs);
    } else if (group.allJoined()) {
      completeJoin(now, group, out);
    } else {
      joinDeadline(group, now.monotonicMs() + group.rebalanceTimeoutMs());
    }
  }

  private void joinDeadline(Group group, long deadlineMs) {
    group.joinDeadlineMs = deadlineMs;
    groups.deadlines().arm(group, deadlineMs);
  }

  /// The first barrier only falls when its time is up, even if all known members are in.
  private void completeJoinIfAllIn(Now now, Group group, Effects out) {
    if (group.is(GroupState.PREPARING_REBALANCE)
        && group.previousState() != GroupState.EMPTY
        && group.allJoined()) {
      completeJoin(now, group, out);
    }
  }

  private void joinDeadlineReached(Now now, Group group, Effects out) {
    boolean first = group.previousState() == GroupState.EMPTY;
    if (first && group.memberAdded && group.initialRemainingMs > 0) {
      group.memberAdded = false;
      int delayMs = Math.min(config.initialRebalanceDelayMs(), group.initialRemainingMs);
      group.initialRemainingMs = Math.max(group.initialRemainingMs - group.initialDelayMs, 0);
      group.initialDelayMs = delayMs;
      joinDeadline(group, now.monotonicMs() + delayMs);
    } else {
      completeJoin(now, group, out);
    }
  }

  private void completeJoin(Now now, Group group, Effects out) {
    group.joinDeadlineMs = Deadlines.NEVER;
    List<String> missing = new ArrayList<>();
    for (Member member : group.members()) {
      if (member.awaitingJoin == null && !member.isStatic()) {
        missing.add(member.memberId);
      }
    }
    if (!missing.isEmpty()) {
      LOG.info("Group {} goes on without {}: they did not join", group.groupId(), missing);
      missing.forEach(group::remove);
    }
    if (group.size() > 0 && !group.electLeader()) {
      // Static members only, and none of them is back: wait as long again.
      joinDeadline(group, now.monotonicMs() + Math.max(group.rebalanceTimeoutMs(), 1));
      return;
    }
    group.nextGeneration(now.wallMs());
    if (group.size() == 0) {
      LOG.info("Group {} is empty in generation {}", group.groupId(), group.generation());
      group.inLog = true;
      out.write(List.of(group.record(null)), (error, settledAt, then) -> warn(group, error));
      return;
    }
    LOG.info(
        "Group {} has {} members in generation {}, led by {}",
        group.groupId(),
        group.size(),
        group.generation(),
        group.leader());
    for (Member member : group.members()) {
      JoinResult result = Answers.joined(group, member);
      CompletableFuture<JoinResult> to = group.awaitJoin(member, null);
      if (to != null) {
        out.answer(to, result);
      }
      member.fresh = false;
      session(group, member, now.monotonicMs() + member.sessionTimeoutMs());
      group.pendingSync().add(member.memberId);
    }
    group.syncDeadlineMs = now.monotonicMs() + group.rebalanceTimeoutMs();
    groups.deadlines().arm(group, group.syncDeadlineMs);
  }

  // Assignments.

  void sync(Now now, SyncRequest request, CompletableFuture<SyncResult> to, Effects out) {
    Group group = groups.get(request.groupId());
    Member member = group == null ? null : group.member(request.memberId());
    ErrorCode error =
        request.groupId().isEmpty() ? ErrorCode.INVALID_GROUP_ID : checkSync(group, request);
    if (error != ErrorCode.NONE || group == null || member == null) {
      out.answer(to, Answers.syncError(error));
      return;
    }
    switch (group.state()) {
      case EMPTY, DEAD -> out.answer(to, Answers.syncError(ErrorCode.UNKNOWN_MEMBER_ID));
      case PREPARING_REBALANCE ->
          out.answer(to, Answers.syncError(ErrorCode.REBALANCE_IN_PROGRESS));
      case COMPLETING_REBALANCE -> {
        if (member.awaitingSync != null) {
          out.answer(member.awaitingSync, Answers.syncError(ErrorCode.REBALANCE_IN_PROGRESS));
        }
        member.awaitingSync = to;
        synced(group, member);
        if (group.isLeader(member.memberId)) {
          storeAssignments(group, request, out);
        }
      }
      case STABLE -> {
        synced(group, member);
        out.answer(to, Answers.synced(group, member.assignment));
      }
    }
  }

  private static ErrorCode checkSync(@Nullable Group group, SyncRequest request) {
    if (group == null || group.is(GroupState.EMPTY)) {
      return ErrorCode.UNKNOWN_MEMBER_ID;
    }
    ErrorCode error = group.validate(request.memberId(), request.instanceId());
    if (error != ErrorCode.NONE) {
      return error;
    }
    if (request.generation() != group.generation()) {
      return ErrorCode.ILLEGAL_GENERATION;
    }
    String type = request.protocolType();
    String name = request.protocolName();
    boolean consistent =
        (type == null || type.equals(group.protocolType()))
            && (name == null || name.equals(group.protocol()));
    return consistent ? ErrorCode.NONE : ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  }

  private static void synced(Group group, Member member) {
    group.pendingSync().remove(member.memberId);
    if (group.pendingSync().isEmpty()) {
      group.syncDeadlineMs = Deadlines.NEVER;
    }
  }

  private void storeAssignments(Group group, SyncRequest request, Effects out) {
    Map<String, byte[]> assignments = new HashMap<>();
    for (Assignment each : request.assignments()) {
      assignments.put(each.memberId(), each.assignment());
    }
    int generation = group.generation();
    out.write(
        List.of(group.record(assignments)),
        (error, now, then) -> {
          boolean current =
              groups.holds(group)
                  && group.is(GroupState.COMPLETING_REBALANCE)
                  && group.generation() == generation;
          if (!current) {
            return;
          }
          if (error != ErrorCode.NONE) {
            ErrorCode told = AppendErrors.told(error);
            warn(group, error);
            resetAssignments(now, group, told, then);
            prepareRebalance(now, group, "the assignment could not be stored: " + error, then);
            return;
          }
          group.inLog = true;
          for (Member member : group.members()) {
            member.assignment = assignments.getOrDefault(member.memberId, Member.NO_ASSIGNMENT);
          }
          group.transitionTo(GroupState.STABLE, now.wallMs());
          answerSyncs(now, group, ErrorCode.NONE, then);
        });
  }

  private void resetAssignments(Now now, Group group, ErrorCode error, Effects out) {
    for (Member member : group.members()) {
      member.assignment = Member.NO_ASSIGNMENT;
    }
    answerSyncs(now, group, error, out);
  }

  private void answerSyncs(Now now, Group group, ErrorCode error, Effects out) {
    for (Member member : group.members()) {
      CompletableFuture<SyncResult> to = member.awaitingSync;
      if (to != null) {
        member.awaitingSync = null;
        out.answer(
            to,
            error == ErrorCode.NONE
                ? Answers.synced(group, member.assignment)
                : Answers.syncError(error));
        session(group, member, now.monotonicMs() + member.sessionTimeoutMs());
      }
    }
  }

  // Leaving and dying.

  void leave(
      Now now,
      String groupId,
      List<LeavingMember> members,
      CompletableFuture<LeaveResult> to,
      Effects out) {
    if (groupId.isEmpty()) {
      out.answer(to, new LeaveResult(ErrorCode.INVALID_GROUP_ID, List.of()));
      return;
    }
    Group group = groups.get(groupId);
    List<ErrorCode> results = new ArrayList<>(members.size());
    boolean left = false;
    for (LeavingMember each : members) {
      ErrorCode result = group == null ? ErrorCode.UNKNOWN_MEMBER_ID : leave(group, each, out);
      left |= result == ErrorCode.NONE;
      results.add(result);
    }
    if (group != null && left) {
      switch (group.state()) {
        case STABLE, COMPLETING_REBALANCE ->
            prepareRebalance(now, group, "members left" + because(members), out);
        case PREPARING_REBALANCE -> completeJoinIfAllIn(now, group, out);
        case EMPTY, DEAD -> groups.dropIfVoid(group, now.wallMs());
      }
    }
    out.answer(to, new LeaveResult(ErrorCode.NONE, results));
  }

  private static String because(List<LeavingMember> members) {
    for (LeavingMember each : members) {
      String reason = each.reason();
      if (reason != null && !reason.isEmpty()) {
        return ": " + reason;
      }
    }
    return "";
  }

  private ErrorCode leave(Group group, LeavingMember leaving, Effects out) {
    String memberId = leaving.memberId();
    String instanceId = leaving.instanceId();
    if (memberId.isEmpty()) {
      Member member = instanceId == null ? null : group.member(group.staticMember(instanceId));
      if (member == null) {
        return ErrorCode.UNKNOWN_MEMBER_ID;
      }
      settle(group, member, ErrorCode.UNKNOWN_MEMBER_ID, out);
      group.remove(member.memberId);
      return ErrorCode.NONE;
    }
    if (group.pendingMembers().containsKey(memberId)) {
      group.remove(memberId);
      return ErrorCode.NONE;
    }
    ErrorCode error = group.validate(memberId, instanceId);
    Member member = group.member(memberId);
    if (error == ErrorCode.NONE && member != null) {
      settle(group, member, ErrorCode.UNKNOWN_MEMBER_ID, out);
      group.remove(memberId);
    }
    return error;
  }

  /// Answers whatever a member that goes away still waits for.
  private static void settle(Group group, Member member, ErrorCode error, Effects out) {
    CompletableFuture<JoinResult> join = group.awaitJoin(member, null);
    if (join != null) {
      boolean fenced = error == ErrorCode.FENCED_INSTANCE_ID;
      out.answer(join, Answers.joinError(error, fenced ? member.memberId : ""));
    }
    CompletableFuture<SyncResult> sync = member.awaitingSync;
    if (sync != null) {
      member.awaitingSync = null;
      out.answer(sync, Answers.syncError(error));
    }
  }

  /// Looks at all deadlines of a group.
  void expire(Now now, Group group, Effects out) {
    long nowMs = now.monotonicMs();
    if (group.joinDeadlineMs <= nowMs) {
      group.joinDeadlineMs = Deadlines.NEVER;
      joinDeadlineReached(now, group, out);
    }
    if (group.syncDeadlineMs <= nowMs) {
      syncDeadlineReached(now, group, out);
    }
    if (group.pendingMembers().values().removeIf(deadlineMs -> deadlineMs <= nowMs)) {
      completeJoinIfAllIn(now, group, out);
    }
    List<Member> dead = new ArrayList<>();
    for (Member member : group.members()) {
      if (!member.excusedFromHeartbeats() && member.sessionDeadlineMs() <= nowMs) {
        dead.add(member);
      }
    }
    if (!dead.isEmpty()) {
      for (Member member : dead) {
        LOG.info("Group {} lost {}: its session timed out", group.groupId(), member.memberId);
        settle(group, member, ErrorCode.UNKNOWN_MEMBER_ID, out);
        group.remove(member.memberId);
      }
      switch (group.state()) {
        case STABLE, COMPLETING_REBALANCE ->
            prepareRebalance(now, group, dead.size() + " members timed out", out);
        case PREPARING_REBALANCE -> completeJoinIfAllIn(now, group, out);
        case EMPTY, DEAD -> {}
      }
    }
    groups.dropIfVoid(group, now.wallMs());
    if (groups.holds(group)) {
      groups.deadlines().arm(group, group.earliestDeadlineMs());
    }
  }

  private void syncDeadlineReached(Now now, Group group, Effects out) {
    group.syncDeadlineMs = Deadlines.NEVER;
    boolean waiting = group.is(GroupState.COMPLETING_REBALANCE) || group.is(GroupState.STABLE);
    if (waiting && !group.pendingSync().isEmpty()) {
      List<String> silent = List.copyOf(group.pendingSync());
      silent.forEach(group::remove);
      prepareRebalance(now, group, silent + " did not sync", out);
    }
  }

  /// Starts the sessions of a group that was loaded.
  void resume(Now now, Group group, Effects out) {
    for (Member member : group.members()) {
      session(group, member, now.monotonicMs() + member.sessionTimeoutMs());
    }
    if (group.size() > config.maxSize()) {
      prepareRebalance(now, group, "it has more members than kafka.group.max.size", out);
    }
  }

  /// Answers everybody who waits: the group is no longer served here.
  void resign(Group group, ErrorCode error, Effects out) {
    for (Member member : group.members()) {
      settle(group, member, error, out);
    }
  }

  private void session(Group group, Member member, long deadlineMs) {
    member.sessionDeadlineMs(deadlineMs);
    groups.deadlines().arm(group, deadlineMs);
  }

  private static void warn(Group group, ErrorCode error) {
    if (error != ErrorCode.NONE) {
      LOG.warn(
          "Generation {} of group {} was not stored: {}",
          group.generation(),
          group.groupId(),
          error);
    }
  }
}
