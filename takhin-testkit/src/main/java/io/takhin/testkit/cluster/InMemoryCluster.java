package io.takhin.testkit.cluster;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.ClusterCreated;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.FeatureFinalized;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A cluster of one broker in memory, for tests of what stands on `Cluster`.
///
/// It keeps what it is told and answers as the real one does, but it is credulous: configs are
/// plain strings that nobody validates, apart from whether a topic key exists. Every future is
/// complete when it is returned, and listeners were told before. Further brokers come with
/// [#register]; what leadership changes look like is up to the test, through
/// [#append(MetadataRecord...)].
///
/// Threading: any thread; changes run one after the other.
public final class InMemoryCluster implements Cluster {
  private static final int PRODUCER_ID_BLOCK = 1000;

  private final int nodeId;
  private final Supplier<UUID> ids;
  private final InMemoryQuorum quorum;
  // No monitor: listeners run under it, and a simulated one pauses.
  private final ReentrantLock changing = new ReentrantLock();
  private final Map<String, String> topicDefaults = new ConcurrentSkipListMap<>(DEFAULTS);

  /// Broker 1 at `localhost:9092`.
  public InMemoryCluster() {
    this(1, List.of(new Endpoint("PLAINTEXT", "localhost", 9092)));
  }

  /// This broker with these advertised addresses.
  public InMemoryCluster(int nodeId, List<Endpoint> endpoints) {
    this(nodeId, endpoints, UUID::randomUUID);
  }

  /// This broker, with topic ids from here: a simulation's must follow from its seed.
  public InMemoryCluster(int nodeId, List<Endpoint> endpoints, Supplier<UUID> ids) {
    this.nodeId = nodeId;
    this.ids = ids;
    quorum = new InMemoryQuorum(nodeId);
    append(new ClusterCreated("testClusterId000000000"));
    SUPPORTED_FEATURES.forEach((name, level) -> append(new FeatureFinalized(name, level)));
    register(new Broker(nodeId, endpoints, null));
  }

  /// Adds a broker, or gives one other addresses.
  public void register(Broker broker) {
    append(new BrokerRegistered(broker));
  }

  /// The static default of a topic config.
  public void topicDefault(String key, String value) {
    changing.lock();
    try {
      topicDefaults.put(key, value);
    } finally {
      changing.unlock();
    }
  }

  /// Makes a topic of partitions that this broker leads.
  public TopicImage createTopic(String name, int partitions) {
    changing.lock();
    try {
      TopicResult result =
          createTopics(
                  List.of(new NewTopic(name, partitions, (short) 1, Map.of(), Map.of())), false)
              .join()
              .getFirst();
      TopicImage topic = image().topic(name);
      if (topic == null || result.result().error() != ErrorCode.NONE) {
        throw new IllegalStateException("no topic " + name + ": " + result);
      }
      return topic;
    } finally {
      changing.unlock();
    }
  }

  /// Appends records as they are.
  public void append(MetadataRecord... records) {
    changing.lock();
    try {
      quorum.append(image().offset(), Arrays.asList(records)).join();
    } finally {
      changing.unlock();
    }
  }

  @Override
  public int nodeId() {
    return nodeId;
  }

  @Override
  public String clusterId() {
    return image().clusterId();
  }

  @Override
  public MetadataImage image() {
    return quorum.image();
  }

  @Override
  public MetadataQuorum quorum() {
    return quorum;
  }

  @Override
  public void subscribe(MetadataListener listener) {
    quorum.subscribe(listener);
  }

