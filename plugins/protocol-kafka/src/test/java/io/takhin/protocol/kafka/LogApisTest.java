package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
  }
}
