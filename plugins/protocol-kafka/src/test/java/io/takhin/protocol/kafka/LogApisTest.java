package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.testkit.partition.CapturedProduce;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.storage.Batches;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopicCollection;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequestCollection;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopicCollection;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class LogApisTest {
  private final InMemoryPartitionService partitions = new InMemoryPartitionService();
  private final List<MessageApi<?>> apis;
  private final Partition orders;

  LogApisTest() {
    partitions.start();
    apis = new LogApis(partitions.cluster(), partitions).apis();
    Topic topic = partitions.createTopic("orders", 2);
    orders = Objects.requireNonNull(topic.partition(0));
    CapturedProduce.append(orders, Batches.at(1000, "a", "b"));
    CapturedProduce.append(orders, Batches.at(2000, "c"));
  }

  private static ListOffsetsPartition at(int partition, long timestamp) {
    return new ListOffsetsPartition().setPartitionIndex(partition).setTimestamp(timestamp);
  }

  private RecordingExchange offsets(int version, String topic, ListOffsetsPartition... asked) {
    return new RecordingExchange(ApiKeys.LIST_OFFSETS, version)
        .ask(
            apis,
            new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(
                    List.of(new ListOffsetsTopic().setName(topic).setPartitions(List.of(asked)))));
  }

  private static ListOffsetsPartitionResponse first(RecordingExchange exchange) {
    return exchange.<ListOffsetsResponseData>response().topics().getFirst().partitions().getFirst();
  }

  @Test
  void endsAreFoundInlineAndTimesByAWorker() {
    for (int version = 1; version <= ApiKeys.LIST_OFFSETS.latestVersion(); version++) {
      RecordingExchange latest = offsets(version, "orders", at(0, -1));
      assertFalse(latest.blocked());
      assertEquals(3, first(latest).offset());
      assertEquals(-1, first(latest).timestamp());
      assertEquals(version >= 4 ? 0 : -1, first(latest).leaderEpoch());
      assertEquals(0, first(offsets(version, "orders", at(0, -2))).offset());
      RecordingExchange byTime = offsets(version, "orders", at(0, 1500));
      assertTrue(byTime.blocked());
      assertEquals(2, first(byTime).offset());
      assertEquals(2000, first(byTime).timestamp());
      assertEquals(-1, first(offsets(version, "orders", at(0, 9999))).offset());
    }
  }

  @Test
  void t33SpecialTimestampsBelongToVersions() {
    int[] since = {1, 1, 7, 8, 9, 11};
    for (int version = 1; version <= ApiKeys.LIST_OFFSETS.latestVersion(); version++) {
      for (int timestamp = -1; timestamp >= -6; timestamp--) {
        boolean known = version >= since[-1 - timestamp];
        boolean refused =
            first(offsets(version, "orders", at(0, timestamp))).errorCode()
                == ErrorCode.UNSUPPORTED_VERSION.code();
        assertEquals(known, !refused, "v" + version + " " + timestamp);
      }
      for (long unknown : new long[] {-7, Long.MIN_VALUE}) {
        assertEquals(
            ErrorCode.UNSUPPORTED_VERSION.code(),
            first(offsets(version, "orders", at(0, unknown))).errorCode());
      }
    }
  }

  @Test
  void whatIsNotHereOrNamedTwiceHasItsOwnError() {
    assertEquals(3, first(offsets(7, "gone", at(0, -1))).errorCode());
    assertEquals(3, first(offsets(7, "orders", at(2, -1))).errorCode());
    assertEquals(3, first(offsets(7, "orders", at(-1, -1))).errorCode());
    ListOffsetsResponseData answer =
        offsets(7, "orders", at(0, -1), at(1, -1), at(0, -2)).response();
    assertEquals(
        List.of(42, 0, 42),
        answer.topics().getFirst().partitions().stream().map(p -> (int) p.errorCode()).toList());
    assertEquals(75, first(offsets(7, "orders", at(0, -1).setCurrentLeaderEpoch(9))).errorCode());
  }

  @Test
  void t29TellsWhereAnEpochEnded() {
    for (int version = 2; version <= ApiKeys.OFFSET_FOR_LEADER_EPOCH.latestVersion(); version++) {
      OffsetForLeaderTopicCollection topics = new OffsetForLeaderTopicCollection();
      topics.add(
          new OffsetForLeaderTopic()
              .setTopic("orders")
              .setPartitions(
                  List.of(
                      new OffsetForLeaderPartition().setPartition(0).setLeaderEpoch(0),
                      new OffsetForLeaderPartition().setPartition(0).setLeaderEpoch(8),
                      new OffsetForLeaderPartition().setPartition(7).setLeaderEpoch(0))));
      OffsetForLeaderEpochResponseData answer =
          new RecordingExchange(ApiKeys.OFFSET_FOR_LEADER_EPOCH, version)
              .ask(apis, new OffsetForLeaderEpochRequestData().setTopics(topics))
              .response();
      var ends = answer.topics().iterator().next().partitions();
      assertEquals(3, ends.get(0).endOffset());
      assertEquals(-1, ends.get(1).endOffset());
      assertEquals(3, ends.get(2).errorCode());
    }
  }

  private DeleteRecordsPartitionResult deleteRecords(
      int version, String topic, int partition, long offset) {
    DeleteRecordsResponseData answer =
        new RecordingExchange(ApiKeys.DELETE_RECORDS, version)
            .ask(
                apis,
                new DeleteRecordsRequestData()
                    .setTopics(
                        List.of(
                            new DeleteRecordsTopic()
                                .setName(topic)
                                .setPartitions(
                                    List.of(
                                        new DeleteRecordsPartition()
                                            .setPartitionIndex(partition)
                                            .setOffset(offset))))))
            .response();
    return answer.topics().iterator().next().partitions().iterator().next();
  }

  @Test
  void t16DeletesUpToAnOffsetOrAll() {
    assertEquals(1, deleteRecords(0, "orders", 0, 1).lowWatermark());
    assertEquals(1, orders.logStartOffset());
    assertEquals(1, deleteRecords(1, "orders", 0, 99).errorCode());
    assertEquals(3, deleteRecords(2, "orders", 0, -1).lowWatermark());
    assertEquals(3, deleteRecords(2, "orders", 5, -1).errorCode());
    assertEquals(3, deleteRecords(2, "gone", 0, -1).errorCode());
  }

  @Test
  void t16CompactedAndInternalTopicsKeepTheirRecords() {
    partitions
        .cluster()
        .createTopics(
            List.of(
                new NewTopic(
                    "compacted", 1, (short) 1, Map.of(), Map.of("cleanup.policy", "compact")),
                new NewTopic(
                    "both", 1, (short) 1, Map.of(), Map.of("cleanup.policy", "compact,delete")),
                new NewTopic("__consumer_offsets", 1, (short) 1, Map.of(), Map.of())),
            false)
        .join();
    assertEquals(
        ErrorCode.POLICY_VIOLATION.code(), deleteRecords(2, "compacted", 0, -1).errorCode());
    assertEquals(0, deleteRecords(2, "both", 0, -1).errorCode());
    assertEquals(
        ErrorCode.INVALID_TOPIC_EXCEPTION.code(),
        deleteRecords(2, "__consumer_offsets", 0, -1).errorCode());
  }

  @Test
  void showsTheProducersOfAPartition() {
    CapturedProduce.append(orders, Batches.from(77, 2, 0, "x", "y"));
    TopicRequestCollection topics = new TopicRequestCollection();
    topics.add(new TopicRequest().setName("orders").setPartitionIndexes(List.of(0, 9)));
    topics.add(new TopicRequest().setName("no!").setPartitionIndexes(List.of(0)));
    DescribeProducersResponseData answer =
        new RecordingExchange(ApiKeys.DESCRIBE_PRODUCERS, 0)
            .ask(apis, new DescribeProducersRequestData().setTopics(topics))
            .response();
    var known = answer.topics().get(0).partitions();
    var producer = known.get(0).activeProducers().getFirst();
    assertEquals(
        "77 2 1",
        producer.producerId() + " " + producer.producerEpoch() + " " + producer.lastSequence());
    assertEquals(-1, producer.currentTxnStartOffset());
    assertEquals(3, known.get(1).errorCode());
    assertEquals(17, answer.topics().get(1).partitions().getFirst().errorCode());
  }

  private DescribeLogDirsResponseData.DescribeLogDirsResult directory(
      int version, DescribeLogDirsRequestData request) {
    DescribeLogDirsResponseData answer =
        new RecordingExchange(ApiKeys.DESCRIBE_LOG_DIRS, version)
            .ask(new LogDirApis(partitions, partitions.storage()).apis(), request)
            .response();
    return answer.results().getFirst();
  }

  @Test
  void t19ShowsWhereLogsLieAndHowLargeTheyAre() {
    for (int version = 1; version <= ApiKeys.DESCRIBE_LOG_DIRS.latestVersion(); version++) {
      var all = directory(version, new DescribeLogDirsRequestData().setTopics(null));
      assertEquals(2, all.topics().getFirst().partitions().size());
      assertEquals(
          orders.sizeBytes(), all.topics().getFirst().partitions().getFirst().partitionSize());
      DescribableLogDirTopicCollection one = new DescribableLogDirTopicCollection();
      one.add(new DescribableLogDirTopic().setTopic("orders").setPartitions(List.of(1, 1, 8)));
      one.add(new DescribableLogDirTopic().setTopic("gone").setPartitions(List.of(0)));
      var some = directory(version, new DescribeLogDirsRequestData().setTopics(one));
      assertEquals(1, some.topics().size());
      assertEquals(1, some.topics().getFirst().partitions().size());
    }
    partitions.storage().failDirectory("on fire");
    assertEquals(
        ErrorCode.KAFKA_STORAGE_ERROR.code(),
        directory(4, new DescribeLogDirsRequestData().setTopics(null)).errorCode());
    assertEquals(
        ErrorCode.KAFKA_STORAGE_ERROR.code(), first(offsets(7, "orders", at(0, -1))).errorCode());
  }
}
