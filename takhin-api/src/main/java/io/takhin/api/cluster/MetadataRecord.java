package io.takhin.api.cluster;

import io.takhin.api.Api;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// One change of cluster state: what the metadata log holds.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public sealed interface MetadataRecord {
  /// The cluster came to be.
  record ClusterCreated(String clusterId) implements MetadataRecord {}

  /// A broker is there, or its addresses changed.
  record BrokerRegistered(Broker broker) implements MetadataRecord {}

  /// A topic came to be.
  record TopicCreated(UUID id, String name) implements MetadataRecord {}

  /// A topic and its partitions and configs are gone.
  record TopicDeleted(UUID id) implements MetadataRecord {}

  /// A partition came to be, or its state changed.
  record PartitionChanged(UUID topicId, int partition, PartitionState state)
      implements MetadataRecord {}

  /// A config was set, or with null taken away.
  record ConfigChanged(ConfigResource resource, String key, @Nullable String value)
      implements MetadataRecord {}

  /// Producer ids below this are given out.
  record ProducerIdsAllocated(int brokerId, long nextProducerId) implements MetadataRecord {}

  /// A cluster feature was finalized at a level; 0 switches it off (KIP-584).
  record FeatureFinalized(String name, short level) implements MetadataRecord {}

  /// A broker and where to reach it.
  ///
  /// @param rack null if it has none
  record Broker(int id, List<Endpoint> endpoints, @Nullable String rack) {}

  /// An advertised address of a listener (T11).
  record Endpoint(String listener, String host, int port) {}

  /// Who holds a partition.
  ///
  /// @param leader broker id, -1 for none
  /// @param leaderEpoch rises with every change of the leader (T13)
  /// @param partitionEpoch rises with every change of the state
  record PartitionState(
      List<Integer> replicas, List<Integer> isr, int leader, int leaderEpoch, int partitionEpoch) {}
}
