package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.group.GroupCoordinator.GroupDescription;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.ListedGroup;
import io.takhin.api.group.GroupCoordinator.MemberDescription;
import io.takhin.api.group.GroupCoordinator.PartitionResult;
import io.takhin.api.group.GroupCoordinator.SyncRequest;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class GroupApisTest {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final ScriptedGroups groups = new ScriptedGroups();
  private final List<MessageApi<?>> apis = new GroupApis(cluster, groups, null).apis();

  private RecordingExchange exchange(ApiKeys key, int version) {
    return new RecordingExchange(key, version);
  }

  private FindCoordinatorResponseData find(int version, byte type, String... keys) {
    FindCoordinatorRequestData request = new FindCoordinatorRequestData();
    if (version >= 1) {
      request.setKeyType(type);
    }
    if (version < 4) {
      request.setKey(keys[0]);
    } else {
      request.setCoordinatorKeys(List.of(keys));
    }
    return exchange(ApiKeys.FIND_COORDINATOR, version).ask(apis, request).response();
  }

  @Test
  void t39FindsTheLeaderOfTheGroupsPartition() {
    cluster.createTopic("__consumer_offsets", 1);
    for (int version = 0; version < 4; version++) {
      FindCoordinatorResponseData answer = find(version, (byte) 0, "g");
      assertEquals(0, answer.errorCode());
      assertEquals("1 localhost:9092", answer.nodeId() + " " + answer.host() + ":" + answer.port());
    }
    for (int version = 4; version <= ApiKeys.FIND_COORDINATOR.latestVersion(); version++) {
      FindCoordinatorResponseData answer = find(version, (byte) 0, "g", "h");
      assertEquals(2, answer.coordinators().size());
      assertEquals("h", answer.coordinators().get(1).key());
      assertEquals(9092, answer.coordinators().get(1).port());
    }
  }

  @Test
  void t39AGroupWithoutAPartitionHasNoCoordinatorYet() {
    groups.partition =
        group ->
            group.equals("bad")
                ? CompletableFuture.failedFuture(
                    new TakhinException(ErrorCode.NOT_CONTROLLER, "no quorum"))
                : CompletableFuture.completedFuture(
                    new PartitionResult(ErrorCode.COORDINATOR_NOT_AVAILABLE, -1));
    FindCoordinatorResponseData answer = find(4, (byte) 0, "bad", "new");
    for (var coordinator : answer.coordinators()) {
      assertEquals(ErrorCode.COORDINATOR_NOT_AVAILABLE.code(), coordinator.errorCode());
      assertEquals(
          "-1 :-1", coordinator.nodeId() + " " + coordinator.host() + ":" + coordinator.port());
    }
  }

  @Test
  void t39KindsThatDoNotExistHereAreRefusedForGood() {
    for (byte type : new byte[] {1, 2, 9}) {
      assertEquals(
          ErrorCode.INVALID_REQUEST.code(),
          find(6, type, "x").coordinators().getFirst().errorCode());
    }
    FindCoordinatorResponseData old = find(1, (byte) 1, "txn");
    assertEquals(ErrorCode.INVALID_REQUEST.code(), old.errorCode());
    assertEquals("This broker has no transaction coordinator.", old.errorMessage());
  }

  private JoinGroupResponseData join(int version) {
    JoinGroupRequestProtocolCollection protocols = new JoinGroupRequestProtocolCollection();
    protocols.add(new JoinGroupRequestProtocol().setName("b").setMetadata(new byte[] {2}));
    protocols.add(new JoinGroupRequestProtocol().setName("a").setMetadata(new byte[] {1}));
    return exchange(ApiKeys.JOIN_GROUP, version)
        .ask(
            apis,
            new JoinGroupRequestData()
                .setGroupId("g")
                .setMemberId("")
                .setProtocolType("consumer")
                .setSessionTimeoutMs(10_000)
                .setRebalanceTimeoutMs(60_000)
                .setProtocols(protocols))
        .response();
  }

  @Test
  void t35OnlyFromVersion4OnMustAMemberComeBackWithItsId() {
    for (int version = 0; version <= ApiKeys.JOIN_GROUP.latestVersion(); version++) {
      join(version);
      JoinRequest asked = groups.lastAsked();
      assertEquals(version >= 4, asked.requireKnownMemberId(), "v" + version);
      assertEquals(version >= 9, asked.supportsSkippingAssignment());
      assertEquals(version == 0 ? 10_000 : 60_000, asked.rebalanceTimeoutMs());
      assertEquals("client-7", asked.clientId());
      assertEquals("/127.0.0.1", asked.clientHost());
    }
  }

  @Test
  void t37AProtocolsOrderIsTheMembersPreference() {
    join(9);
    JoinRequest asked = groups.lastAsked();
    assertEquals("b", asked.protocols().getFirst().name());
    assertArrayEquals(new byte[] {1}, asked.protocols().get(1).metadata());
  }

  @Test
  void aJoinsAnswerFitsEveryVersion() {
    groups.joined =
        new JoinResult(
            ErrorCode.NONE,
            4,
            "consumer",
            "range",
            "m1",
            true,
            "m1",
            List.of(
                new JoinedMember("m2", null, new byte[] {2}),
                new JoinedMember("m1", "static", new byte[] {1})));
    for (int version = 0; version <= ApiKeys.JOIN_GROUP.latestVersion(); version++) {
      JoinGroupResponseData answer = join(version);
      assertEquals(4, answer.generationId());
      assertEquals("m2", answer.members().getFirst().memberId());
      assertEquals(version >= 5 ? "static" : null, answer.members().get(1).groupInstanceId());
      assertEquals(version >= 9, answer.skipAssignment());
    }
    groups.joined =
        new JoinResult(
            ErrorCode.MEMBER_ID_REQUIRED, -1, null, null, "", false, "new-id", List.of());
    for (int version = 0; version <= ApiKeys.JOIN_GROUP.latestVersion(); version++) {
      JoinGroupResponseData answer = join(version);
      assertEquals(ErrorCode.MEMBER_ID_REQUIRED.code(), answer.errorCode());
      assertEquals("new-id", answer.memberId());
      assertEquals(version >= 7 ? null : "", answer.protocolName());
    }
  }

  @Test
  void t36ASyncFromVersion5OnMustNameTheProtocol() {
    SyncGroupRequestData request = new SyncGroupRequestData().setGroupId("g").setMemberId("m");
    SyncGroupResponseData refused = exchange(ApiKeys.SYNC_GROUP, 5).ask(apis, request).response();
    assertEquals(ErrorCode.INCONSISTENT_GROUP_PROTOCOL.code(), refused.errorCode());
    assertTrue(groups.asked.isEmpty());
    for (int version = 0; version < 5; version++) {
      SyncGroupResponseData answer =
          exchange(ApiKeys.SYNC_GROUP, version).ask(apis, request).response();
      assertArrayEquals(new byte[] {1}, answer.assignment());
    }
    request.setProtocolType("consumer").setProtocolName("range");
    SyncGroupResponseData answer = exchange(ApiKeys.SYNC_GROUP, 5).ask(apis, request).response();
    assertEquals("range", answer.protocolName());
    assertEquals("range", groups.<SyncRequest>lastAsked().protocolName());
  }

  @Test
  void t38OneMemberLeavesBeforeVersion3AndManyFromThenOn() {
    groups.memberLeft = ErrorCode.UNKNOWN_MEMBER_ID;
    LeaveGroupResponseData old =
        exchange(ApiKeys.LEAVE_GROUP, 2)
            .ask(apis, new LeaveGroupRequestData().setGroupId("g").setMemberId("m"))
            .response();
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID.code(), old.errorCode());
    LeaveGroupResponseData batch =
        exchange(ApiKeys.LEAVE_GROUP, 5)
            .ask(
                apis,
                new LeaveGroupRequestData()
                    .setGroupId("g")
                    .setMembers(
                        List.of(
                            new MemberIdentity().setMemberId("a").setReason("done"),
                            new MemberIdentity().setMemberId("").setGroupInstanceId("i"))))
            .response();
    assertEquals(0, batch.errorCode());
    assertEquals("i", batch.members().get(1).groupInstanceId());
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID.code(), batch.members().get(1).errorCode());
    assertEquals("done", groups.<List<LeavingMember>>lastAsked().getFirst().reason());
  }

  @Test
  void t41AMissingGroupIsDeadAndFromVersion6OnAnError() {
    for (int version = 0; version <= ApiKeys.DESCRIBE_GROUPS.latestVersion(); version++) {
      DescribeGroupsResponseData answer =
          exchange(ApiKeys.DESCRIBE_GROUPS, version)
              .ask(apis, new DescribeGroupsRequestData().setGroups(List.of("gone")))
              .response();
      var group = answer.groups().getFirst();
      assertEquals("Dead", group.groupState());
      assertEquals(
          version >= 6 ? ErrorCode.GROUP_ID_NOT_FOUND.code() : 0, group.errorCode(), "v" + version);
      assertEquals(version >= 6 ? "Group gone not found." : null, group.errorMessage());
      assertEquals(Integer.MIN_VALUE, group.authorizedOperations());
    }
  }

  @Test
  void describesMembersWithTheirOpaqueData() {
    groups.described =
        new GroupDescription(
            ErrorCode.NONE,
            "g",
            "Stable",
            "consumer",
            "range",
            List.of(
                new MemberDescription(
                    "m", "i", "c", "/1.2.3.4", new byte[] {1}, new byte[] {2, 3})),
            null);
    for (int version = 0; version <= ApiKeys.DESCRIBE_GROUPS.latestVersion(); version++) {
      DescribeGroupsResponseData answer =
          exchange(ApiKeys.DESCRIBE_GROUPS, version)
              .ask(
                  apis,
                  new DescribeGroupsRequestData()
                      .setGroups(List.of("g"))
                      .setIncludeAuthorizedOperations(version >= 3))
              .response();
      var member = answer.groups().getFirst().members().getFirst();
      assertEquals(version >= 4 ? "i" : null, member.groupInstanceId());
      assertArrayEquals(new byte[] {2, 3}, member.memberAssignment());
      assertEquals(
          version >= 3 ? AuthorizedOperations.GROUP : Integer.MIN_VALUE,
          answer.groups().getFirst().authorizedOperations());
    }
  }

  @Test
  void t41ListsByStateFromVersion4AndTypeFromVersion5() {
    groups.listed = List.of(new ListedGroup("g", "consumer", "Stable", "classic"));
    for (int version = 0; version <= ApiKeys.LIST_GROUPS.latestVersion(); version++) {
      ListGroupsRequestData request = new ListGroupsRequestData();
      if (version >= 4) {
        request.setStatesFilter(List.of("Stable"));
      }
      if (version >= 5) {
        request.setTypesFilter(List.of("Classic"));
      }
      ListGroupsResponseData answer =
          exchange(ApiKeys.LIST_GROUPS, version).ask(apis, request).response();
      var group = answer.groups().getFirst();
      assertEquals(version >= 4 ? "Stable" : "", group.groupState());
      assertEquals(version >= 5 ? "classic" : "", group.groupType());
    }
    assertEquals(List.of(Set.of("Stable"), Set.of("Classic")), groups.lastAsked());
  }

  @Test
  void t42DeletesEachGroupOnce() {
    groups.deleted = ErrorCode.NON_EMPTY_GROUP;
    for (int version = 0; version <= ApiKeys.DELETE_GROUPS.latestVersion(); version++) {
      DeleteGroupsResponseData answer =
          exchange(ApiKeys.DELETE_GROUPS, version)
              .ask(apis, new DeleteGroupsRequestData().setGroupsNames(List.of("g", "h", "g")))
              .response();
      List<String> names = new ArrayList<>();
      answer.results().forEach(result -> names.add(result.groupId()));
      assertEquals(List.of("g", "h"), names);
      var first = answer.results().iterator().next();
      assertEquals(ErrorCode.NON_EMPTY_GROUP.code(), first.errorCode());
      if (version >= 3) {
        assertFalse(first.errorMessage().isEmpty());
      } else {
        assertNull(first.errorMessage());
      }
    }
  }
}