  @Override
  public CompletableFuture<List<TopicResult>> createTopics(
      List<NewTopic> topics, boolean validateOnly) {
    changing.lock();
    try {
      List<TopicResult> results = new ArrayList<>();
      for (NewTopic topic : topics) {
        Result wrong = check(topic);
        if (wrong != null) {
          results.add(new TopicResult(topic.name(), wrong, null, -1, (short) -1, List.of()));
          continue;
        }
        UUID id = ids.get();
        List<MetadataRecord> records = new ArrayList<>();
        records.add(new TopicCreated(id, topic.name()));
        int count = topic.assignments().isEmpty() ? topic.partitions() : topic.assignments().size();
        count = count == -1 ? 1 : count;
        int factor = topic.replicationFactor() == -1 ? 1 : topic.replicationFactor();
        for (int i = 0; i < count; i++) {
          List<Integer> replicas = topic.assignments().getOrDefault(i, spread(i, factor));
          factor = replicas.size();
          records.add(new PartitionChanged(id, i, fresh(replicas)));
        }
        topic
            .configs()
            .forEach((key, value) -> records.add(new ConfigChanged(of(topic.name()), key, value)));
        if (!validateOnly) {
          append(records.toArray(MetadataRecord[]::new));
        }
        List<ConfigEntry> configs = describeConfigs(of(topic.name()), null);
        results.add(
            new TopicResult(
                topic.name(),
                Result.OK,
                validateOnly ? null : id,
                count,
                (short) factor,
                configs == null ? List.of() : configs));
      }
      return CompletableFuture.completedFuture(results);
    } finally {
      changing.unlock();
    }
  }

  private @Nullable Result check(NewTopic topic) {
    if (!topic.name().matches("[a-zA-Z0-9._-]{1,249}") || topic.name().matches("\\.{1,2}")) {
      return new Result(ErrorCode.INVALID_TOPIC_EXCEPTION, "not a topic name: " + topic.name());
    }
    if (image().topic(topic.name()) != null) {
      return new Result(ErrorCode.TOPIC_ALREADY_EXISTS, "there is a topic " + topic.name());
    }
    if (topic.assignments().isEmpty() && (topic.partitions() == 0 || topic.partitions() < -1)) {
      return new Result(ErrorCode.INVALID_PARTITIONS, "not a count: " + topic.partitions());
    }
    if (topic.replicationFactor() == 0
        || topic.replicationFactor() < -1
        || topic.replicationFactor() > image().brokers().size()) {
      return new Result(
          ErrorCode.INVALID_REPLICATION_FACTOR, "not possible: " + topic.replicationFactor());
    }
    for (String key : topic.configs().keySet()) {
      if (!topicDefaults.containsKey(key)) {
        return new Result(ErrorCode.INVALID_CONFIG, "Unknown topic config name: " + key);
      }
    }
    return null;
  }

  private List<Integer> spread(int partition, int factor) {
    List<Integer> brokers = List.copyOf(image().brokers().keySet());
    List<Integer> replicas = new ArrayList<>();
    for (int i = 0; i < factor; i++) {
      replicas.add(brokers.get((partition + i) % brokers.size()));
    }
    return replicas;
  }

  private static PartitionState fresh(List<Integer> replicas) {
    return new PartitionState(replicas, replicas, replicas.getFirst(), 0, 0);
  }

  @Override
  public CompletableFuture<List<Result>> deleteTopics(List<UUID> topics) {
    changing.lock();
    try {
      List<Result> results = new ArrayList<>();
      for (UUID id : topics) {
        if (image().topic(id) == null) {
          results.add(new Result(ErrorCode.UNKNOWN_TOPIC_ID, "no topic has the id " + id));
        } else {
          append(new TopicDeleted(id));
          results.add(Result.OK);
        }
      }
      return CompletableFuture.completedFuture(results);
    } finally {
      changing.unlock();
    }
  }

  @Override
  public CompletableFuture<List<Result>> createPartitions(
      List<NewPartitions> partitions, boolean validateOnly) {
    changing.lock();
    try {
      List<Result> results = new ArrayList<>();
      for (NewPartitions wanted : partitions) {
        TopicImage topic = image().topic(wanted.topic());
        if (topic == null) {
          results.add(new Result(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "no such topic"));
          continue;
        }
        int now = topic.partitions().size();
        if (wanted.count() <= now) {
          results.add(
              new Result(
                  ErrorCode.INVALID_PARTITIONS, "there are " + now + ", can only be increased"));
          continue;
        }
        List<MetadataRecord> records = new ArrayList<>();
        int factor = topic.partitions().getFirst().replicas().size();
        List<List<Integer>> assignments = wanted.assignments();
        for (int i = now; i < wanted.count(); i++) {
          List<Integer> replicas =
              assignments == null ? spread(i, factor) : assignments.get(i - now);
          records.add(new PartitionChanged(topic.id(), i, fresh(replicas)));
        }
        if (!validateOnly) {
          append(records.toArray(MetadataRecord[]::new));
        }
        results.add(Result.OK);
      }
      return CompletableFuture.completedFuture(results);
    } finally {
      changing.unlock();
    }
  }

