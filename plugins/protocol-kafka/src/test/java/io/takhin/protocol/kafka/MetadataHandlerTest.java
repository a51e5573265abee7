package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Gathered answers of Metadata are those that the message classes give, in every version.
@Timeout(30)
class MetadataHandlerTest {
  private TestBroker broker;
  private RawClient client;
  private TopicImage orders;
  private TopicImage payments;

  @BeforeEach
  void start() {
    broker = new TestBroker();
    client = broker.client();
    orders = broker.cluster.createTopic("orders", 3);
    payments = broker.cluster.createTopic("payments", 1);
    broker.cluster.createTopic("__consumer_offsets", 1);
    // Not reachable for this listener, and a replica that is nowhere.
    broker.cluster.register(
        new Broker(2, List.of(new Endpoint("INTERNAL", "inside", 9)), "rack-2"));
    broker.cluster.append(
        new PartitionChanged(
            orders.id(), 1, new PartitionState(List.of(2, 3), List.of(2), 2, 5, 5)));
    broker.cluster.append(
        new PartitionChanged(
            orders.id(), 2, new PartitionState(List.of(1, 3), List.of(1), 1, 6, 6)));
  }

  @AfterEach
  void stop() {
    client.close();
    broker.close();
  }

  static IntStream versions() {
    return IntStream.rangeClosed(0, ApiKeys.METADATA.latestVersion());
  }

  private static MetadataRequestTopic named(String name) {
    return new MetadataRequestTopic().setName(name);
  }

  private static MetadataRequestTopic byId(TopicImage topic) {
    return new MetadataRequestTopic().setName(null).setTopicId(Conversions.uuid(topic.id()));
  }

  private static MetadataRequestData request(MetadataRequestTopic... topics) {
    return new MetadataRequestData()
        .setTopics(new ArrayList<>(Arrays.asList(topics)))
        .setAllowAutoTopicCreation(true);
  }

  private MetadataResponseData ask(int version, MetadataRequestData request) {
    return client.ask(version, request, new MetadataResponseData());
  }

  /// The same from the message classes alone.
  private MetadataResponseData expected(int version, MetadataRequestData request) {
    return new RecordingExchange(ApiKeys.METADATA, version)
        .ask(new MetadataApis(broker.cluster, broker.groups, true).apis(), request)
        .response();
  }

  @ParameterizedTest
  @MethodSource("versions")
  void gathersWhatTheMessageClassesWouldAnswer(int version) {
    List<MetadataRequestData> requests = new ArrayList<>();
    requests.add(request(named("orders")));
    requests.add(request(named("payments"), named("orders"), named("payments")));
    requests.add(request());
    if (version >= 1) {
      requests.add(new MetadataRequestData().setTopics(null));
    }
    if (version >= 8) {
      requests.add(request(named("orders")).setIncludeTopicAuthorizedOperations(true));
    }
    if (version >= 8 && version <= 10) {
      requests.add(request(named("orders")).setIncludeClusterAuthorizedOperations(true));
    }
    if (version >= 12) {
      requests.add(request(byId(payments), byId(orders), byId(payments)));
      requests.add(request(named("orders"), byId(payments)));
    }
    for (MetadataRequestData request : requests) {
      MetadataResponseData answer = ask(version, request);
      assertEquals(expected(version, request), answer, "v" + version + " " + request);
    }
  }

  @Test
  void whatExistsNeedsNoMessageClasses() {
    KafkaServer server =
        new KafkaServer(
            TestBroker.DEFAULTS.config(),
            broker.context,
            broker.cluster,
            broker.partitions,
            broker.groups,
            List.of());
    server.start();
    try (RawClient asking = new RawClient(server.addresses().getFirst().getPort())) {
      for (MetadataRequestData request :
          List.of(request(named("orders")), new MetadataRequestData().setTopics(null))) {
        MetadataResponseData answer = asking.ask(12, request, new MetadataResponseData());
        assertEquals(0, topic(answer, "orders").errorCode());
      }
    } finally {
      server.drain();
      server.close();
    }
  }

  @Test
  void t6EmptyMeansAllInVersion0AndNoneLaterWhereNullMeansAll() {
    assertEquals(3, ask(0, request()).topics().size());
    for (int version = 1; version <= ApiKeys.METADATA.latestVersion(); version++) {
      assertEquals(0, ask(version, request()).topics().size(), "v" + version);
      MetadataResponseData all = ask(version, new MetadataRequestData().setTopics(null));
      assertEquals(3, all.topics().size(), "v" + version);
    }
  }

  /// What librdkafka sends for all topics since Metadata has compact arrays.
  @Test
  void aNullInFourBytesMeansAllTopics() {
    for (int version = 9; version <= ApiKeys.METADATA.latestVersion(); version++) {
      byte[] right = RawClient.frame(version, 7, new MetadataRequestData().setTopics(null));
      byte[] wide = Arrays.copyOf(right, right.length + 3);
      ByteBuffer.wrap(wide).putInt(0, wide.length - 4);
      MetadataResponseData answer = new MetadataResponseData();
      answer.read(new ByteBufferAccessor(client.send(wide).receive().position(5)), (short) version);
      assertEquals(3, answer.topics().size(), "v" + version);
    }
  }

  @Test
  void fragmentsFollowTopicsAndBrokers() {
    MetadataResponseData before = ask(12, request(named("orders")));
    assertEquals(6, topic(before, "orders").partitions().get(2).leaderEpoch());
    broker.cluster.append(
        new PartitionChanged(
            orders.id(), 2, new PartitionState(List.of(1, 3), List.of(1), 1, 7, 7)));
    assertEquals(
        7, topic(ask(12, request(named("orders"))), "orders").partitions().get(2).leaderEpoch());
    broker.cluster.register(
        new Broker(3, List.of(new Endpoint(KafkaConfig.LISTENER, "third", 3)), null));
    MetadataResponseData grown = ask(12, request(named("orders")));
    assertEquals("third", Objects.requireNonNull(grown.brokers().find(3)).host());
    assertTrue(topic(grown, "orders").partitions().get(2).offlineReplicas().isEmpty());
    broker.cluster.deleteTopics(List.of(orders.id())).join();
    TopicImage again = broker.cluster.createTopic("orders", 1);
    assertEquals(
        Conversions.uuid(again.id()),
        topic(ask(12, request(named("orders"))), "orders").topicId(),
        "T12");
  }

  @Test
  void whatIsMissingGoesToTheMessageClasses() {
    MetadataResponseData made = ask(12, request(named("orders"), named("fresh")));
    assertEquals(ErrorCode.NONE.code(), topic(made, "fresh").errorCode());
    assertNotNull(broker.cluster.image().topic("fresh"), "T14");
    Uuid unknown = Uuid.randomUuid();
    MetadataResponseTopic none =
        ask(13, request(byId(orders), new MetadataRequestTopic().setName(null).setTopicId(unknown)))
            .topics()
            .stream()
            .filter(topic -> topic.errorCode() != 0)
            .findFirst()
            .orElseThrow();
    assertEquals(ErrorCode.UNKNOWN_TOPIC_ID.code(), none.errorCode());
    assertNull(none.name());
    assertEquals(
        ErrorCode.INVALID_REQUEST.code(),
        ask(10, request(byId(orders))).topics().iterator().next().errorCode(),
        "T12");
  }

  private static MetadataResponseTopic topic(MetadataResponseData response, String name) {
    return Objects.requireNonNull(response.topics().find(name), name);
  }
}
