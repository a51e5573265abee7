package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster.NewPartitions;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicDecisionsTest {
  private final TopicDecisions decisions =
      new TopicDecisions(2, 1, 20_000, UUID::randomUUID, (image, own) -> List.of());

  private static MetadataImage brokers(int count) {
    List<MetadataRecord> records = new ArrayList<>();
    for (int id = 1; id <= count; id++) {
      records.add(new BrokerRegistered(new Broker(id, List.of(), null)));
    }
    return MetadataImage.EMPTY.apply(records);
  }

  private static NewTopic topic(String name, int partitions, int factor) {
    return new NewTopic(name, partitions, (short) factor, Map.of(), Map.of());
  }

  private TopicResult decide(MetadataImage image, NewTopic topic) {
    return decisions.createTopics(image, List.of(topic), false).result().getFirst();
  }

  private MetadataImage with(MetadataImage image, String... names) {
    for (String name : names) {
      image =
          image.apply(decisions.createTopics(image, List.of(topic(name, 1, 1)), false).records());
    }
    return image;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "bad name", "ä", "a/b", "a:b", "a\n", "a*"})
  void illegalNamesAreRefusedT15(String name) {
    Result result = decide(brokers(1), topic(name, 1, 1)).result();
    assertEquals(ErrorCode.INVALID_TOPIC_EXCEPTION, result.error());
    assertTrue(String.valueOf(result.message()).contains("invalid"), result.toString());
  }

  @Test
  void namesUpTo249CharactersAreLegalT15() {
    assertEquals(Result.OK, decide(brokers(1), topic("a".repeat(249), 1, 1)).result());
    assertEquals(
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        decide(brokers(1), topic("a".repeat(250), 1, 1)).result().error());
    assertEquals(Result.OK, decide(brokers(1), topic("...", 1, 1)).result());
    assertEquals(Result.OK, decide(brokers(1), topic("A-z_0.9", 1, 1)).result());
  }

  @Test
  void namesThatDifferInDotAndUnderscoreCollideT15() {
    MetadataImage image = with(brokers(1), "my.topic");
    assertEquals(
        ErrorCode.INVALID_TOPIC_EXCEPTION, decide(image, topic("my_topic", 1, 1)).result().error());
    assertEquals(Result.OK, decide(image, topic("my-topic", 1, 1)).result());
    List<TopicResult> together =
        decisions
            .createTopics(brokers(1), List.of(topic("a.b", 1, 1), topic("a_b", 1, 1)), false)
            .result();
    assertEquals(Result.OK, together.get(0).result());
    assertEquals(ErrorCode.INVALID_TOPIC_EXCEPTION, together.get(1).result().error());
  }

  @Test
  void aNameTwiceInARequestFailsBothT15() {
    Decision<List<TopicResult>> decision =
        decisions.createTopics(
            brokers(1), List.of(topic("a", 1, 1), topic("a", 1, 1), topic("b", 1, 1)), false);
    assertEquals(
        List.of(ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST, ErrorCode.NONE),
        decision.result().stream().map(result -> result.result().error()).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, INVALID_PARTITIONS",
    "-2, 1, INVALID_PARTITIONS",
    "20001, 1, INVALID_PARTITIONS",
    "10001, 1, POLICY_VIOLATION",
    "1, 0, INVALID_REPLICATION_FACTOR",
    "1, -2, INVALID_REPLICATION_FACTOR",
    "1, 4, INVALID_REPLICATION_FACTOR",
    "10000, 3, NONE",
    "-1, -1, NONE",
  })
  void countsAreCheckedT15(int partitions, int factor, ErrorCode expected) {
    assertEquals(expected, decide(brokers(3), topic("a", partitions, factor)).result().error());
  }

  @Test
  void minusOneIsTheDefaultT15() {
    TopicResult result = decide(brokers(3), topic("a", -1, -1));
    assertEquals(2, result.partitions());
    assertEquals(1, result.replicationFactor());
  }

  @Test
  void manyTopicsOfOneRequestShareItsBound() {
    List<NewTopic> topics = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      topics.add(topic("t" + i, 1000, 1));
    }
    List<TopicResult> results = decisions.createTopics(brokers(1), topics, false).result();
    assertEquals(Result.OK, results.get(9).result());
    assertEquals(ErrorCode.POLICY_VIOLATION, results.get(10).result().error());
  }

  @Test
  void assignmentsAreCheckedT15() {
    Map<Map<Integer, List<Integer>>, ErrorCode> table =
        Map.of(
            Map.of(0, List.of(1, 2), 1, List.of(2, 3)), ErrorCode.NONE,
            Map.of(0, List.of(1), 2, List.of(1)), ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            Map.of(0, List.of(1), 1, List.of(1, 2)), ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            Map.of(0, List.of(1, 1)), ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            Map.of(0, List.of(9)), ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            Map.of(0, List.of()), ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    table.forEach(
        (assignments, expected) ->
            assertEquals(
                expected,
                decide(brokers(3), new NewTopic("a", -1, (short) -1, assignments, Map.of()))
                    .result()
                    .error(),
                assignments.toString()));
    assertEquals(
        ErrorCode.INVALID_REQUEST,
        decide(brokers(3), new NewTopic("a", 1, (short) -1, Map.of(0, List.of(1)), Map.of()))
            .result()
            .error());
  }

  @Test
  void leadersAndReplicasAreSpread() {
    MetadataImage image = brokers(3);
    Decision<?> decision = decisions.createTopics(image, List.of(topic("a", 30, 2)), false);
    TopicImage topic = image.apply(decision.records()).topic("a");
    assertNotNull(topic);
    Map<Integer, Integer> leaders = new HashMap<>();
    Map<List<Integer>, Integer> pairs = new HashMap<>();
    for (PartitionState state : topic.partitions()) {
      assertEquals(state.replicas(), state.isr());
      assertEquals(state.replicas().getFirst(), state.leader());
      leaders.merge(state.leader(), 1, Integer::sum);
      pairs.merge(state.replicas(), 1, Integer::sum);
    }
    assertEquals(Map.of(1, 10, 2, 10, 3, 10), leaders);
    assertEquals(6, pairs.size(), pairs.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "no.such.key, 1",
    "retention.ms, abc",
    "segment.bytes, 14",
    "cleanup.policy, sometimes",
    "remote.storage.enable, true",
    "takhin.validation, lax",
    "retention.ms, ",
  })
  void badConfigsAreRefusedByNameT17(String key, @Nullable String value) {
    Map<String, @Nullable String> configs = new HashMap<>();
    configs.put(key, value);
    Result result = decide(brokers(1), new NewTopic("a", 1, (short) 1, Map.of(), configs)).result();
    assertEquals(ErrorCode.INVALID_CONFIG, result.error());
    assertTrue(String.valueOf(result.message()).contains(key), result.toString());
  }

  @Test
  void topicsAreDeletedByIdOnce() {
    MetadataImage image = with(brokers(1), "a", "b");
    TopicImage a = image.topic("a");
    assertNotNull(a);
    Decision<List<Result>> decision =
        decisions.deleteTopics(image, List.of(a.id(), UUID.randomUUID(), a.id()));
    assertEquals(
        List.of(ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_ID, ErrorCode.UNKNOWN_TOPIC_ID),
        decision.result().stream().map(Result::error).toList());
    assertNull(image.apply(decision.records()).topic("a"));
  }

  @Test
  void partitionsGrowWithinTheirBounds() {
    MetadataImage image = with(brokers(1), "a");
    Map<Integer, ErrorCode> table =
        Map.of(
            0, ErrorCode.INVALID_PARTITIONS,
            -1, ErrorCode.INVALID_PARTITIONS,
            1, ErrorCode.INVALID_PARTITIONS,
            2, ErrorCode.NONE,
            10_001, ErrorCode.NONE,
            10_002, ErrorCode.POLICY_VIOLATION,
            20_001, ErrorCode.INVALID_PARTITIONS);
    table.forEach(
        (count, expected) ->
            assertEquals(expected, grow(image, new NewPartitions("a", count, null)), "" + count));
    assertEquals(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        grow(image, new NewPartitions("a", 3, List.of(List.of(1)))));
    assertEquals(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        grow(image, new NewPartitions("a", 2, List.of(List.of(7)))));
    assertEquals(ErrorCode.NONE, grow(image, new NewPartitions("a", 2, List.of(List.of(1)))));
  }

  private ErrorCode grow(MetadataImage image, NewPartitions request) {
    return decisions.createPartitions(image, List.of(request), false).result().getFirst().error();
  }
}
