package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.partition.Partition;
import io.takhin.protocol.kafka.ScriptedGroups.Beat;
import io.takhin.testkit.partition.CapturedProduce;
import io.takhin.testkit.storage.Batches;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Heartbeat, OffsetCommit and ListOffsets, which are read and answered in place: over the socket,
/// in every version, requests made and answers read by the Kafka client's classes.
@Timeout(30)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InPlaceApisTest {
  private final TestBroker broker = new TestBroker();
  private final RawClient client = broker.client();
  private final ScriptedGroups groups = broker.groups;
  private UUID orders = new UUID(0, 0);

  @BeforeAll
  void start() {
    orders = broker.cluster.createTopic("orders", 2).id();
    Partition first =
        Objects.requireNonNull(
            Objects.requireNonNull(broker.partitions.topic("orders")).partition(0));
    CapturedProduce.append(first, Batches.at(1000, "a", "b"));
    CapturedProduce.append(first, Batches.at(2000, "c"));
  }

  @AfterAll
  void stop() {
    client.close();
    broker.close();
  }

  @BeforeEach
  void reset() {
    groups.asked.clear();
    groups.beat = ErrorCode.NONE;
    groups.committed = ErrorCode.NONE;
  }

  static IntStream heartbeatVersions() {
    return versions(ApiKeys.HEARTBEAT);
  }

  static IntStream commitVersions() {
    return versions(ApiKeys.OFFSET_COMMIT);
  }

  static IntStream listVersions() {
    return versions(ApiKeys.LIST_OFFSETS);
  }

  private static IntStream versions(ApiKeys key) {
    return IntStream.rangeClosed(key.oldestVersion(), key.latestVersion());
  }

  private static Uuid uuid(UUID id) {
    return Conversions.uuid(id);
  }

  // ---- Heartbeat

  @ParameterizedTest
  @MethodSource("heartbeatVersions")
  void aHeartbeatSaysTheCoordinatorsWord(int version) {
    groups.beat = ErrorCode.REBALANCE_IN_PROGRESS;
    HeartbeatRequestData request =
        new HeartbeatRequestData()
            .setGroupId("täglich")
            .setGenerationId(7)
            .setMemberId("m".repeat(300))
            .setGroupInstanceId(version >= 3 ? "static" : null);
    HeartbeatResponseData answer = client.ask(version, request, new HeartbeatResponseData());
    assertEquals(
        new HeartbeatResponseData().setErrorCode(ErrorCode.REBALANCE_IN_PROGRESS.code()), answer);
    assertEquals(
        new Beat("täglich", 7, "m".repeat(300), version >= 3 ? "static" : null),
        groups.lastAsked());
    groups.beat = ErrorCode.NONE;
    request.setGroupInstanceId(null);
    assertEquals(
        new HeartbeatResponseData(), client.ask(version, request, new HeartbeatResponseData()));
    assertNull(groups.<Beat>lastAsked().instance());
  }

  @Test
  void namesOfASteadyConsumerAreMadeOnce() {
    HeartbeatRequestData request =
        new HeartbeatRequestData().setGroupId("steady").setMemberId("member").setGenerationId(1);
    client.ask(4, request, new HeartbeatResponseData());
    Beat first = groups.lastAsked();
    client.ask(4, request, new HeartbeatResponseData());
    assertSame(first.group(), groups.<Beat>lastAsked().group());
    assertSame(first.member(), groups.<Beat>lastAsked().member());
  }

  // ---- OffsetCommit

  private static OffsetCommitRequestTopic committing(Uuid id, String name, int... partitions) {
    OffsetCommitRequestTopic topic = new OffsetCommitRequestTopic().setName(name).setTopicId(id);
    for (int partition : partitions) {
      topic
          .partitions()
          .add(
              new OffsetCommitRequestPartition()
                  .setPartitionIndex(partition)
                  .setCommittedOffset(10 + partition)
                  .setCommittedLeaderEpoch(4)
                  .setCommittedMetadata(partition == 0 ? null : "note"));
    }
    return topic;
  }

  private OffsetCommitResponseData commit(int version, OffsetCommitRequestTopic... topics) {
    for (OffsetCommitRequestTopic topic : topics) {
      if (version >= 10) {
        topic.setName("");
      } else {
        topic.setTopicId(Uuid.ZERO_UUID);
      }
    }
    return client.ask(version, commitRequest(version, topics), new OffsetCommitResponseData());
  }

  private static OffsetCommitRequestData commitRequest(
      int version, OffsetCommitRequestTopic... topics) {
    return new OffsetCommitRequestData()
        .setGroupId("g")
        .setGenerationIdOrMemberEpoch(3)
        .setMemberId("m")
        .setGroupInstanceId(version >= 7 ? "i" : null)
        .setRetentionTimeMs(version <= 4 ? 1_000_000 : -1)
        .setTopics(List.of(topics));
  }

  @ParameterizedTest
  @MethodSource("commitVersions")
  void t40CommitsWhatExistsAndNamesWhatDoesNot(int version) {
    long before = System.currentTimeMillis();
    OffsetCommitResponseData answer =
        commit(
            version,
            committing(new Uuid(1, 1), "gone", 0),
            committing(uuid(orders), "orders", 0, 2, -1, 1));
    int unknown =
        (version >= 10 ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION).code();
    assertEquals(unknown, answer.topics().get(0).partitions().getFirst().errorCode());
    assertEquals(version >= 10 ? "" : "orders", answer.topics().get(1).name());
    assertEquals(version >= 10 ? uuid(orders) : Uuid.ZERO_UUID, answer.topics().get(1).topicId());
    assertEquals(List.of("0:0", "2:3", "-1:3", "1:0"), outcomes(answer, 1));
    CommitRequest asked = groups.lastAsked();
    int epoch = version >= 6 ? 4 : -1;
    assertEquals(
        List.of(
            new OffsetToCommit(orders, "orders", 0, 10, epoch, ""),
            new OffsetToCommit(orders, "orders", 1, 11, epoch, "note")),
        asked.offsets());
    assertEquals("g3m", asked.groupId() + asked.generation() + asked.memberId());
    assertEquals(version >= 7 ? "i" : null, asked.instanceId());
    if (version <= 4) {
      long expires = asked.expireTimeMs();
      assertTrue(expires >= before + 1_000_000 && expires <= before + 1_060_000, "" + expires);
    } else {
      assertEquals(-1, asked.expireTimeMs());
    }
  }

  private static List<String> outcomes(OffsetCommitResponseData answer, int topic) {
    return answer.topics().get(topic).partitions().stream()
        .map(p -> p.partitionIndex() + ":" + p.errorCode())
        .toList();
  }

  @Test
  void aCommitOfNothingThatExistsDoesNotReachTheCoordinator() {
    commit(9, committing(Uuid.ZERO_UUID, "gone", 0));
    assertEquals(
        0, client.ask(9, commitRequest(9), new OffsetCommitResponseData()).topics().size());
    assertTrue(groups.asked.isEmpty());
  }

  @ParameterizedTest
  @MethodSource("commitVersions")
  void aGroupsErrorIsThatOfEveryPartition(int version) {
    groups.committed = ErrorCode.ILLEGAL_GENERATION;
    assertEquals(
        List.of("0:22", "1:22"),
        outcomes(commit(version, committing(uuid(orders), "orders", 0, 1)), 0));
  }

  @ParameterizedTest
  @MethodSource("commitVersions")
  void t40_aGroupThatIsNotThereIsToldAsSuchFromVersion9(int version) {
    groups.committed = ErrorCode.GROUP_ID_NOT_FOUND;
    int code = version < 9 ? 22 : 69;
    assertEquals(
        List.of("0:" + code), outcomes(commit(version, committing(uuid(orders), "orders", 0)), 0));
  }

  @Test
  void aCommitThatWaitsIsAnsweredInItsPlaceAndOneThatFailsGetsTheCode() {
    var usual = groups.commitOutcome;
    CompletableFuture<List<ErrorCode>> late = new CompletableFuture<>();
    try {
      groups.commitOutcome = request -> late;
      client.send(9, 1, commitRequest(9, committing(Uuid.ZERO_UUID, "orders", 0, 1)));
      client.send(4, 2, new HeartbeatRequestData().setGroupId("g").setMemberId("m"));
      assertTrue(client.silentFor(50));
      late.complete(List.of(ErrorCode.NONE, ErrorCode.OFFSET_METADATA_TOO_LARGE));
      assertEquals(
          List.of("0:0", "1:12"),
          outcomes(client.receive(ApiKeys.OFFSET_COMMIT, 9, 1, new OffsetCommitResponseData()), 0));
      client.receive(ApiKeys.HEARTBEAT, 4, 2, new HeartbeatResponseData());
      groups.commitOutcome =
          request ->
              CompletableFuture.failedFuture(
                  new TakhinException(ErrorCode.REQUEST_TIMED_OUT, "too slow"));
      assertEquals(List.of("0:7"), outcomes(commit(9, committing(Uuid.ZERO_UUID, "orders", 0)), 0));
      groups.commitOutcome = request -> CompletableFuture.completedFuture(List.of());
      assertEquals(
          List.of("0:-1"), outcomes(commit(9, committing(Uuid.ZERO_UUID, "orders", 0)), 0));
    } finally {
      groups.commitOutcome = usual;
    }
  }

  // ---- ListOffsets

  private static ListOffsetsPartition at(int partition, long timestamp) {
    return new ListOffsetsPartition().setPartitionIndex(partition).setTimestamp(timestamp);
  }

  private static ListOffsetsTopic topic(String name, ListOffsetsPartition... asked) {
    return new ListOffsetsTopic().setName(name).setPartitions(List.of(asked));
  }

  private ListOffsetsResponseData offsets(int version, ListOffsetsTopic... topics) {
    ListOffsetsRequestData request =
        new ListOffsetsRequestData().setReplicaId(-1).setTopics(List.of(topics));
    return client.ask(version, request, new ListOffsetsResponseData());
  }

  private ListOffsetsPartitionResponse only(int version, String name, ListOffsetsPartition asked) {
    return offsets(version, topic(name, asked)).topics().getFirst().partitions().getFirst();
  }

  @ParameterizedTest
  @MethodSource("listVersions")
  void endsAndTimesOfManyPartitionsAreAnsweredInTheirOrder(int version) {
    int epoch = version >= 4 ? 0 : -1;
    ListOffsetsResponseData answer =
        offsets(
            version,
            topic("orders", at(0, 1500), at(1, -1)),
            topic("gone", at(0, 1500)),
            topic("orders", at(9, -2)));
    assertEquals(
        List.of("orders", "gone", "orders"), answer.topics().stream().map(t -> t.name()).toList());
    assertEquals(
        List.of(
            new ListOffsetsPartitionResponse()
                .setPartitionIndex(0)
                .setTimestamp(2000)
                .setOffset(2)
                .setLeaderEpoch(epoch),
            new ListOffsetsPartitionResponse()
                .setPartitionIndex(1)
                .setTimestamp(-1)
                .setOffset(0)
                .setLeaderEpoch(epoch)),
        answer.topics().getFirst().partitions());
    ListOffsetsPartitionResponse unknown =
        new ListOffsetsPartitionResponse().setErrorCode((short) 3).setOffset(-1).setTimestamp(-1);
    assertEquals(List.of(unknown), answer.topics().get(1).partitions());
    assertEquals(
        List.of(unknown.duplicate().setPartitionIndex(9)), answer.topics().get(2).partitions());
    assertEquals(3, only(version, "orders", at(0, -1)).offset());
    assertEquals(0, only(version, "orders", at(0, -2)).offset());
    assertEquals(-1, only(version, "orders", at(0, 9999)).offset());
  }

  @ParameterizedTest
  @MethodSource("listVersions")
  void t33SpecialTimestampsBelongToVersions(int version) {
    int[] since = {1, 1, 7, 8, 9, 11};
    for (int timestamp = -1; timestamp >= -6; timestamp--) {
      boolean known = version >= since[-1 - timestamp];
      boolean refused =
          only(version, "orders", at(0, timestamp)).errorCode()
              == ErrorCode.UNSUPPORTED_VERSION.code();
      assertEquals(known, !refused, "v" + version + " " + timestamp);
    }
    for (long unknown : new long[] {-7, Long.MIN_VALUE}) {
      assertEquals(
          ErrorCode.UNSUPPORTED_VERSION.code(),
          only(version, "orders", at(0, unknown)).errorCode());
    }
  }

  @Test
  void whatIsNotHereOrNamedTwiceHasItsOwnError() {
    assertEquals(3, only(7, "gone", at(0, -1)).errorCode());
    assertEquals(3, only(7, "orders", at(2, -1)).errorCode());
    assertEquals(3, only(7, "orders", at(-1, -1)).errorCode());
    assertEquals(75, only(7, "orders", at(0, -1).setCurrentLeaderEpoch(9)).errorCode());
    assertEquals(
        List.of(42, 0, 42),
        errors(offsets(7, topic("orders", at(0, -1), at(1, -1), at(0, -2))), 0));
    ListOffsetsResponseData twice =
        offsets(7, topic("orders", at(0, -1)), topic("gone", at(0, -1)), topic("orders", at(0, 5)));
    assertEquals(List.of(42), errors(twice, 0));
    assertEquals(List.of(3), errors(twice, 1));
    assertEquals(List.of(42), errors(twice, 2));
  }

  @Test
  void anOfflineLogSaysSoItself() {
    try (TestBroker burning = new TestBroker();
        RawClient asking = burning.client()) {
      burning.cluster.createTopic("orders", 1);
      burning.storage.failDirectory("on fire");
      ListOffsetsRequestData request =
          new ListOffsetsRequestData()
              .setReplicaId(-1)
              .setTopics(List.of(topic("orders", at(0, -1))));
      assertEquals(
          List.of((int) ErrorCode.KAFKA_STORAGE_ERROR.code()),
          errors(asking.ask(7, request, new ListOffsetsResponseData()), 0));
    }
  }

  private static List<Integer> errors(ListOffsetsResponseData answer, int topic) {
    return answer.topics().get(topic).partitions().stream().map(p -> (int) p.errorCode()).toList();
  }

  // ---- all of them

  @Test
  void everyFieldOfEveryVersionIsReadAndAnswered() {
    for (ApiKeys key : List.of(ApiKeys.HEARTBEAT, ApiKeys.OFFSET_COMMIT, ApiKeys.LIST_OFFSETS)) {
      for (short version : key.allVersions()) {
        var schema = key.messageType.requestSchemas()[version];
        for (ApiMessage request :
            List.of(
                PopulatedMessage.full(key.messageType.newRequest(), schema),
                PopulatedMessage.nulls(key.messageType.newRequest(), schema),
                key.messageType.newRequest())) {
          client.ask(version, request, key.messageType.newResponse());
        }
      }
    }
  }

  @Test
  void aFrameThatEndsTooSoonOrTooLateClosesAndReachesNobody() {
    for (ApiKeys key : List.of(ApiKeys.HEARTBEAT, ApiKeys.OFFSET_COMMIT, ApiKeys.LIST_OFFSETS)) {
      short version = key.latestVersion();
      var schema = key.messageType.requestSchemas()[version];
      byte[] whole =
          RawClient.frame(version, 1, PopulatedMessage.full(key.messageType.newRequest(), schema));
      for (int length : new int[] {whole.length - 1, whole.length / 2 + 10, whole.length + 1}) {
        byte[] bytes = java.util.Arrays.copyOf(whole, length);
        java.nio.ByteBuffer.wrap(bytes).putInt(0, length - 4);
        try (RawClient hasty = broker.client()) {
          assertTrue(hasty.send(bytes).closedByBroker(), key + " of " + length + " bytes");
        }
      }
    }
    assertTrue(groups.asked.isEmpty(), groups.asked.toString());
  }
}
