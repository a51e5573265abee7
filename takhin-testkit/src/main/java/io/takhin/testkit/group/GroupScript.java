package io.takhin.testkit.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.Assignment;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.GroupDescription;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.LeaveResult;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.api.group.GroupCoordinator.SyncRequest;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// What clients of a group do, in few words, for tests: joins as a consumer client would, syncs
/// with an assignment for everybody, commits one offset.
public final class GroupScript {
  /// Rebalance timeout of all members.
  public static final int REBALANCE_TIMEOUT_MS = 60_000;

  /// Session timeout of all members.
  public static final int SESSION_TIMEOUT_MS = 10_000;

  private final GroupCoordinator coordinator;
  private final String groupId;

  /// Acts on one group.
  public GroupScript(GroupCoordinator coordinator, String groupId) {
    this.coordinator = coordinator;
    this.groupId = groupId;
  }

  /// A subscription as consumers send it, version 0.
  public static byte[] subscription(String... topics) {
    ByteBuffer buffer = ByteBuffer.allocate(1024);
    buffer.putShort((short) 0).putInt(topics.length);
    for (String topic : topics) {
      byte[] utf8 = topic.getBytes(StandardCharsets.UTF_8);
      buffer.putShort((short) utf8.length).put(utf8);
    }
    buffer.putInt(0);
    byte[] bytes = new byte[buffer.position()];
    buffer.flip().get(bytes);
    return bytes;
  }

  /// The one protocol that members offer when a test does not care.
  public static List<Protocol> range(String... topics) {
    return List.of(new Protocol("range", subscription(topics)));
  }

  /// A join of a consumer of topic `orders` whose client asks for a member id first.
  public CompletableFuture<JoinResult> join(String memberId) {
    return join(memberId, null, range("orders"));
  }

  /// A join with these protocols.
  public CompletableFuture<JoinResult> join(
      String memberId, @Nullable String instanceId, List<Protocol> protocols) {
    return coordinator.join(request(memberId, instanceId, "consumer", protocols, true));
  }

  /// A request to join.
  public JoinRequest request(
      String memberId,
      @Nullable String instanceId,
      String protocolType,
      List<Protocol> protocols,
      boolean requireKnownMemberId) {
    return new JoinRequest(
        groupId,
        memberId,
        instanceId,
        "client",
        "/127.0.0.1",
        protocolType,
        protocols,
        SESSION_TIMEOUT_MS,
        REBALANCE_TIMEOUT_MS,
        requireKnownMemberId,
        true,
        null);
  }

  /// A new member's id, as MEMBER_ID_REQUIRED brings it.
  public String newMemberId() {
    return join("").join().memberId();
  }

  /// The leader's sync: each member gets `<memberId>@<generation>`.
  public CompletableFuture<SyncResult> syncAsLeader(JoinResult joined) {
    List<Assignment> assignments = new ArrayList<>();
    for (JoinedMember member : joined.members()) {
      byte[] bytes = assignment(member.memberId(), joined.generation());
      assignments.add(new Assignment(member.memberId(), bytes));
    }
    return sync(joined, assignments);
  }

  /// What [#syncAsLeader] assigns.
  public static byte[] assignment(String memberId, int generation) {
    return (memberId + "@" + generation).getBytes(StandardCharsets.UTF_8);
  }

  /// A follower's sync.
  public CompletableFuture<SyncResult> sync(JoinResult joined) {
    return sync(joined, List.of());
  }

  private CompletableFuture<SyncResult> sync(JoinResult joined, List<Assignment> assignments) {
    return coordinator.sync(
        new SyncRequest(
            groupId,
            joined.generation(),
            joined.memberId(),
            null,
            joined.protocolType(),
            joined.protocolName(),
            assignments));
  }

  /// A heartbeat.
  public ErrorCode heartbeat(JoinResult joined) {
    return coordinator.heartbeat(groupId, joined.generation(), joined.memberId(), null);
  }

  /// A member leaves by itself.
  public LeaveResult leave(String memberId, @Nullable String instanceId) {
    return coordinator
        .leave(groupId, List.of(new LeavingMember(memberId, instanceId, "test")))
        .join();
  }

  /// A member commits one offset of `orders-0`.
  public ErrorCode commit(JoinResult joined, long offset) {
    return commit(joined.generation(), joined.memberId(), "orders", 0, offset, "").join();
  }

  /// Somebody without a membership commits.
  public ErrorCode commitSimple(String topic, int partition, long offset) {
    return commit(-1, "", topic, partition, offset, "").join();
  }

  /// A commit of one offset.
  public CompletableFuture<ErrorCode> commit(
      int generation, String memberId, String topic, int partition, long offset, String metadata) {
    OffsetToCommit one = new OffsetToCommit(null, topic, partition, offset, 7, metadata);
    return coordinator
        .commitOffsets(new CommitRequest(groupId, generation, memberId, null, -1, List.of(one)))
        .thenApply(List::getFirst);
  }

  /// The offset of a partition.
  public FetchedOffset fetch(String topic, int partition) {
    return coordinator
        .fetchOffsets(groupId, List.of(new OffsetKey(topic, partition)), true)
        .join()
        .offsets()
        .getFirst();
  }

  /// The group as an administrator sees it.
  public GroupDescription describe() {
    return coordinator.describe(List.of(groupId)).join().getFirst();
  }
}
