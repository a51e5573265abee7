package io.takhin.api.cluster;

import io.takhin.api.Api;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.ClusterCreated;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.FeatureFinalized;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The cluster's metadata at an offset of its log: immutable, and shared freely between threads.
///
/// [#apply] makes the next image; topics that a change does not touch are shared with the old one.
///
/// @param offset how many records are in it: the next offset of the metadata log
/// @param clusterId empty before the cluster is made
/// @param topicsByName sorted by name
/// @param configs by resource, only what was set
/// @param nextProducerId the first producer id that nobody has
/// @param features finalized levels; 0 for one that was switched off
@Api(status = Api.Status.EVOLVING, since = "0.1")
public record MetadataImage(
    long offset,
    String clusterId,
    Map<Integer, Broker> brokers,
    Map<String, TopicImage> topicsByName,
    Map<UUID, TopicImage> topicsById,
    Map<ConfigResource, Map<String, String>> configs,
    long nextProducerId,
    Map<String, Short> features) {

  /// Before the first record.
  public static final MetadataImage EMPTY =
      new MetadataImage(0, "", Map.of(), Map.of(), Map.of(), Map.of(), 0, Map.of());

  /// A topic.
  ///
  /// @param partitions by index
  public record TopicImage(UUID id, String name, List<PartitionState> partitions) {}

  /// The topic of this name, or null.
  public @Nullable TopicImage topic(String name) {
    return topicsByName.get(name);
  }

  /// The topic of this id, or null.
  public @Nullable TopicImage topic(UUID id) {
    return topicsById.get(id);
  }

  /// The level of a feature; 0 without one.
  public short feature(String name) {
    return features.getOrDefault(name, (short) 0);
  }

  /// What was set for a resource; empty if nothing.
  public Map<String, String> config(ConfigResource resource) {
    return configs.getOrDefault(resource, Map.of());
  }

  /// The image after these records.
  ///
  /// Errors: IllegalStateException if a record speaks of what does not exist: the log is not one
  /// that a quorum of this version wrote.
  public MetadataImage apply(List<MetadataRecord> records) {
    return new Builder(this).apply(records);
  }

  /// Collects changes; copies each map at most once.
  private static final class Builder {
    private final MetadataImage base;
    private String clusterId;
    private Map<Integer, Broker> brokers;
    private Map<String, TopicImage> byName;
    private Map<UUID, TopicImage> byId;
    private Map<ConfigResource, Map<String, String>> configs;
    private long nextProducerId;
    private Map<String, Short> features;
    private final Map<UUID, List<PartitionState>> partitions = new HashMap<>();

    Builder(MetadataImage base) {
      this.base = base;
      clusterId = base.clusterId;
      brokers = base.brokers;
      byName = base.topicsByName;
      byId = base.topicsById;
      configs = base.configs;
      nextProducerId = base.nextProducerId;
      features = base.features;
    }

    MetadataImage apply(List<MetadataRecord> records) {
      for (MetadataRecord record : records) {
        switch (record) {
          case ClusterCreated(String id) -> clusterId = id;
          case BrokerRegistered(Broker broker) -> {
            brokers = brokers == base.brokers ? new TreeMap<>(brokers) : brokers;
            brokers.put(broker.id(), broker);
          }
          case TopicCreated(UUID id, String name) -> {
            copyTopics();
            TopicImage topic = new TopicImage(id, name, List.of());
            byName.put(name, topic);
            byId.put(id, topic);
          }
          case TopicDeleted(UUID id) -> {
            copyTopics();
            TopicImage topic = existing(byId.remove(id), id);
            partitions.remove(id);
            byName.remove(topic.name());
            copyConfigs().remove(new ConfigResource(ConfigResource.Type.TOPIC, topic.name()));
          }
          case PartitionChanged(UUID id, int index, PartitionState state) -> put(id, index, state);
          case ConfigChanged change -> put(change);
          case ProducerIdsAllocated(int ignored, long next) -> nextProducerId = next;
          case FeatureFinalized(String name, short level) -> {
            features = features == base.features ? new TreeMap<>(features) : features;
            features.put(name, level);
          }
        }
      }
      partitions.forEach(this::freezeTopic);
      return new MetadataImage(
          base.offset + records.size(),
          clusterId,
          frozen(brokers, base.brokers),
          frozen(byName, base.topicsByName),
          frozen(byId, base.topicsById),
          frozen(configs, base.configs),
          nextProducerId,
          frozen(features, base.features));
    }

    private void copyTopics() {
      if (byName == base.topicsByName) {
        // A sorted map is copied in one pass, without comparing: it has to be seen as one.
        byName =
            byName instanceof SortedMap<String, TopicImage> sorted
                ? new TreeMap<>(sorted)
                : new TreeMap<>(byName);
        byId = new HashMap<>(byId);
      }
    }

    private Map<ConfigResource, Map<String, String>> copyConfigs() {
      if (configs == base.configs) {
        configs = new HashMap<>(configs);
      }
      return configs;
    }

    private void put(UUID id, int index, PartitionState state) {
      TopicImage topic = existing(byId.get(id), id);
      List<PartitionState> states =
          partitions.computeIfAbsent(id, ignored -> new ArrayList<>(topic.partitions()));
      if (index > states.size()) {
        throw new IllegalStateException(
            topic.name() + " has " + states.size() + " partitions, none before " + index);
      }
      if (index == states.size()) {
        states.add(state);
      } else {
        states.set(index, state);
      }
    }

    private void put(ConfigChanged change) {
      Map<String, String> entries =
          new TreeMap<>(copyConfigs().getOrDefault(change.resource(), Map.of()));
      String value = change.value();
      if (value == null) {
        entries.remove(change.key());
      } else {
        entries.put(change.key(), value);
      }
      if (entries.isEmpty()) {
        configs.remove(change.resource());
      } else {
        configs.put(change.resource(), Collections.unmodifiableMap(entries));
      }
    }

    private void freezeTopic(UUID id, List<PartitionState> states) {
      copyTopics();
      TopicImage old = existing(byId.get(id), id);
      TopicImage topic = new TopicImage(id, old.name(), List.copyOf(states));
      byId.put(id, topic);
      byName.put(topic.name(), topic);
    }

    private static TopicImage existing(@Nullable TopicImage topic, UUID id) {
      if (topic == null) {
        throw new IllegalStateException("no topic with id " + id);
      }
      return topic;
    }

    private static <K, V> Map<K, V> frozen(Map<K, V> map, Map<K, V> unchanged) {
      if (map == unchanged) {
        return map;
      }
      return map instanceof SortedMap<K, V> sorted
          ? Collections.unmodifiableSortedMap(sorted)
          : Collections.unmodifiableMap(map);
    }
  }
}
