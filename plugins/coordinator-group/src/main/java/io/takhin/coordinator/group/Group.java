package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.coordinator.Deadlines;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/// One group: members, leader, votes, deadlines and offsets. Knows its rules and takes no decisions
/// that need time or a log; [Membership] and [Offsets] do.
///
/// Threads: written behind the gate only. What heartbeats, offset fetches, lists and metrics read
/// from any thread is volatile or a concurrent map: the state with the generation (one word, so
/// that both belong together), members by id, static members, offsets, pending offsets.
final class Group extends Deadlines.Armed {
  private final String groupId;

  /// In the order in which they joined: leaders see them in this order in every generation (T37).
  private Map<String, Member> members = new LinkedHashMap<>();

  private final ConcurrentMap<String, Member> membersById = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, String> staticMembers = new ConcurrentHashMap<>();
  private final ConcurrentMap<OffsetKey, CommittedOffset> offsets = new ConcurrentHashMap<>();

  /// How many transactions have an undecided offset for a partition.
  private final ConcurrentMap<OffsetKey, Integer> pendingOffsets = new ConcurrentHashMap<>();

  static final int MAX_PENDING = 10_000;

  /// Ids that were given out with MEMBER_ID_REQUIRED, with their deadlines.
  private final Map<String, Long> pendingMembers = new LinkedHashMap<>();

  /// Members of the generation that have not synced yet.
  private final Set<String> pendingSync = new HashSet<>();

  private final Map<String, Integer> supporters = new HashMap<>();
  private int awaitingJoin;

  private volatile long stateAndGeneration = pack(GroupState.EMPTY, 0);
  private volatile @Nullable String protocolType;
  private GroupState previousState = GroupState.EMPTY;
  private long stateTimestampMs = -1;
  private @Nullable String protocol;
  private @Nullable String leader;
  private @Nullable Set<String> subscribedTopics;

  /// Whether the log knows the group, so that forgetting it takes a tombstone.
  boolean inLog;

  /// Whether a member came while the first barrier was up: it is held longer then.
  boolean memberAdded;

  /// Until when the barrier of a rebalance may stay up; [Deadlines#NEVER] if none is.
  long joinDeadlineMs = Deadlines.NEVER;

  /// Of the first barrier: how long the current wait is and how much more may follow.
  int initialDelayMs;

  int initialRemainingMs;

  /// Until when all members must have synced.
  long syncDeadlineMs = Deadlines.NEVER;

  Group(String groupId) {
    this.groupId = groupId;
  }

  String groupId() {
    return groupId;
  }

  private static long pack(GroupState state, int generation) {
    return (long) generation << 8 | state.ordinal();
  }

  GroupState state() {
    return stateOf(stateAndGeneration);
  }

  int generation() {
    return generationOf(stateAndGeneration);
  }

  /// Both in one read; see [#stateOf] and [#generationOf].
  long stateAndGeneration() {
    return stateAndGeneration;
  }

  static GroupState stateOf(long stateAndGeneration) {
    return GroupState.of((int) (stateAndGeneration & 0xff));
  }

  static int generationOf(long stateAndGeneration) {
    return (int) (stateAndGeneration >> 8);
  }

  boolean is(GroupState state) {
    return state() == state;
  }

  GroupState previousState() {
    return previousState;
  }

  @Nullable String protocolType() {
    return protocolType;
  }

  @Nullable String protocol() {
    return protocol;
  }

  @Nullable String leader() {
    return leader;
  }

  boolean isLeader(String memberId) {
    return memberId.equals(leader);
  }

  long stateTimestampMs() {
    return stateTimestampMs;
  }

  /// Every change of state goes through here.
  void transitionTo(GroupState next, long wallMs) {
    transitionTo(next, generation(), wallMs);
  }

