package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.testkit.partition.InMemoryPartitionService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequestCollection;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// B14: short requests that ask for the same again and again, where the answer is much longer than
/// the question, and names chosen for their hash.
class AmplificationTest {
  private static final int TIMES = 1000;
  private static final Duration QUICK = Duration.ofSeconds(10);

  private final InMemoryPartitionService partitions = new InMemoryPartitionService();
  private final ScriptedGroups groups = new ScriptedGroups();
  private final ScriptedTransactions transactions = new ScriptedTransactions();
  private final List<MessageApi<?>> apis = new ArrayList<>();

  @BeforeEach
  void setUp() {
    partitions.start();
    partitions.createTopic("orders", 2);
    apis.addAll(
        ServedApis.all(
            TestBroker.DEFAULTS.config(),
            partitions.context(),
            partitions.cluster(),
            partitions,
            groups,
            transactions));
  }

  private <R extends ApiMessage> R ask(ApiKeys key, int version, ApiMessage request) {
    return new RecordingExchange(key, version).ask(apis, request).response();
  }

  private static <T> List<T> again(T one) {
    return Collections.nCopies(TIMES, one);
  }

  private static DescribeConfigsResource resource(int type, String name) {
    return new DescribeConfigsResource()
        .setResourceType((byte) type)
        .setResourceName(name)
        .setConfigurationKeys(null);
  }

  @Test
  void b14ConfigsAreDescribedOnce() {
    List<DescribeConfigsResource> resources = new ArrayList<>(again(resource(2, "orders")));
    resources.addAll(again(resource(4, "1")));
    DescribeConfigsResponseData answer =
        ask(
            ApiKeys.DESCRIBE_CONFIGS,
            4,
            new DescribeConfigsRequestData().setResources(resources).setIncludeSynonyms(true));
    assertEquals(2, answer.results().size());
    assertTrue(answer.results().getFirst().configs().size() > 20);
  }

  @Test
  void b14GroupsAreDescribedOnce() {
    DescribeGroupsResponseData answer =
        ask(ApiKeys.DESCRIBE_GROUPS, 6, new DescribeGroupsRequestData().setGroups(again("g")));
    assertEquals(1, answer.groups().size());
    assertEquals(List.of("g"), groups.lastAsked());
  }

  @Test
  void b14ProducersAreDescribedOnce() {
    TopicRequestCollection topics = new TopicRequestCollection();
    topics.add(new TopicRequest().setName("orders").setPartitionIndexes(again(0)));
    DescribeProducersResponseData answer =
        ask(ApiKeys.DESCRIBE_PRODUCERS, 0, new DescribeProducersRequestData().setTopics(topics));
    assertEquals(1, answer.topics().getFirst().partitions().size());
  }

  @Test
  void b14TransactionsAreDescribedOnce() {
    DescribeTransactionsResponseData answer =
        ask(
            ApiKeys.DESCRIBE_TRANSACTIONS,
            0,
            new DescribeTransactionsRequestData().setTransactionalIds(again("t")));
    assertEquals(1, answer.transactionStates().size());
    assertEquals(List.of("t"), transactions.asked.getLast());
  }

  @Test
  void b14AllOffsetsOfAGroupAreShownOnce() {
    for (int version = 8; version <= ApiKeys.OFFSET_FETCH.latestVersion(); version++) {
      OffsetFetchResponseData answer =
          ask(
              ApiKeys.OFFSET_FETCH,
              version,
              new OffsetFetchRequestData()
                  .setGroups(again(new OffsetFetchRequestGroup().setGroupId("g").setTopics(null))));
      assertEquals(1, answer.groups().size(), "v" + version);
    }
  }

  @Test
  void b14EachOffsetOfAGroupIsShownOnce() {
    TopicImage orders = partitions.cluster().image().topic("orders");
    for (int version = 1; version <= ApiKeys.OFFSET_FETCH.latestVersion(); version++) {
      OffsetFetchRequestData request = new OffsetFetchRequestData();
      if (version < 8) {
        OffsetFetchRequestTopic topic =
            new OffsetFetchRequestTopic().setName("orders").setPartitionIndexes(again(1));
        request.setGroupId("g").setTopics(List.of(topic, topic));
      } else {
        OffsetFetchRequestTopics topic =
            new OffsetFetchRequestTopics()
                .setName("orders")
                .setTopicId(Conversions.uuid(orders == null ? null : orders.id()))
                .setPartitionIndexes(again(1));
        OffsetFetchRequestGroup group =
            new OffsetFetchRequestGroup().setGroupId("g").setTopics(List.of(topic, topic));
        request.setGroups(
            List.of(group, group, group.duplicate().setGroupId("another with offsets")));
      }
      OffsetFetchResponseData answer = ask(ApiKeys.OFFSET_FETCH, version, request);
      int shown = 0;
      for (var topic : answer.topics()) {
        shown += topic.partitions().size();
      }
      for (var group : answer.groups()) {
        for (var topic : group.topics()) {
          shown += topic.partitions().size();
        }
      }
      assertEquals(version < 8 ? 1 : 2, shown, "v" + version);
    }
  }

  /// Names that have one hash: each bit chooses "Aa" or "BB".
  private static List<String> colliding(int bits) {
    List<String> names = new ArrayList<>(1 << bits);
    for (int i = 0; i < 1 << bits; i++) {
      StringBuilder name = new StringBuilder();
      for (int bit = 0; bit < bits; bit++) {
        name.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      names.add(name.toString());
    }
    return names;
  }

  @Test
  void b14ResourcesThatFallOnEachOtherAreDescribedQuickly() {
    List<DescribeConfigsResource> resources =
        colliding(16).stream().map(name -> resource(32, name)).toList();
    DescribeConfigsRequestData request = new DescribeConfigsRequestData().setResources(resources);
    assertTimeoutPreemptively(
        QUICK,
        () -> new RecordingExchange(ApiKeys.DESCRIBE_CONFIGS, 4).direct().ask(apis, request));
  }

  @Test
  void b14OffsetsThatFallOnEachOtherAreFetchedQuickly() {
    List<OffsetFetchRequestTopics> topics =
        colliding(16).stream()
            .map(
                name ->
                    new OffsetFetchRequestTopics().setName(name).setPartitionIndexes(List.of(0)))
            .toList();
    OffsetFetchRequestData request =
        new OffsetFetchRequestData()
            .setGroups(List.of(new OffsetFetchRequestGroup().setGroupId("g").setTopics(topics)));
    assertTimeoutPreemptively(
        QUICK, () -> new RecordingExchange(ApiKeys.OFFSET_FETCH, 9).direct().ask(apis, request));
  }
}
