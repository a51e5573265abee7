package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;

/// Brokers and topics as one version of Metadata shows them through one listener. Depends on
/// nothing but the brokers and the topic, so what it makes stays right until one of them changes.
///
/// @param brokers all of them
/// @param endpoints of those that can be reached through the listener (T11)
record MetadataView(Map<Integer, Broker> brokers, Map<Integer, Endpoint> endpoints, short version) {

  List<MetadataResponseBroker> shownBrokers() {
    List<MetadataResponseBroker> shown = new ArrayList<>(endpoints.size());
    endpoints.forEach(
        (id, endpoint) -> {
          Broker broker = brokers.get(id);
          shown.add(
              new MetadataResponseBroker()
                  .setNodeId(id)
                  .setHost(endpoint.host())
                  .setPort(endpoint.port())
                  .setRack(broker == null ? null : broker.rack()));
        });
    return shown;
  }

  /// Fills a topic in, but for its operations.
  MetadataResponseTopic fill(MetadataResponseTopic shown, TopicImage topic) {
    List<PartitionState> states = topic.partitions();
    List<MetadataResponsePartition> partitions = new ArrayList<>(states.size());
    for (int index = 0; index < states.size(); index++) {
      partitions.add(partition(index, states.get(index)));
    }
    return shown
        .setName(topic.name())
        .setTopicId(Conversions.uuid(topic.id()))
        .setIsInternal(Topic.isInternal(topic.name()))
        .setPartitions(partitions);
  }

  private MetadataResponsePartition partition(int index, PartitionState state) {
    List<Integer> offline = offline(brokers, state.replicas());
    ErrorCode error = ErrorCode.NONE;
    int leader = state.leader();
    if (!endpoints.containsKey(leader)) {
      // Since version 6 a listener that the leader does not have is told from no leader at all.
      error =
          version >= 6 && brokers.containsKey(leader)
              ? ErrorCode.LISTENER_NOT_FOUND
              : ErrorCode.LEADER_NOT_AVAILABLE;
      leader = -1;
    } else if (version == 0 && !offline.isEmpty()) {
      error = ErrorCode.REPLICA_NOT_AVAILABLE;
    }
    return new MetadataResponsePartition()
        .setErrorCode(error.code())
        .setPartitionIndex(index)
        .setLeaderId(leader)
        .setLeaderEpoch(state.leaderEpoch())
        .setReplicaNodes(state.replicas())
        .setIsrNodes(state.isr())
        .setOfflineReplicas(offline);
  }

  /// Those of the replicas whose broker is not there.
  static List<Integer> offline(Map<Integer, Broker> brokers, List<Integer> replicas) {
    List<Integer> offline = List.of();
    for (int replica : replicas) {
      if (!brokers.containsKey(replica)) {
        offline = offline.isEmpty() ? new ArrayList<>() : offline;
        offline.add(replica);
      }
    }
    return offline;
  }
}
