package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataQuorum.QuorumState;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignableTopicResponse;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.PartitionData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.ReplicaState;
import org.apache.kafka.common.message.DescribeQuorumResponseData.TopicData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitions;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ElectLeadersResponseData.PartitionResult;
import org.apache.kafka.common.message.ElectLeadersResponseData.ReplicaElectionResult;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// What operators ask of the controller: DescribeQuorum, ElectLeaders, AlterPartitionReassignments,
/// ListPartitionReassignments.
///
/// A broker that is alone can answer all of it truthfully without a change to the metadata: there
/// is one replica of each partition, it is the preferred one, and there is nowhere to move it to.
/// With more brokers, elections and reassignments become changes that the cluster makes.
final class QuorumApis {
  private static final byte UNCLEAN = 1;

  private final Cluster cluster;

  QuorumApis(Cluster cluster) {
    this.cluster = cluster;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.DESCRIBE_QUORUM, this::describeQuorum),
        MessageApi.all(ApiKeys.ELECT_LEADERS, this::electLeaders),
        MessageApi.all(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, this::reassign),
        MessageApi.all(ApiKeys.LIST_PARTITION_REASSIGNMENTS, this::listReassignments));
  }

  private void describeQuorum(Exchange exchange, DescribeQuorumRequestData request) {
    DescribeQuorumResponseData response = new DescribeQuorumResponseData();
    boolean log =
        request.topics().size() == 1
            && request.topics().getFirst().topicName().equals(Topic.CLUSTER_METADATA_TOPIC_NAME)
            && request.topics().getFirst().partitions().size() == 1
            && request.topics().getFirst().partitions().getFirst().partitionIndex() == 0;
    if (log) {
      response
          .topics()
          .add(
              new TopicData()
                  .setTopicName(Topic.CLUSTER_METADATA_TOPIC_NAME)
                  .setPartitions(List.of(quorum())));
      exchange.respond(response);
      return;
    }
    for (var topic : request.topics()) {
      List<PartitionData> partitions = new ArrayList<>(topic.partitions().size());
      for (var partition : topic.partitions()) {
        partitions.add(
            failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
                .setPartitionIndex(partition.partitionIndex()));
      }
      response
          .topics()
          .add(new TopicData().setTopicName(topic.topicName()).setPartitions(partitions));
    }
    exchange.respond(response);
  }

  private static PartitionData failed(ErrorCode error) {
    return new PartitionData()
        .setErrorCode(error.code())
        .setErrorMessage(Conversions.message(error, (String) null));
  }

  private PartitionData quorum() {
    QuorumState state = cluster.quorum().state();
    if (state.leader() != cluster.nodeId()) {
      // How far the voters are is known to the leader alone.
      return failed(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
    PartitionData data =
        new PartitionData()
            .setErrorMessage(null)
            .setLeaderId(state.leader())
            .setLeaderEpoch(state.epoch())
            .setHighWatermark(state.endOffset());
    for (int voter : state.voters()) {
      data.currentVoters().add(replica(voter, state));
    }
    for (int broker : cluster.image().brokers().keySet()) {
      if (!state.voters().contains(broker)) {
        data.observers().add(replica(broker, state));
      }
    }
    return data;
  }

  /// Only of itself the leader says how far it is; -1 stands for unknown.
  private ReplicaState replica(int id, QuorumState state) {
    return new ReplicaState()
        .setReplicaId(id)
        .setLogEndOffset(id == cluster.nodeId() ? state.endOffset() : -1);
  }

  private void electLeaders(Exchange exchange, ElectLeadersRequestData request) {
    boolean unclean = exchange.version() >= 1 && request.electionType() == UNCLEAN;
    if (request.electionType() < 0 || request.electionType() > UNCLEAN) {
      throw Conversions.invalid("Unknown election type " + request.electionType());
    }
    MetadataImage image = cluster.image();
    ElectLeadersResponseData response = new ElectLeadersResponseData();
    if (request.topicPartitions() == null) {
      for (TopicImage topic : image.topicsByName().values()) {
        ReplicaElectionResult result = new ReplicaElectionResult().setTopic(topic.name());
        response.replicaElectionResults().add(result);
        for (int index = 0; index < topic.partitions().size(); index++) {
          Result outcome = elect(topic, topic.name(), index, unclean);
          // Of all partitions only those are named where something was to do (T61).
          if (outcome.error() != ErrorCode.ELECTION_NOT_NEEDED) {
            result.partitionResult().add(elected(index, outcome));
          }
        }
      }
    } else {
      for (TopicPartitions asked : request.topicPartitions()) {
        ReplicaElectionResult result = new ReplicaElectionResult().setTopic(asked.topic());
        response.replicaElectionResults().add(result);
        for (int index : asked.partitions()) {
          result
              .partitionResult()
              .add(
                  elected(index, elect(image.topic(asked.topic()), asked.topic(), index, unclean)));
        }
      }
    }
    exchange.respond(response);
  }

  private static PartitionResult elected(int index, Result outcome) {
    return new PartitionResult()
        .setPartitionId(index)
        .setErrorCode(outcome.error().code())
        .setErrorMessage(Conversions.message(outcome));
  }

  /// A single replica leads, or nobody can.
  private static Result elect(@Nullable TopicImage topic, String name, int index, boolean unclean) {
    if (topic == null) {
      return Conversions.error(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "No such topic as " + name);
    }
    if (index < 0 || index >= topic.partitions().size()) {
      return Conversions.error(
          ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "No such partition as " + name + "-" + index);
    }
    PartitionState state = topic.partitions().get(index);
    boolean needed = unclean ? state.leader() < 0 : state.leader() != state.replicas().getFirst();
    if (!needed) {
      return Conversions.error(ErrorCode.ELECTION_NOT_NEEDED);
    }
    return Conversions.error(
        unclean
            ? ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
            : ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE);
  }

  private void reassign(Exchange exchange, AlterPartitionReassignmentsRequestData request) {
    MetadataImage image = cluster.image();
    AlterPartitionReassignmentsResponseData response =
        new AlterPartitionReassignmentsResponseData()
            .setErrorMessage(null)
            .setAllowReplicationFactorChange(request.allowReplicationFactorChange());
    for (ReassignableTopic topic : request.topics()) {
      ReassignableTopicResponse answer = new ReassignableTopicResponse().setName(topic.name());
      response.responses().add(answer);
      for (ReassignablePartition partition : topic.partitions()) {
        Result result = reassigned(image, topic.name(), partition);
        answer
            .partitions()
            .add(
                new ReassignablePartitionResponse()
                    .setPartitionIndex(partition.partitionIndex())
                    .setErrorCode(result.error().code())
                    .setErrorMessage(Conversions.message(result)));
      }
    }
    exchange.respond(response);
  }

  private static Result reassigned(
      MetadataImage image, String name, ReassignablePartition partition) {
    TopicImage topic = image.topic(name);
    if (topic == null) {
      return Conversions.error(
          ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "Unable to find a topic named " + name + ".");
    }
    int index = partition.partitionIndex();
    if (index < 0 || index >= topic.partitions().size()) {
      return Conversions.error(
          ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
          "Unable to find partition " + name + ":" + index + ".");
    }
    List<Integer> target = partition.replicas();
    if (target == null) {
      return Conversions.error(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
    }
    String problem = problem(image, target);
    if (problem != null) {
      return Conversions.error(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem);
    }
    // On one broker a valid assignment is the present one, and nothing is left to do.
    return target.equals(topic.partitions().get(index).replicas())
        ? Result.OK
        : Conversions.error(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "Replicas cannot be moved between brokers yet: the assignment of "
                + name
                + "-"
                + index
                + " stays "
                + topic.partitions().get(index).replicas()
                + ".");
  }

  private static @Nullable String problem(MetadataImage image, List<Integer> replicas) {
    if (replicas.isEmpty()) {
      return "The manual partition assignment includes an empty replica list.";
    }
    Set<Integer> seen = new HashSet<>();
    for (int replica : replicas) {
      if (replica < 0) {
        return "The manual partition assignment includes an invalid broker id: " + replica + ".";
      }
      if (!image.brokers().containsKey(replica)) {
        return "The manual partition assignment includes broker "
            + replica
            + ", but no such broker is registered.";
      }
      if (!seen.add(replica)) {
        return "The manual partition assignment includes the broker "
            + replica
            + " more than once.";
      }
    }
    return null;
  }

  private void listReassignments(Exchange exchange, ListPartitionReassignmentsRequestData request) {
    // None is ever under way.
    exchange.respond(new ListPartitionReassignmentsResponseData().setErrorMessage(null));
  }
}
