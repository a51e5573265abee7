package io.takhin.testkit.group;

import static io.takhin.testkit.group.GroupScript.SESSION_TIMEOUT_MS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.GroupDescription;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.ListedGroup;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.PartitionResult;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What every group coordinator does: the classic group protocol as clients see it. T-numbers name
/// the compatibility traps that a test guards.
///
/// An implementation is started with Kafka's defaults: first barrier of 3 s, sessions from 6 s to
/// 30 min, metadata up to 4096. Time moves by [#advanceMs] alone.
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class GroupCoordinatorContract {
  /// Kafka's `group.initial.rebalance.delay.ms`.
  protected static final int INITIAL_DELAY_MS = 3_000;

  /// What the test acts on.
  protected GroupCoordinator coordinator;

  /// The group that tests use unless they say otherwise.
  protected GroupScript group;

  /// For implementations.
  protected GroupCoordinatorContract() {}

  /// A coordinator that is started and in charge of every group, without any.
  protected abstract GroupCoordinator start();

  /// Moves the time on and does what falls due.
  protected abstract void advanceMs(long ms);

  @BeforeEach
  void setUp() {
    coordinator = start();
    PartitionResult found = coordinator.partitionFor("payments").join();
    assertEquals(ErrorCode.NONE, found.error());
    group = new GroupScript(coordinator, "payments");
  }

  /// A stable group of so many dynamic members; the leader first.
  protected List<JoinResult> stable(int size) {
    List<String> ids = new java.util.ArrayList<>();
    for (int i = 0; i < size; i++) {
      ids.add(group.newMemberId());
    }
    List<CompletableFuture<JoinResult>> joins = ids.stream().map(group::join).toList();
    advanceMs(INITIAL_DELAY_MS);
    advanceMs(INITIAL_DELAY_MS);
    List<JoinResult> joined = joins.stream().map(CompletableFuture::join).toList();
    List<CompletableFuture<SyncResult>> syncs =
        joined.stream()
            .map(each -> leads(each) ? group.syncAsLeader(each) : group.sync(each))
            .toList();
    syncs.forEach(each -> assertEquals(ErrorCode.NONE, each.join().error()));
    return joined.stream().sorted((a, b) -> Boolean.compare(leads(b), leads(a))).toList();
  }

  /// Whether a member is told to assign.
  protected static boolean leads(JoinResult joined) {
    return joined.leader().equals(joined.memberId());
  }

  private static Set<String> ids(JoinResult leader) {
    return leader.members().stream().map(JoinedMember::memberId).collect(Collectors.toSet());
  }

  @Test
  void t35_newDynamicMemberIsGivenAnIdFirst() {
    JoinResult refused = group.join("").join();
    assertEquals(ErrorCode.MEMBER_ID_REQUIRED, refused.error());
    assertTrue(refused.memberId().startsWith("client-"), refused.memberId());
    CompletableFuture<JoinResult> join = group.join(refused.memberId());
    advanceMs(INITIAL_DELAY_MS);
    assertEquals(ErrorCode.NONE, join.join().error());
    assertEquals(refused.memberId(), join.join().memberId());
  }

  @Test
  void t35_oldClientsJoinAtOnce() {
    CompletableFuture<JoinResult> join =
        coordinator.join(group.request("", null, "consumer", GroupScript.range("orders"), false));
    advanceMs(INITIAL_DELAY_MS);
    assertEquals(ErrorCode.NONE, join.join().error());
    assertEquals(1, join.join().generation());
  }

  @Test
  void t35_staticMemberNeedsNoIdFirst() {
    CompletableFuture<JoinResult> join = group.join("", "i1", GroupScript.range("orders"));
    advanceMs(INITIAL_DELAY_MS);
    assertEquals(ErrorCode.NONE, join.join().error());
    assertTrue(join.join().memberId().startsWith("i1-"), join.join().memberId());
  }

  @Test
  void idGivenOutIsForgottenAfterTheSessionTimeout() {
    String id = group.newMemberId();
    advanceMs(SESSION_TIMEOUT_MS + 1);
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, group.join(id).join().error());
  }

  @Test
  void t36_firstBarrierWaitsForMoreMembers() {
    CompletableFuture<JoinResult> first = group.join(group.newMemberId());
    advanceMs(INITIAL_DELAY_MS - 1);
    CompletableFuture<JoinResult> second = group.join(group.newMemberId());
    advanceMs(1);
    assertFalse(first.isDone(), "a member came while the barrier was up: it is held longer");
    advanceMs(INITIAL_DELAY_MS);
    assertEquals(1, first.join().generation());
    assertEquals(1, second.join().generation());
    assertEquals(first.join().leader(), second.join().leader());
  }

  @Test
  void t36_leaderAloneIsShownAllMembersWithTheirMetadata() {
    List<JoinResult> joined = stable(3);
    assertEquals(3, ids(joined.get(0)).size());
    assertArrayEquals(
        GroupScript.subscription("orders"), joined.get(0).members().getFirst().metadata());
    assertTrue(joined.get(1).members().isEmpty());
    assertTrue(joined.get(2).members().isEmpty());
  }

  @Test
  void t36_everyMemberGetsWhatTheLeaderAssigned() {
    List<JoinResult> joined = stable(3);
    for (JoinResult each : joined) {
      SyncResult again = group.sync(each).join();
      assertEquals(ErrorCode.NONE, again.error(), "sync can be repeated");
      assertArrayEquals(
          GroupScript.assignment(each.memberId(), each.generation()), again.assignment());
      assertEquals("consumer", again.protocolType());
      assertEquals("range", again.protocolName());
    }
  }

  @Test
  void t36_followersWaitForTheLeadersSync() {
    String a = group.newMemberId();
    String b = group.newMemberId();
    List<CompletableFuture<JoinResult>> joins = List.of(group.join(a), group.join(b));
    advanceMs(2 * INITIAL_DELAY_MS);
    JoinResult leader =
        joins.stream().map(CompletableFuture::join).filter(j -> leads(j)).findFirst().orElseThrow();
    JoinResult follower =
        joins.stream()
            .map(CompletableFuture::join)
            .filter(j -> !leads(j))
            .findFirst()
            .orElseThrow();
    CompletableFuture<SyncResult> waiting = group.sync(follower);
    assertFalse(waiting.isDone());
    assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.commit(leader, 1));
    assertEquals(ErrorCode.NONE, group.syncAsLeader(leader).join().error());
    assertArrayEquals(
        GroupScript.assignment(follower.memberId(), follower.generation()),
        waiting.join().assignment());
  }

  @Test
  void t36_protocolIsOneThatAllKnow() {
    List<Protocol> both =
        List.of(
            new Protocol("sticky", GroupScript.subscription("orders")),
            new Protocol("range", GroupScript.subscription("orders")));
    CompletableFuture<JoinResult> a = group.join(group.newMemberId(), null, both);
    CompletableFuture<JoinResult> b = group.join(group.newMemberId());
    advanceMs(2 * INITIAL_DELAY_MS);
    assertEquals("range", a.join().protocolName());
    assertEquals("range", b.join().protocolName());
  }

  @Test
  void t36_memberWithoutACommonProtocolIsRefused() {
    stable(1);
    List<Protocol> other = List.of(new Protocol("mine", new byte[0]));
    assertEquals(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, group.join("", null, other).join().error());
    JoinRequest connect = group.request("", null, "connect", GroupScript.range("orders"), true);
    assertEquals(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, coordinator.join(connect).join().error());
  }

  @Test
  void joinWithoutProtocolsIsRefused() {
    assertEquals(
        ErrorCode.INCONSISTENT_GROUP_PROTOCOL, group.join("", null, List.of()).join().error());
  }

  @Test
  void t36_wrongGenerationAndUnknownMembersAreTold() {
    JoinResult joined = stable(1).getFirst();
    String id = joined.memberId();
    int generation = joined.generation();
    assertEquals(ErrorCode.NONE, coordinator.heartbeat("payments", generation, id, null));
    assertEquals(
        ErrorCode.ILLEGAL_GENERATION, coordinator.heartbeat("payments", generation + 1, id, null));
    assertEquals(
        ErrorCode.UNKNOWN_MEMBER_ID, coordinator.heartbeat("payments", generation, "nobody", null));
    assertEquals(
        ErrorCode.UNKNOWN_MEMBER_ID, coordinator.heartbeat("nothing", generation, id, null));
    assertEquals(
        ErrorCode.ILLEGAL_GENERATION, group.commit(generation + 1, id, "orders", 0, 1, "").join());
    assertEquals(
        ErrorCode.UNKNOWN_MEMBER_ID, group.commit(generation, "nobody", "orders", 0, 1, "").join());
  }

  @Test
  void emptyGroupIdAndBadSessionTimeoutsAreRefused() {
    assertEquals(
        ErrorCode.INVALID_GROUP_ID, new GroupScript(coordinator, "").join("").join().error());
    assertEquals(ErrorCode.INVALID_GROUP_ID, coordinator.heartbeat("", 1, "m", null));
    for (int timeoutMs : new int[] {5_999, 1_800_001}) {
      JoinRequest request =
          new JoinRequest(
              "payments",
              "",
              null,
              "client",
              "/127.0.0.1",
              "consumer",
              GroupScript.range("orders"),
              timeoutMs,
              60_000,
              true,
              true,
              null);
      assertEquals(ErrorCode.INVALID_SESSION_TIMEOUT, coordinator.join(request).join().error());
    }
  }

  @Test
  void newMemberMakesTheOthersRejoin() {
    JoinResult first = stable(1).getFirst();
    CompletableFuture<JoinResult> second = group.join(group.newMemberId());
    assertFalse(second.isDone());
    assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.heartbeat(first));
    assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.sync(first).join().error());
    JoinResult again = group.join(first.memberId()).join();
    assertEquals(first.generation() + 1, again.generation());
    assertEquals(first.memberId(), again.leader(), "the leader stays");
    assertEquals(again.generation(), second.join().generation());
    assertEquals(Set.of(first.memberId(), second.join().memberId()), ids(again));
  }

  @Test
  void memberThatDoesNotRejoinInTimeIsLeftBehind() {
    List<JoinResult> two = stable(2);
    CompletableFuture<JoinResult> again = group.join(two.get(0).memberId());
    for (int i = 0; i < 11; i++) {
      assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.heartbeat(two.get(1)));
      advanceMs(5_000);
    }
    assertFalse(again.isDone(), "heartbeats keep it in until the rebalance timeout");
    advanceMs(5_000);
    assertEquals(Set.of(two.get(0).memberId()), ids(again.join()));
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, group.heartbeat(two.get(1)));
  }

  @Test
  void memberThatDoesNotSyncIsLeftBehind() {
    List<JoinResult> two = stable(2);
    CompletableFuture<JoinResult> leader = group.join(two.get(0).memberId());
    CompletableFuture<JoinResult> follower = group.join(two.get(1).memberId());
    assertEquals(ErrorCode.NONE, group.syncAsLeader(leader.join()).join().error());
    for (int i = 0; i < 12; i++) {
      group.heartbeat(leader.join());
      group.heartbeat(follower.join());
      advanceMs(5_000);
    }
    assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.heartbeat(leader.join()));
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, group.heartbeat(follower.join()));
  }

  @Test
  void silentMemberIsLostAfterItsSessionTimeout() {
    List<JoinResult> two = stable(2);
    advanceMs(SESSION_TIMEOUT_MS - 1);
    assertEquals(ErrorCode.NONE, group.heartbeat(two.get(0)));
    advanceMs(1);
    assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.heartbeat(two.get(0)));
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, group.heartbeat(two.get(1)));
    assertEquals(2, group.join(two.get(0).memberId()).join().generation());
  }

  @Test
  void commitsKeepASessionAlive() {
    JoinResult joined = stable(1).getFirst();
    for (int i = 0; i < 4; i++) {
      advanceMs(SESSION_TIMEOUT_MS - 1);
      assertEquals(ErrorCode.NONE, group.commit(joined, i));
    }
  }

  @Test
  void followerThatRejoinsAStableGroupUnchangedIsAnsweredAtOnce() {
    List<JoinResult> two = stable(2);
    JoinResult again = group.join(two.get(1).memberId()).join();
    assertEquals(two.get(1).generation(), again.generation());
    assertTrue(again.members().isEmpty());
    assertEquals(ErrorCode.NONE, group.heartbeat(two.get(0)));
  }

  @Test
  void followerWithOtherMetadataBeginsARebalance() {
    List<JoinResult> two = stable(2);
    CompletableFuture<JoinResult> again =
        group.join(two.get(1).memberId(), null, GroupScript.range("orders", "refunds"));
    assertFalse(again.isDone());
    assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.heartbeat(two.get(0)));
  }

  @Test
  void leaderThatRejoinsBeginsARebalance() {
    List<JoinResult> two = stable(2);
    CompletableFuture<JoinResult> leader = group.join(two.get(0).memberId());
    assertFalse(leader.isDone());
    group.join(two.get(1).memberId());
    assertEquals(two.get(0).generation() + 1, leader.join().generation());
  }

  @Test
  void t37_membersKeepTheirOrderOverGenerations() {
    List<JoinResult> three = stable(3);
    List<String> before = three.get(0).members().stream().map(JoinedMember::memberId).toList();
    CompletableFuture<JoinResult> leader = group.join(three.get(0).memberId());
    group.join(three.get(2).memberId());
    group.join(three.get(1).memberId());
    assertEquals(before, leader.join().members().stream().map(JoinedMember::memberId).toList());
  }

  @Test
  void t38_membersLeaveInABatchWithAnAnswerForEach() {
    List<JoinResult> two = stable(2);
    List<ErrorCode> results =
        coordinator
            .leave(
                "payments",
                List.of(
                    new LeavingMember(two.get(1).memberId(), null, "done"),
                    new LeavingMember("nobody", null, null),
                    new LeavingMember("", "no-instance", null)))
            .join()
            .members();
    assertEquals(
        List.of(ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.UNKNOWN_MEMBER_ID), results);
    assertEquals(ErrorCode.REBALANCE_IN_PROGRESS, group.heartbeat(two.get(0)));
  }

  @Test
  void leavingAGroupThatIsNotThereIsToldPerMember() {
    assertEquals(
        List.of(ErrorCode.UNKNOWN_MEMBER_ID),
        new GroupScript(coordinator, "nothing").leave("m", null).members());
  }

  @Test
  void groupThatLostItsLastMemberIsEmpty() {
    JoinResult joined = stable(1).getFirst();
    assertEquals(List.of(ErrorCode.NONE), group.leave(joined.memberId(), null).members());
    assertEquals("Empty", group.describe().state());
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, group.heartbeat(joined));
    CompletableFuture<JoinResult> next = group.join(group.newMemberId());
    advanceMs(INITIAL_DELAY_MS);
    assertTrue(next.join().generation() > joined.generation(), "generations only rise");
  }

  @Test
  void t35_staticMemberThatComesBackKeepsItsPlaceAndFencesItsOldSelf() {
    JoinResult before = stableStatic("i1");
    JoinResult after = group.join("", "i1", GroupScript.range("orders")).join();
    assertEquals(ErrorCode.NONE, after.error());
    assertEquals(before.generation(), after.generation(), "nobody else notices");
    assertNotEquals(before.memberId(), after.memberId());
    assertTrue(after.skipAssignment(), "KIP-814: a leader, but not to assign");
    assertEquals(after.memberId(), after.leader());
    assertArrayEquals(
        GroupScript.assignment(before.memberId(), before.generation()),
        group.sync(after).join().assignment());
    assertEquals(
        ErrorCode.FENCED_INSTANCE_ID,
        coordinator.heartbeat("payments", before.generation(), before.memberId(), "i1"));
    assertEquals(
        ErrorCode.NONE,
        coordinator.heartbeat("payments", after.generation(), after.memberId(), "i1"));
  }

  private JoinResult stableStatic(String instanceId) {
    CompletableFuture<JoinResult> join = group.join("", instanceId, GroupScript.range("orders"));
    advanceMs(INITIAL_DELAY_MS);
    assertEquals(ErrorCode.NONE, group.syncAsLeader(join.join()).join().error());
    return join.join();
  }

  @Test
  void t38_staticMemberIsRemovedByItsInstanceId() {
    JoinResult joined = stableStatic("i1");
    assertEquals(List.of(ErrorCode.NONE), group.leave("", "i1").members());
    assertEquals(
        ErrorCode.UNKNOWN_MEMBER_ID,
        coordinator.heartbeat("payments", joined.generation(), joined.memberId(), "i1"));
    assertEquals("Empty", group.describe().state());
  }

  @Test
  void t40_offsetsComeBackWithEpochAndMetadata() {
    JoinResult joined = stable(1).getFirst();
    assertEquals(
        ErrorCode.NONE,
        group.commit(joined.generation(), joined.memberId(), "orders", 3, 42, "note").join());
    assertEquals(
        new FetchedOffset("orders", 3, ErrorCode.NONE, 42, 7, "note"), group.fetch("orders", 3));
    assertEquals(
        new FetchedOffset("orders", 4, ErrorCode.NONE, -1, -1, ""), group.fetch("orders", 4));
    assertEquals(1, coordinator.fetchOffsets("payments", null, false).join().offsets().size());
  }

  @Test
  void t40_metadataThatIsTooLargeFailsAlone() {
    assertEquals(
        ErrorCode.OFFSET_METADATA_TOO_LARGE,
        group.commit(-1, "", "orders", 0, 1, "x".repeat(4097)).join());
    assertEquals(ErrorCode.NONE, group.commit(-1, "", "orders", 0, 1, "x".repeat(4096)).join());
  }

  @Test
  void t43_offsetsOfAnActiveGroupCannotBeResetFromOutside() {
    JoinResult joined = stable(1).getFirst();
    assertEquals(ErrorCode.NONE, group.commit(joined, 10));
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, group.commitSimple("orders", 0, 0));
    group.leave(joined.memberId(), null);
    assertEquals(ErrorCode.NONE, group.commitSimple("orders", 0, 0));
    assertEquals(0, group.fetch("orders", 0).offset());
  }

  @Test
  void simpleConsumersNeedNoMembership() {
    assertEquals(ErrorCode.NONE, group.commitSimple("orders", 0, 5));
    assertEquals("Empty", group.describe().state());
    assertEquals("", group.describe().protocolType());
    assertEquals(
        ErrorCode.GROUP_ID_NOT_FOUND,
        new GroupScript(coordinator, "nothing").commit(1, "m", "orders", 0, 1, "").join());
  }

  @Test
  void t41_groupsAreDescribedWithTheirMembers() {
    JoinResult joined = stable(1).getFirst();
    GroupDescription description = group.describe();
    assertEquals("Stable", description.state());
    assertEquals("consumer", description.protocolType());
    assertEquals("range", description.protocol());
    assertEquals("client", description.members().getFirst().clientId());
    assertEquals("/127.0.0.1", description.members().getFirst().clientHost());
    assertArrayEquals(
        GroupScript.assignment(joined.memberId(), joined.generation()),
        description.members().getFirst().assignment());
  }

  @Test
  void t41_missingGroupIsDeadWithGroupIdNotFound() {
    GroupDescription description = new GroupScript(coordinator, "nothing").describe();
    assertEquals("Dead", description.state());
    assertEquals(ErrorCode.GROUP_ID_NOT_FOUND, description.error());
  }

  @Test
  void t41_listsAreFilteredByStateAndType() {
    stable(1);
    new GroupScript(coordinator, "simple").commitSimple("orders", 0, 5);
    assertEquals(2, coordinator.list(Set.of(), Set.of()).groups().size());
    assertEquals(
        List.of(new ListedGroup("payments", "consumer", "Stable", "classic")),
        coordinator.list(Set.of("stable"), Set.of("Classic")).groups());
    assertTrue(coordinator.list(Set.of(), Set.of("consumer")).groups().isEmpty());
    assertTrue(coordinator.list(Set.of("Dead"), Set.of()).groups().isEmpty());
  }

  @Test
  void t42_onlyGroupsWithoutMembersAreDeleted() {
    JoinResult joined = stable(1).getFirst();
    group.commit(joined, 5);
    List<String> ids = List.of("payments", "nothing");
    assertEquals(
        List.of(ErrorCode.NON_EMPTY_GROUP, ErrorCode.GROUP_ID_NOT_FOUND),
        coordinator.deleteGroups(ids).join());
    group.leave(joined.memberId(), null);
    assertEquals(
        List.of(ErrorCode.NONE, ErrorCode.GROUP_ID_NOT_FOUND),
        coordinator.deleteGroups(ids).join());
    assertEquals("Dead", group.describe().state());
    assertEquals(-1, group.fetch("orders", 0).offset());
  }

  @Test
  void t42_offsetsOfSubscribedTopicsCannotBeDeleted() {
    JoinResult joined = stable(1).getFirst();
    group.commit(joined, 5);
    group.commit(joined.generation(), joined.memberId(), "refunds", 0, 6, "").join();
    List<OffsetKey> keys = List.of(new OffsetKey("orders", 0), new OffsetKey("refunds", 0));
    assertEquals(
        List.of(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode.NONE),
        coordinator.deleteOffsets("payments", keys).join().results());
    assertEquals(5, group.fetch("orders", 0).offset());
    assertEquals(-1, group.fetch("refunds", 0).offset());
    assertEquals(
        ErrorCode.GROUP_ID_NOT_FOUND, coordinator.deleteOffsets("nothing", keys).join().error());
  }
}