  @Override
  public CompletableFuture<List<Result>> updateFeatures(
      List<FeatureUpdate> updates, boolean validateOnly) {
    changing.lock();
    try {
      List<Result> results =
          updates.stream().map(each -> each.check(image().feature(each.name()))).toList();
      if (!validateOnly && results.stream().allMatch(Result.OK::equals)) {
        updates.forEach(each -> append(new FeatureFinalized(each.name(), each.level())));
      }
      return CompletableFuture.completedFuture(results);
    } finally {
      changing.unlock();
    }
  }

  @Override
  public CompletableFuture<List<Result>> alterConfigs(
      List<ConfigChanges> changes, boolean validateOnly) {
    changing.lock();
    try {
      List<Result> results = new ArrayList<>();
      for (ConfigChanges change : changes) {
        results.add(alter(change, validateOnly));
      }
      return CompletableFuture.completedFuture(results);
    } finally {
      changing.unlock();
    }
  }

  private Result alter(ConfigChanges changes, boolean validateOnly) {
    ConfigResource resource = changes.resource();
    boolean topic = resource.type() == ConfigResource.Type.TOPIC;
    if (topic && image().topic(resource.name()) == null) {
      return new Result(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "no topic " + resource.name());
    }
    Map<String, String> now = image().config(resource);
    Map<String, String> then = changes.replaceAll() ? new TreeMap<>() : new TreeMap<>(now);
    for (ConfigChanges.Change change : changes.changes()) {
      if (topic && !topicDefaults.containsKey(change.key())) {
        return new Result(ErrorCode.INVALID_CONFIG, "Unknown topic config name: " + change.key());
      }
      String value = change.value() == null ? "" : change.value();
      String base = then.getOrDefault(change.key(), topicDefaults.getOrDefault(change.key(), ""));
      List<String> items = new ArrayList<>(Arrays.asList(base.split(",", -1)));
      items.remove("");
      switch (change.op()) {
        case SET -> then.put(change.key(), value);
        case DELETE -> then.remove(change.key());
        case APPEND -> {
          items.add(value);
          then.put(change.key(), String.join(",", items));
        }
        case SUBTRACT -> {
          items.remove(value);
          then.put(change.key(), String.join(",", items));
        }
      }
    }
    List<MetadataRecord> records = new ArrayList<>();
    now.forEach(
        (key, value) -> {
          if (!then.containsKey(key)) {
            records.add(new ConfigChanged(resource, key, null));
          }
        });
    then.forEach(
        (key, value) -> {
          if (!value.equals(now.get(key))) {
            records.add(new ConfigChanged(resource, key, value));
          }
        });
    if (!validateOnly && !records.isEmpty()) {
      append(records.toArray(MetadataRecord[]::new));
    }
    return Result.OK;
  }

  @Override
  public @Nullable List<ConfigEntry> describeConfigs(
      ConfigResource resource, @Nullable List<String> keys) {
    changing.lock();
    try {
      boolean topic = resource.type() == ConfigResource.Type.TOPIC;
      if (topic && image().topic(resource.name()) == null) {
        return null;
      }
      Map<String, String> set = image().config(resource);
      Map<String, String> all = new TreeMap<>(topic ? topicDefaults : Map.of());
      all.putAll(set);
      List<ConfigEntry> entries = new ArrayList<>();
      all.forEach(
          (key, value) -> {
            if (keys == null || keys.contains(key)) {
              ConfigEntry.Source source =
                  set.containsKey(key) ? sourceOf(resource) : ConfigEntry.Source.DEFAULT_CONFIG;
              entries.add(
                  new ConfigEntry(
                      key,
                      value,
                      source,
                      false,
                      false,
                      ConfigEntry.Type.STRING,
                      null,
                      List.of(new ConfigEntry.Synonym(key, value, source))));
            }
          });
      return entries;
    } finally {
      changing.unlock();
    }
  }

