package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class OffsetApisTest {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final ScriptedGroups groups = new ScriptedGroups();
  private final List<MessageApi<?>> apis = new OffsetApis(cluster, groups).apis();
  private final TopicImage orders = cluster.createTopic("orders", 2);

  @Test
  void fetchesByNameInTheShapeOfEachVersion() {
    for (int version = 1; version <= 7; version++) {
      OffsetFetchResponseData answer =
          new RecordingExchange(ApiKeys.OFFSET_FETCH, version)
              .ask(
                  apis,
                  new OffsetFetchRequestData()
                      .setGroupId("g")
                      .setTopics(
                          List.of(
                              new OffsetFetchRequestTopic()
                                  .setName("orders")
                                  .setPartitionIndexes(List.of(1, 0)))))
              .response();
      var partition = answer.topics().getFirst().partitions().getFirst();
      assertEquals(1, partition.partitionIndex());
      assertEquals(101, partition.committedOffset());
      assertEquals(version >= 5 ? 3 : -1, partition.committedLeaderEpoch());
    }
    for (int version = 8; version <= 9; version++) {
      var group = group(version, "orders", Uuid.ZERO_UUID);
      assertEquals(100, group.topics().getFirst().partitions().getFirst().committedOffset());
    }
  }

  private OffsetFetchResponseData.OffsetFetchResponseGroup group(
      int version, String name, Uuid id) {
    OffsetFetchResponseData answer =
        new RecordingExchange(ApiKeys.OFFSET_FETCH, version)
            .ask(
                apis,
                new OffsetFetchRequestData()
                    .setGroups(
                        List.of(
                            new OffsetFetchRequestGroup()
                                .setGroupId("g")
                                .setTopics(
                                    List.of(
                                        new OffsetFetchRequestTopics()
                                            .setName(name)
                                            .setTopicId(id)
                                            .setPartitionIndexes(List.of(0)))))))
            .response();
    return answer.groups().getFirst();
  }

  @Test
  void t12FetchesByIdFromVersion10On() {
    Uuid id = Conversions.uuid(orders.id());
    var topic = group(10, "", id).topics().getFirst();
    assertEquals(id, topic.topicId());
    assertEquals(100, topic.partitions().getFirst().committedOffset());
    var unknown = group(10, "", new Uuid(3, 3)).topics().getFirst().partitions().getFirst();
    assertEquals(ErrorCode.UNKNOWN_TOPIC_ID.code(), unknown.errorCode());
    assertEquals(-1, unknown.committedOffset());
  }

  @Test
  void t6NullTopicsAreAllThatWasCommitted() {
    groups.allOffsets =
        List.of(
            new FetchedOffset("orders", 0, ErrorCode.NONE, 5, 1, "x"),
            new FetchedOffset("gone", 0, ErrorCode.NONE, 6, 1, ""),
            new FetchedOffset("orders", 1, ErrorCode.NONE, 7, 1, ""));
    for (int version = 2; version <= ApiKeys.OFFSET_FETCH.latestVersion(); version++) {
      OffsetFetchRequestData request = new OffsetFetchRequestData();
      if (version < 8) {
        request.setGroupId("g").setTopics(null);
      } else {
        request.setGroups(List.of(new OffsetFetchRequestGroup().setGroupId("g").setTopics(null)));
      }
      OffsetFetchResponseData answer =
          new RecordingExchange(ApiKeys.OFFSET_FETCH, version).ask(apis, request).response();
      // By id there is no way to name a topic that is gone.
      int topics = version >= 10 ? 1 : 2;
      assertEquals(
          topics,
          version < 8 ? answer.topics().size() : answer.groups().getFirst().topics().size(),
          "v" + version);
    }
  }

  @Test
  void aGroupsErrorHasAPlaceInEveryVersion() {
    groups.fetched = ErrorCode.NOT_COORDINATOR;
    for (int version = 1; version <= 7; version++) {
      OffsetFetchResponseData answer =
          new RecordingExchange(ApiKeys.OFFSET_FETCH, version)
              .ask(
                  apis,
                  new OffsetFetchRequestData()
                      .setGroupId("g")
                      .setTopics(
                          List.of(
                              new OffsetFetchRequestTopic()
                                  .setName("orders")
                                  .setPartitionIndexes(List.of(0)))))
              .response();
      short error =
          version == 1
              ? answer.topics().getFirst().partitions().getFirst().errorCode()
              : answer.errorCode();
      assertEquals(ErrorCode.NOT_COORDINATOR.code(), error, "v" + version);
    }
    assertEquals(ErrorCode.NOT_COORDINATOR.code(), group(8, "orders", Uuid.ZERO_UUID).errorCode());
  }

  private OffsetDeleteResponseData delete() {
    OffsetDeleteRequestTopicCollection topics = new OffsetDeleteRequestTopicCollection();
    for (String name : List.of("orders", "gone")) {
      topics.add(
          new OffsetDeleteRequestTopic()
              .setName(name)
              .setPartitions(
                  List.of(
                      new OffsetDeleteRequestPartition().setPartitionIndex(0),
                      new OffsetDeleteRequestPartition().setPartitionIndex(9))));
    }
    return new RecordingExchange(ApiKeys.OFFSET_DELETE, 0)
        .ask(apis, new OffsetDeleteRequestData().setGroupId("g").setTopics(topics))
        .response();
  }

  @Test
  void t42DeletesOffsetsOfWhatExists() {
    OffsetDeleteResponseData answer = delete();
    var known = Objects.requireNonNull(answer.topics().find("orders")).partitions();
    assertEquals(0, Objects.requireNonNull(known.find(0)).errorCode());
    assertEquals(3, Objects.requireNonNull(known.find(9)).errorCode());
    var gone = Objects.requireNonNull(answer.topics().find("gone")).partitions();
    assertEquals(3, Objects.requireNonNull(gone.find(0)).errorCode());
    groups.deletedOffsets = ErrorCode.NON_EMPTY_GROUP;
    assertEquals(ErrorCode.NON_EMPTY_GROUP.code(), delete().errorCode());
    assertEquals(0, delete().topics().size());
  }
}