  private void transitionTo(GroupState next, int generation, long wallMs) {
    GroupState state = state();
    boolean allowed =
        switch (next) {
          case EMPTY -> state == GroupState.PREPARING_REBALANCE;
          case PREPARING_REBALANCE ->
              state == GroupState.EMPTY
                  || state == GroupState.COMPLETING_REBALANCE
                  || state == GroupState.STABLE;
          case COMPLETING_REBALANCE -> state == GroupState.PREPARING_REBALANCE;
          case STABLE -> state == GroupState.COMPLETING_REBALANCE;
          case DEAD -> true;
        };
    if (!allowed) {
      throw new IllegalStateException(groupId + " cannot go from " + state + " to " + next);
    }
    previousState = state;
    stateTimestampMs = wallMs;
    stateAndGeneration = pack(next, generation);
  }

  // Members.

  @Nullable Member member(@Nullable String memberId) {
    return memberId == null ? null : membersById.get(memberId);
  }

  Collection<Member> members() {
    return members.values();
  }

  int size() {
    return members.size();
  }

  /// For metrics: any thread.
  int publishedSize() {
    return membersById.size();
  }

  @Nullable String staticMember(String instanceId) {
    return staticMembers.get(instanceId);
  }

  /// Who may speak for a member: NONE, FENCED_INSTANCE_ID, UNKNOWN_MEMBER_ID (KIP-345). Any thread.
  ErrorCode validate(String memberId, @Nullable String instanceId) {
    if (instanceId != null) {
      String current = staticMembers.get(instanceId);
      if (current == null) {
        return ErrorCode.UNKNOWN_MEMBER_ID;
      }
      if (!current.equals(memberId)) {
        return ErrorCode.FENCED_INSTANCE_ID;
      }
    }
    return membersById.containsKey(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  void add(Member member, String type) {
    if (members.isEmpty()) {
      protocolType = type;
    }
    if (member.instanceId != null) {
      staticMembers.put(member.instanceId, member.memberId);
    }
    if (leader == null) {
      leader = member.memberId;
    }
    members.put(member.memberId, member);
    membersById.put(member.memberId, member);
    count(member.protocols, 1);
    pendingMembers.remove(member.memberId);
  }

  /// Forgets a member or an id that was given out. The leadership goes to the eldest.
  void remove(String memberId) {
    Member member = members.remove(memberId);
    if (member != null) {
      membersById.remove(memberId);
      count(member.protocols, -1);
      awaitJoin(member, null);
      if (member.instanceId != null) {
        staticMembers.remove(member.instanceId, memberId);
      }
    }
    if (isLeader(memberId)) {
      leader = members.isEmpty() ? null : members.keySet().iterator().next();
    }
    pendingMembers.remove(memberId);
    pendingSync.remove(memberId);
  }

  /// Gives a static member's place to its next incarnation: order, leadership, assignment stay.
  Member replace(Member old, String newMemberId) {
    Member member =
        new Member(
            newMemberId,
            old.instanceId,
            old.clientId,
            old.clientHost,
            old.rebalanceTimeoutMs,
            old.sessionTimeoutMs(),
            old.protocols);
    member.assignment = old.assignment;
    Map<String, Member> replaced = new LinkedHashMap<>();
    members.forEach((id, each) -> replaced.put(each == old ? newMemberId : id, each));
    replaced.put(newMemberId, member);
    members = replaced;
    membersById.put(newMemberId, member);
    if (old.instanceId != null) {
      staticMembers.put(old.instanceId, newMemberId);
    }
    membersById.remove(old.memberId);
    if (isLeader(old.memberId)) {
      leader = newMemberId;
    }
    if (pendingSync.remove(old.memberId)) {
      pendingSync.add(newMemberId);
    }
    return member;
  }

  void update(
      Member member, List<Protocol> protocols, int rebalanceTimeoutMs, int sessionTimeoutMs) {
    count(member.protocols, -1);
    member.protocols = protocols;
    count(protocols, 1);
    member.rebalanceTimeoutMs = rebalanceTimeoutMs;
    member.sessionTimeoutMs(sessionTimeoutMs);
  }

  /// Members that wait at the barrier.
  int awaitingJoin() {
    return awaitingJoin;
  }

  /// Puts a member at the barrier, or with null takes it away.
  ///
  /// @return what was waiting in this place before
  @Nullable CompletableFuture<JoinResult> awaitJoin(
      Member member, @Nullable CompletableFuture<JoinResult> answer) {
    CompletableFuture<JoinResult> before = member.awaitingJoin;
    awaitingJoin += (answer == null ? 0 : 1) - (before == null ? 0 : 1);
    member.awaitingJoin = answer;
    return before;
  }

  /// Whether the barrier can fall: everybody is in, and nobody was told to come back with an id.
  boolean allJoined() {
    return pendingMembers.isEmpty() && awaitingJoin == members.size();
  }

  /// Keeps the leader if it has joined, else the eldest that has.
  ///
  /// @return whether there is one
  boolean electLeader() {
    Member current = member(leader);
    if (current != null && current.awaitingJoin != null) {
      return true;
    }
    for (Member member : members.values()) {
      if (member.awaitingJoin != null) {
        leader = member.memberId;
        return true;
      }
    }
    return false;
  }

  List<JoinedMember> joinedMembers() {
    List<JoinedMember> joined = new ArrayList<>(members.size());
    for (Member member : members.values()) {
      joined.add(new JoinedMember(member.memberId, member.instanceId, member.metadata(protocol)));
    }
    return joined;
  }

  /// The longest that any member asks for.
  int rebalanceTimeoutMs() {
    int longest = 0;
    for (Member member : members.values()) {
      longest = Math.max(longest, member.rebalanceTimeoutMs);
    }
    return longest;
  }

  /// Gives out an id. Beyond [#MAX_PENDING] the oldest is void: who comes back with it is told to
  /// ask for another.
  void addPending(String memberId, long deadlineMs) {
    if (pendingMembers.size() >= MAX_PENDING) {
      pendingMembers.remove(pendingMembers.keySet().iterator().next());
    }
    pendingMembers.put(memberId, deadlineMs);
  }

  Map<String, Long> pendingMembers() {
    return pendingMembers;
  }

  Set<String> pendingSync() {
    return pendingSync;
  }

  // Protocols.

  private void count(List<Protocol> protocols, int by) {
    for (String name : names(protocols)) {
      supporters.merge(name, by, (a, b) -> a + b == 0 ? null : Integer.valueOf(a + b));
    }
  }

  private static Set<String> names(List<Protocol> protocols) {
    Set<String> names = new HashSet<>();
    for (Protocol each : protocols) {
      names.add(each.name());
    }
    return names;
  }

  /// Whether a member with these could be in the group: the same type, and a protocol that all
  /// members know.
  boolean supports(String type, List<Protocol> protocols) {
    if (is(GroupState.EMPTY)) {
      return !type.isEmpty() && !protocols.isEmpty();
    }
    if (!type.equals(protocolType)) {
      return false;
    }
    for (Protocol each : protocols) {
      if (supporters.getOrDefault(each.name(), 0) == members.size()) {
        return true;
      }
    }
    return false;
  }

  /// The protocol of most members' choice among those that all know; the first voted of equals.
  @Nullable String vote() {
    Map<String, Integer> votes = new LinkedHashMap<>();
    for (Member member : members.values()) {
      for (Protocol each : member.protocols) {
        if (supporters.getOrDefault(each.name(), 0) == members.size()) {
          votes.merge(each.name(), 1, Integer::sum);
          break;
        }
      }
    }
    String winner = null;
    int most = 0;
    for (Map.Entry<String, Integer> entry : votes.entrySet()) {
      if (entry.getValue() > most) {
        winner = entry.getKey();
        most = entry.getValue();
      }
    }
    return winner;
  }

  /// Fixes membership and protocol under a new number.
  void nextGeneration(long wallMs) {
    protocol = members.isEmpty() ? null : vote();
    subscribedTopics = computeSubscribedTopics();
    pendingSync.clear();
    GroupState next = members.isEmpty() ? GroupState.EMPTY : GroupState.COMPLETING_REBALANCE;
    transitionTo(next, generation() + 1, wallMs);
  }

  boolean consumerProtocol() {
    return ConsumerSubscription.PROTOCOL_TYPE.equals(protocolType);
  }

  /// Whether the topics that members subscribe to are known.
  boolean subscriptionsKnown() {
    return subscribedTopics != null;
  }

  /// Whether a member may be consuming the topic. Where that cannot be known, consumers may.
  boolean subscribedTo(String topic) {
    return subscribedTopics != null ? subscribedTopics.contains(topic) : consumerProtocol();
  }

  private @Nullable Set<String> computeSubscribedTopics() {
    if (!consumerProtocol()) {
      return null;
    }
    Set<String> all = new HashSet<>();
    for (Member member : members.values()) {
      Set<String> topics = ConsumerSubscription.topics(member.metadata(protocol));
      if (topics == null) {
        return null;
      }
      all.addAll(topics);
    }
    return all;
  }

  // Offsets.

  /// By partition. Read from any thread.
  ConcurrentMap<OffsetKey, CommittedOffset> offsets() {
    return offsets;
  }

  /// How many undecided offsets a partition has (KIP-447); see [PendingOffsets]. Read from any
  /// thread.
  ConcurrentMap<OffsetKey, Integer> pendingOffsets() {
    return pendingOffsets;
  }

  // The log.

  /// The group as its record says; assignments are given where they are not the members' yet.
  GroupRecord.GroupMetadata record(@Nullable Map<String, byte[]> assignments) {
    List<GroupRecord.MemberMetadata> list = new ArrayList<>(members.size());
    for (Member member : members.values()) {
      byte[] assignment =
          assignments == null
              ? member.assignment
              : assignments.getOrDefault(member.memberId, Member.NO_ASSIGNMENT);
      list.add(
          new GroupRecord.MemberMetadata(
              member.memberId,
              member.instanceId,
              member.clientId,
              member.clientHost,
              member.rebalanceTimeoutMs,
              member.sessionTimeoutMs(),
              member.metadata(protocol),
              assignment));
    }
    String type = protocolType;
    return new GroupRecord.GroupMetadata(
        groupId,
        new GroupRecord.Generation(
            type == null ? "" : type, generation(), protocol, leader, stateTimestampMs, list));
  }

  /// Takes over what a record says; for replay only.
  void restore(GroupRecord.Generation value) {
    members.clear();
    membersById.clear();
    staticMembers.clear();
    supporters.clear();
    leader = null;
    inLog = true;
    for (GroupRecord.MemberMetadata each : value.members()) {
      String name = value.protocol() == null ? "" : value.protocol();
      Member member =
          new Member(
              each.memberId(),
              each.instanceId(),
              each.clientId(),
              each.clientHost(),
              each.rebalanceTimeoutMs(),
              each.sessionTimeoutMs(),
              List.of(new Protocol(name, each.subscription())));
      member.assignment = each.assignment();
      add(member, value.protocolType());
    }
    protocolType = value.protocolType().isEmpty() ? null : value.protocolType();
    protocol = value.protocol();
    leader = value.leader();
    subscribedTopics = computeSubscribedTopics();
    stateTimestampMs = value.stateTimestampMs();
    previousState = GroupState.EMPTY;
    stateAndGeneration =
        pack(members.isEmpty() ? GroupState.EMPTY : GroupState.STABLE, value.generation());
  }

  /// The earliest of all deadlines.
  long earliestDeadlineMs() {
    long earliest = Math.min(joinDeadlineMs, syncDeadlineMs);
    for (long deadline : pendingMembers.values()) {
      earliest = Math.min(earliest, deadline);
    }
    for (Member member : members.values()) {
      if (!member.excusedFromHeartbeats()) {
        earliest = Math.min(earliest, member.sessionDeadlineMs());
      }
    }
    return earliest;
  }
}
