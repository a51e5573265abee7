package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetadataApisTest {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final ScriptedGroups groups = new ScriptedGroups();
  private final List<MessageApi<?>> apis = new MetadataApis(cluster, groups, true).apis();

  private MetadataResponseData metadata(int version, MetadataRequestData request) {
    return new RecordingExchange(ApiKeys.METADATA, version).ask(apis, request).response();
  }

  private static MetadataRequestData names(String... names) {
    List<MetadataRequestTopic> topics = new ArrayList<>();
    for (String name : names) {
      topics.add(new MetadataRequestTopic().setName(name));
    }
    return new MetadataRequestData().setTopics(topics).setAllowAutoTopicCreation(true);
  }

  private static MetadataRequestData id(Uuid id) {
    return new MetadataRequestData()
        .setTopics(List.of(new MetadataRequestTopic().setName(null).setTopicId(id)));
  }

  private static MetadataResponseTopic topic(MetadataResponseData response, String name) {
    return Objects.requireNonNull(response.topics().find(name), name);
  }

  @Test
  void t6EmptyMeansAllInVersion0AndNoneLaterWhereNullMeansAll() {
    cluster.createTopic("orders", 2);
    cluster.createTopic("payments", 1);
    MetadataRequestData empty = names();
    assertEquals(2, metadata(0, empty).topics().size());
    for (int version = 1; version <= ApiKeys.METADATA.latestVersion(); version++) {
      assertEquals(0, metadata(version, empty).topics().size(), "v" + version);
      MetadataRequestData all = new MetadataRequestData().setTopics(null);
      MetadataResponseData answer = metadata(version, all);
      assertEquals(2, answer.topics().size(), "v" + version);
      assertEquals(2, topic(answer, "orders").partitions().size());
    }
  }

  @Test
  void everyVersionShowsTheLeaderAndHowToReachIt() {
    cluster.createTopic("orders", 1);
    for (int version = 0; version <= ApiKeys.METADATA.latestVersion(); version++) {
      MetadataResponseData answer = metadata(version, names("orders"));
      var broker = Objects.requireNonNull(answer.brokers().find(1));
      assertEquals("localhost:9092", broker.host() + ":" + broker.port());
      var partition = topic(answer, "orders").partitions().getFirst();
      assertEquals(1, partition.leaderId());
      assertEquals(List.of(1), partition.isrNodes());
      assertEquals(version >= 7 ? 0 : -1, partition.leaderEpoch());
      if (version >= 1) {
        assertEquals(1, answer.controllerId());
      }
    }
  }

  @Test
  void t14MakesATopicOnDemandAndAnswersWithItsLeader() {
    MetadataResponseTopic made = topic(metadata(12, names("fresh")), "fresh");
    assertEquals(ErrorCode.NONE.code(), made.errorCode());
    assertEquals(1, made.partitions().getFirst().leaderId());
    assertNotNull(cluster.image().topic("fresh"));
  }

  @Test
  void t14DoesNotMakeTopicsThatTheClientOrTheBrokerForbids() {
    MetadataRequestData request = names("fresh").setAllowAutoTopicCreation(false);
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.code(),
        topic(metadata(12, request), "fresh").errorCode());
    MetadataResponseData answer =
        new RecordingExchange(ApiKeys.METADATA, 12)
            .ask(new MetadataApis(cluster, groups, false).apis(), names("fresh"))
            .response();
    assertEquals(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.code(), topic(answer, "fresh").errorCode());
    assertNull(cluster.image().topic("fresh"));
  }

  @Test
  void t14LeavesTheOffsetsTopicToItsCoordinator() {
    MetadataResponseData answer = metadata(12, names("__consumer_offsets", "__transaction_state"));
    assertEquals(List.of(""), groups.asked);
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.code(),
        topic(answer, "__transaction_state").errorCode());
    assertTrue(topic(answer, "__consumer_offsets").isInternal());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "bad name!", "täglich"})
  void namesThatNoTopicCanHaveAreInvalid(String name) {
    assertEquals(
        ErrorCode.INVALID_TOPIC_EXCEPTION.code(),
        topic(metadata(9, names(name)), name).errorCode());
  }

  @Test
  void aNameOf249CharactersIsTheLongest() {
    assertEquals(0, topic(metadata(9, names("a".repeat(249))), "a".repeat(249)).errorCode());
    assertEquals(
        ErrorCode.INVALID_TOPIC_EXCEPTION.code(),
        topic(metadata(9, names("a".repeat(250))), "a".repeat(250)).errorCode());
  }

  @Test
  void t12FindsTopicsByIdFromVersion12On() {
    TopicImage orders = cluster.createTopic("orders", 1);
    MetadataResponseData answer = metadata(12, id(Conversions.uuid(orders.id())));
    assertEquals(0, topic(answer, "orders").errorCode());
    Uuid unknown = Uuid.randomUuid();
    MetadataResponseTopic none = metadata(12, id(unknown)).topics().iterator().next();
    assertEquals(ErrorCode.UNKNOWN_TOPIC_ID.code(), none.errorCode());
    assertEquals(unknown, none.topicId());
    assertNull(none.name());
    for (int version = 10; version <= 11; version++) {
      assertEquals(
          ErrorCode.INVALID_REQUEST,
          new RecordingExchange(ApiKeys.METADATA, version).ask(apis, id(unknown)).refusal());
    }
  }

  @Test
  void t12ARecreatedTopicShowsItsNewIdAtOnce() {
    TopicImage old = cluster.createTopic("orders", 1);
    cluster.deleteTopics(List.of(old.id())).join();
    cluster.createTopic("orders", 1);
    assertNotEquals(
        Conversions.uuid(old.id()), topic(metadata(12, names("orders")), "orders").topicId());
  }

  @Test
  void t11ALeaderWithoutTheClientsListenerIsSaidAsTheVersionCan() {
    TopicImage orders = cluster.createTopic("orders", 1);
    cluster.register(new Broker(2, List.of(new Endpoint("INTERNAL", "inside", 9)), null));
    cluster.append(
        new PartitionChanged(
            orders.id(), 0, new PartitionState(List.of(2, 3), List.of(2), 2, 5, 5)));
    for (int version : new int[] {5, 6, 12}) {
      MetadataResponseData answer = metadata(version, names("orders"));
      assertNull(answer.brokers().find(2));
      var partition = topic(answer, "orders").partitions().getFirst();
      assertEquals(
          version < 6 ? ErrorCode.LEADER_NOT_AVAILABLE.code() : ErrorCode.LISTENER_NOT_FOUND.code(),
          partition.errorCode());
      assertEquals(-1, partition.leaderId());
      assertEquals(List.of(3), partition.offlineReplicas());
    }
  }

  @Test
  void t20OperationsAreNamedOnlyWhenAskedFor() {
    cluster.createTopic("orders", 1);
    MetadataResponseData silent = metadata(8, names("orders"));
    assertEquals(Integer.MIN_VALUE, silent.clusterAuthorizedOperations());
    assertEquals(Integer.MIN_VALUE, topic(silent, "orders").topicAuthorizedOperations());
    MetadataResponseData told =
        metadata(
            8,
            names("orders")
                .setIncludeClusterAuthorizedOperations(true)
                .setIncludeTopicAuthorizedOperations(true));
    assertEquals(AuthorizedOperations.CLUSTER, told.clusterAuthorizedOperations());
    assertEquals(AuthorizedOperations.TOPIC, topic(told, "orders").topicAuthorizedOperations());
  }

  @Test
  void t68AHundredThousandUnknownIdsTakeLinearTime() {
    List<MetadataRequestTopic> unknown = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      unknown.add(new MetadataRequestTopic().setName(null).setTopicId(new Uuid(i + 1, i + 1)));
    }
    MetadataRequestData request = new MetadataRequestData().setTopics(unknown);
    MetadataResponseData answer =
        Assertions.assertTimeoutPreemptively(
            Duration.ofSeconds(5),
            () ->
                new RecordingExchange(ApiKeys.METADATA, 12)
                    .direct()
                    .ask(apis, request)
                    .<MetadataResponseData>response());
    assertEquals(100_000, answer.topics().size());
  }

  @Test
  void describesTheClusterOfBrokersOnly() {
    for (int version = 0; version <= 2; version++) {
      DescribeClusterResponseData answer =
          new RecordingExchange(ApiKeys.DESCRIBE_CLUSTER, version)
              .ask(apis, new DescribeClusterRequestData())
              .response();
      assertEquals(cluster.clusterId(), answer.clusterId());
      assertEquals(1, answer.controllerId());
      assertEquals(9092, Objects.requireNonNull(answer.brokers().find(1)).port());
      assertEquals(Integer.MIN_VALUE, answer.clusterAuthorizedOperations());
    }
    assertEquals(
        ErrorCode.MISMATCHED_ENDPOINT_TYPE,
        new RecordingExchange(ApiKeys.DESCRIBE_CLUSTER, 1)
            .ask(apis, new DescribeClusterRequestData().setEndpointType((byte) 2))
            .refusal());
    assertEquals(
        ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        new RecordingExchange(ApiKeys.DESCRIBE_CLUSTER, 1)
            .ask(apis, new DescribeClusterRequestData().setEndpointType((byte) 3))
            .refusal());
  }

  private DescribeTopicPartitionsResponseData page(DescribeTopicPartitionsRequestData request) {
    return new RecordingExchange(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, 0)
        .ask(apis, request)
        .response();
  }

  @Test
  void t19PagesThroughAllPartitionsByCursor() {
    cluster.createTopic("a", 3);
    cluster.createTopic("b", 2);
    cluster.createTopic("c", 1);
    List<String> seen = new ArrayList<>();
    DescribeTopicPartitionsRequestData request =
        new DescribeTopicPartitionsRequestData().setResponsePartitionLimit(2);
    while (true) {
      DescribeTopicPartitionsResponseData answer = page(request);
      int size = 0;
      for (var topic : answer.topics()) {
        for (var partition : topic.partitions()) {
          seen.add(topic.name() + partition.partitionIndex());
          size++;
        }
      }
      assertTrue(size <= 2 && size > 0);
      if (answer.nextCursor() == null) {
        break;
      }
      request.setCursor(
          new Cursor()
              .setTopicName(answer.nextCursor().topicName())
              .setPartitionIndex(answer.nextCursor().partitionIndex()));
    }
    assertEquals(List.of("a0", "a1", "a2", "b0", "b1", "c0"), seen);
  }

  @Test
  void t19NamesUnknownTopicsAndRefusesACursorOutsideTheList() {
    cluster.createTopic("a", 1);
    var answer =
        page(
            new DescribeTopicPartitionsRequestData()
                .setTopics(
                    List.of(
                        new TopicRequest().setName("a"),
                        new TopicRequest().setName("gone"),
                        new TopicRequest().setName("no!"))));
    List<Integer> errors = new ArrayList<>();
    answer.topics().forEach(topic -> errors.add((int) topic.errorCode()));
    assertEquals(List.of(0, 3, 17), errors);
    for (Cursor cursor :
        List.of(
            new Cursor().setTopicName("b").setPartitionIndex(0),
            new Cursor().setTopicName("a").setPartitionIndex(-1))) {
      assertEquals(
          ErrorCode.INVALID_REQUEST,
          new RecordingExchange(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, 0)
              .ask(
                  apis,
                  new DescribeTopicPartitionsRequestData()
                      .setTopics(List.of(new TopicRequest().setName("a")))
                      .setCursor(cursor))
              .refusal());
    }
  }
}
