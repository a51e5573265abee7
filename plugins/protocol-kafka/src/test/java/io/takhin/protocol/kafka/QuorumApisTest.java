package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumRequestData.PartitionData;
import org.apache.kafka.common.message.DescribeQuorumRequestData.TopicData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitions;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitionsCollection;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class QuorumApisTest {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final List<MessageApi<?>> apis = new QuorumApis(cluster).apis();
  private final TopicImage orders = cluster.createTopic("orders", 2);

  private DescribeQuorumResponseData.PartitionData quorum(int version, String topic) {
    DescribeQuorumResponseData answer =
        new RecordingExchange(ApiKeys.DESCRIBE_QUORUM, version)
            .ask(
                apis,
                new DescribeQuorumRequestData()
                    .setTopics(
                        List.of(
                            new TopicData()
                                .setTopicName(topic)
                                .setPartitions(List.of(new PartitionData())))))
            .response();
    return answer.topics().getFirst().partitions().getFirst();
  }

  @Test
  void t61DescribesTheQuorumOfTheMetadataLog() {
    for (int version = 0; version <= 2; version++) {
      var data = quorum(version, "__cluster_metadata");
      assertEquals(0, data.errorCode());
      assertEquals(1, data.leaderId());
      assertEquals(cluster.image().offset(), data.highWatermark());
      assertEquals(cluster.image().offset(), data.currentVoters().getFirst().logEndOffset());
      assertEquals(3, quorum(version, "orders").errorCode());
    }
  }

  private List<Integer> elect(int version, int type, @Nullable TopicPartitionsCollection topics) {
    ElectLeadersRequestData request = new ElectLeadersRequestData().setTopicPartitions(topics);
    if (version >= 1) {
      request.setElectionType((byte) type);
    }
    ElectLeadersResponseData answer =
        new RecordingExchange(ApiKeys.ELECT_LEADERS, version).ask(apis, request).response();
    List<Integer> errors = new ArrayList<>();
    answer
        .replicaElectionResults()
        .forEach(topic -> topic.partitionResult().forEach(p -> errors.add((int) p.errorCode())));
    return errors;
  }

  @Test
  void t61AnElectionIsNotNeededWhereThePreferredReplicaLeads() {
    for (int version = 0; version <= ApiKeys.ELECT_LEADERS.latestVersion(); version++) {
      TopicPartitionsCollection topics = new TopicPartitionsCollection();
      topics.add(new TopicPartitions().setTopic("orders").setPartitions(List.of(0, 1, 2)));
      topics.add(new TopicPartitions().setTopic("gone").setPartitions(List.of(0)));
      assertEquals(List.of(84, 84, 3, 3), elect(version, 0, topics));
      assertEquals(List.of(), elect(version, 0, null));
    }
    cluster.append(
        new PartitionChanged(orders.id(), 1, new PartitionState(List.of(1), List.of(), -1, 1, 1)));
    assertEquals(List.of(80), elect(2, 0, null));
    assertEquals(List.of(83), elect(2, 1, null));
    assertEquals(
        ErrorCode.INVALID_REQUEST,
        new RecordingExchange(ApiKeys.ELECT_LEADERS, 2)
            .ask(apis, new ElectLeadersRequestData().setElectionType((byte) 5))
            .refusal());
  }

  private int reassign(int version, String topic, int partition, @Nullable List<Integer> to) {
    AlterPartitionReassignmentsResponseData answer =
        new RecordingExchange(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, version)
            .ask(
                apis,
                new AlterPartitionReassignmentsRequestData()
                    .setTopics(
                        List.of(
                            new ReassignableTopic()
                                .setName(topic)
                                .setPartitions(
                                    List.of(
                                        new ReassignablePartition()
                                            .setPartitionIndex(partition)
                                            .setReplicas(to))))))
            .response();
    return answer.responses().getFirst().partitions().getFirst().errorCode();
  }

  @Test
  void t60AloneThereIsNowhereToMoveAReplica() {
    for (int version = 0; version <= 1; version++) {
      assertEquals(0, reassign(version, "orders", 0, List.of(1)));
      assertEquals(39, reassign(version, "orders", 0, List.of(2)));
      assertEquals(39, reassign(version, "orders", 0, List.of(1, 1)));
      assertEquals(39, reassign(version, "orders", 0, List.of()));
      assertEquals(39, reassign(version, "orders", 0, List.of(-1)));
      assertEquals(85, reassign(version, "orders", 0, null));
      assertEquals(3, reassign(version, "orders", 5, List.of(1)));
      assertEquals(3, reassign(version, "gone", 0, List.of(1)));
    }
    ListPartitionReassignmentsResponseData none =
        new RecordingExchange(ApiKeys.LIST_PARTITION_REASSIGNMENTS, 0)
            .ask(apis, new ListPartitionReassignmentsRequestData().setTopics(null))
            .response();
    assertEquals(List.of(), none.topics());
  }
}