  private static ConfigEntry.Source sourceOf(ConfigResource resource) {
    return switch (resource.type()) {
      case TOPIC -> ConfigEntry.Source.DYNAMIC_TOPIC_CONFIG;
      case BROKER ->
          resource.name().isEmpty()
              ? ConfigEntry.Source.DYNAMIC_DEFAULT_BROKER_CONFIG
              : ConfigEntry.Source.DYNAMIC_BROKER_CONFIG;
      case BROKER_LOGGER -> ConfigEntry.Source.DYNAMIC_BROKER_LOGGER_CONFIG;
      case CLIENT_METRICS -> ConfigEntry.Source.CLIENT_METRICS_CONFIG;
      case GROUP -> ConfigEntry.Source.GROUP_CONFIG;
    };
  }

  @Override
  public Map<String, String> topicConfig(MetadataImage image, String topic) {
    Map<String, String> all = new TreeMap<>(topicDefaults);
    all.putAll(image.config(of(topic)));
    return all;
  }

  @Override
  public CompletableFuture<ProducerIdBlock> allocateProducerIds() {
    changing.lock();
    try {
      long first = image().nextProducerId();
      append(new ProducerIdsAllocated(nodeId, first + PRODUCER_ID_BLOCK));
      return CompletableFuture.completedFuture(new ProducerIdBlock(first, PRODUCER_ID_BLOCK));
    } finally {
      changing.unlock();
    }
  }

  @Override
  public void close() {}

  private static ConfigResource of(String topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic);
  }

  /// Topic keys and defaults of Kafka 4.3.
  private static final Map<String, String> DEFAULTS =
      Map.ofEntries(
          Map.entry("cleanup.policy", "delete"),
          Map.entry("compression.gzip.level", "-1"),
          Map.entry("compression.lz4.level", "9"),
          Map.entry("compression.type", "producer"),
          Map.entry("compression.zstd.level", "3"),
          Map.entry("delete.retention.ms", "86400000"),
          Map.entry("file.delete.delay.ms", "60000"),
          Map.entry("flush.messages", "9223372036854775807"),
          Map.entry("flush.ms", "9223372036854775807"),
          Map.entry("follower.replication.throttled.replicas", ""),
          Map.entry("index.interval.bytes", "4096"),
          Map.entry("leader.replication.throttled.replicas", ""),
          Map.entry("local.retention.bytes", "-2"),
          Map.entry("local.retention.ms", "-2"),
          Map.entry("max.compaction.lag.ms", "9223372036854775807"),
          Map.entry("max.message.bytes", "1048588"),
          Map.entry("message.timestamp.after.max.ms", "3600000"),
          Map.entry("message.timestamp.before.max.ms", "9223372036854775807"),
          Map.entry("message.timestamp.type", "CreateTime"),
          Map.entry("min.cleanable.dirty.ratio", "0.5"),
          Map.entry("min.compaction.lag.ms", "0"),
          Map.entry("min.insync.replicas", "1"),
          Map.entry("preallocate", "false"),
          Map.entry("remote.log.copy.disable", "false"),
          Map.entry("remote.log.delete.on.disable", "false"),
          Map.entry("remote.storage.enable", "false"),
          Map.entry("retention.bytes", "-1"),
          Map.entry("retention.ms", "604800000"),
          Map.entry("segment.bytes", "1073741824"),
          Map.entry("segment.index.bytes", "10485760"),
          Map.entry("segment.jitter.ms", "0"),
          Map.entry("segment.ms", "604800000"),
          Map.entry("takhin.validation", "relaxed"),
          Map.entry("unclean.leader.election.enable", "false"));
}
