package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopicCollection;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignmentCollection;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicCollection;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfigCollection;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class TopicApisTest {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final List<MessageApi<?>> apis = new TopicApis(cluster).apis();

  private static CreatableTopic topic(String name) {
    return new CreatableTopic().setName(name).setNumPartitions(-1).setReplicationFactor((short) -1);
  }

  private CreateTopicsResponseData create(int version, boolean validate, CreatableTopic... topics) {
    CreatableTopicCollection collection = new CreatableTopicCollection();
    for (CreatableTopic topic : topics) {
      collection.add(topic);
    }
    return new RecordingExchange(ApiKeys.CREATE_TOPICS, version)
        .ask(apis, new CreateTopicsRequestData().setTopics(collection).setValidateOnly(validate))
        .response();
  }

  private static CreatableTopicResult result(CreateTopicsResponseData answer, String name) {
    return Objects.requireNonNull(answer.topics().find(name), name);
  }

  @Test
  void t15EveryVersionMakesTopicsAndShowsWhatItCan() {
    for (int version = 2; version <= ApiKeys.CREATE_TOPICS.latestVersion(); version++) {
      String name = "made-by-" + version;
      CreatableTopicConfigCollection configs = new CreatableTopicConfigCollection();
      configs.add(new CreatableTopicConfig().setName("retention.ms").setValue("1000"));
      CreatableTopicResult made =
          result(create(version, false, topic(name).setNumPartitions(3).setConfigs(configs)), name);
      assertEquals(0, made.errorCode());
      assertNull(made.errorMessage());
      TopicImage image = Objects.requireNonNull(cluster.image().topic(name));
      assertEquals(3, image.partitions().size());
      assertEquals(version >= 7 ? Conversions.uuid(image.id()) : Uuid.ZERO_UUID, made.topicId());
      if (version >= 5) {
        assertEquals(3, made.numPartitions());
        assertEquals(1, made.replicationFactor());
        assertEquals(
            List.of("1000"),
            made.configs().stream()
                .filter(config -> config.name().equals("retention.ms"))
                .map(config -> config.value())
                .toList());
      }
    }
  }

  @Test
  void t15ValidatesWithoutMaking() {
    assertEquals(0, result(create(7, true, topic("only-asked")), "only-asked").errorCode());
    assertNull(cluster.image().topic("only-asked"));
  }

  @Test
  void t15ANameTwiceInOneRequestIsNotMade() {
    CreateTopicsResponseData answer =
        create(7, false, topic("twice"), topic("once"), topic("twice"), topic("twice"));
    assertEquals(2, answer.topics().size());
    assertEquals(ErrorCode.INVALID_REQUEST.code(), result(answer, "twice").errorCode());
    assertEquals("Duplicate topic name.", result(answer, "twice").errorMessage());
    assertEquals(0, result(answer, "once").errorCode());
    assertNull(cluster.image().topic("twice"));
  }

  @Test
  void t15EachTopicHasItsOwnErrorAndMessage() {
    cluster.createTopic("there", 1);
    CreateTopicsResponseData answer =
        create(
            7,
            false,
            topic("there"),
            topic("bad name!"),
            topic("none").setNumPartitions(0),
            topic("far").setReplicationFactor((short) 9),
            topic("__cluster_metadata"),
            topic("fine"));
    Map<String, Integer> errors = new TreeMap<>();
    answer.topics().forEach(one -> errors.put(one.name(), (int) one.errorCode()));
    assertEquals(
        Map.of(
            "there",
            36,
            "bad name!",
            17,
            "none",
            37,
            "far",
            38,
            "__cluster_metadata",
            42,
            "fine",
            0),
        errors);
    answer.topics().forEach(one -> assertEquals(one.errorCode() != 0, one.errorMessage() != null));
  }

  @Test
  void t15AnAssignmentByHandStandsAlone() {
    CreatableReplicaAssignmentCollection assignments = new CreatableReplicaAssignmentCollection();
    assignments.add(new CreatableReplicaAssignment().setPartitionIndex(0).setBrokerIds(List.of(1)));
    assertEquals(
        ErrorCode.INVALID_REQUEST.code(),
        result(
                create(
                    7,
                    false,
                    topic("a").setNumPartitions(1).setAssignments(assignments.duplicate())),
                "a")
            .errorCode());
    assertEquals(
        ErrorCode.INVALID_REQUEST.code(),
        result(
                create(
                    7,
                    false,
                    topic("a")
                        .setReplicationFactor((short) 1)
                        .setAssignments(assignments.duplicate())),
                "a")
            .errorCode());
    CreatableReplicaAssignmentCollection twice = assignments.duplicate();
    twice.add(new CreatableReplicaAssignment().setPartitionIndex(0).setBrokerIds(List.of(1)));
    assertEquals(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT.code(),
        result(create(7, false, topic("a").setAssignments(twice)), "a").errorCode());
    assertEquals(
        0, result(create(7, false, topic("a").setAssignments(assignments)), "a").errorCode());
  }

  private DeleteTopicsResponseData delete(int version, DeleteTopicsRequestData request) {
    return new RecordingExchange(ApiKeys.DELETE_TOPICS, version).ask(apis, request).response();
  }

  @Test
  void deletesByNameInEveryVersionThatHasNames() {
    for (int version = 1; version <= 5; version++) {
      cluster.createTopic("old", 1);
      DeleteTopicsResponseData answer =
          delete(
              version,
              new DeleteTopicsRequestData().setTopicNames(List.of("old", "gone", "two", "two")));
      List<String> errors = new ArrayList<>();
      answer.responses().forEach(one -> errors.add(one.name() + one.errorCode()));
      errors.sort(null);
      assertEquals(List.of("gone3", "old0", "two42"), errors);
      assertNull(cluster.image().topic("old"));
    }
  }

  @Test
  void t12DeletesByIdAndRefusesWhatIsAmbiguous() {
    TopicImage byId = cluster.createTopic("by-id", 1);
    TopicImage both = cluster.createTopic("both", 1);
    Uuid unknown = new Uuid(1, 1);
    DeleteTopicsResponseData answer =
        delete(
            6,
            new DeleteTopicsRequestData()
                .setTopics(
                    List.of(
                        new DeleteTopicState().setTopicId(Conversions.uuid(byId.id())),
                        new DeleteTopicState().setTopicId(Conversions.uuid(both.id())),
                        new DeleteTopicState().setName("both"),
                        new DeleteTopicState().setTopicId(unknown),
                        new DeleteTopicState(),
                        new DeleteTopicState().setName("x").setTopicId(unknown))));
    List<String> errors = new ArrayList<>();
    answer.responses().forEach(one -> errors.add(one.name() + " " + one.errorCode()));
    errors.sort(null);
    assertEquals(List.of("both 42", "by-id 0", "null 100", "null 42", "x 42"), errors);
    assertNotNull(cluster.image().topic("both"));
  }

  @Test
  void t70DeletionCanBeSwitchedOff() {
    cluster.append(
        new io.takhin.api.cluster.MetadataRecord.ConfigChanged(
            new ConfigResource(ConfigResource.Type.BROKER, "1"), "delete.topic.enable", "false"));
    DeleteTopicsRequestData request = new DeleteTopicsRequestData().setTopicNames(List.of("x"));
    assertEquals(
        ErrorCode.INVALID_REQUEST,
        new RecordingExchange(ApiKeys.DELETE_TOPICS, 2).ask(apis, request).refusal());
    assertEquals(
        ErrorCode.TOPIC_DELETION_DISABLED,
        new RecordingExchange(ApiKeys.DELETE_TOPICS, 3).ask(apis, request).refusal());
  }

  @Test
  void addsPartitionsTopicByTopic() {
    for (int version = 0; version <= ApiKeys.CREATE_PARTITIONS.latestVersion(); version++) {
      String name = "grows-" + version;
      cluster.createTopic(name, 2);
      CreatePartitionsTopicCollection topics = new CreatePartitionsTopicCollection();
      for (String each : List.of(name, "gone", "two", "two")) {
        topics.add(new CreatePartitionsTopic().setName(each).setCount(5).setAssignments(null));
      }
      CreatePartitionsResponseData answer =
          new RecordingExchange(ApiKeys.CREATE_PARTITIONS, version)
              .ask(apis, new CreatePartitionsRequestData().setTopics(topics))
              .response();
      Map<String, Integer> errors = new TreeMap<>();
      answer.results().forEach(one -> errors.put(one.name(), (int) one.errorCode()));
      assertEquals(Map.of(name, 0, "gone", 3, "two", 42), errors);
      assertEquals(3, answer.results().size());
      assertEquals(5, Objects.requireNonNull(cluster.image().topic(name)).partitions().size());
    }
  }
}
