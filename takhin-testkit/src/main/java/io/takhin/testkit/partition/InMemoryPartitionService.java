package io.takhin.testkit.partition;

import io.takhin.api.PluginContext;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.storage.InMemoryLogStorage;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Partitions for tests of what stands above them: it follows a cluster and keeps its logs in a
/// storage, both in memory if not given.
///
/// ```java
/// var partitions = new InMemoryPartitionService();
/// partitions.start();
/// Partition orders = partitions.createTopic("orders", 3).partition(0);
/// partitions.storage().holdCommits(true); // appends wait from now on
/// ```
///
/// Timeouts run on the scheduler of the context: `time().advanceMs(...)` of a simulated one.
///
/// Threading: any thread.
public final class InMemoryPartitionService implements PartitionService {
  private final PluginContext context;
  private final Cluster cluster;
  private final LogStorage storage;
  private final Map<UUID, InMemoryTopic> topics = new ConcurrentHashMap<>();

  /// Over a new [InMemoryCluster], a new [InMemoryLogStorage] and a simulated time.
  public InMemoryPartitionService() {
    this(TestContext.simulated());
  }

  private InMemoryPartitionService(TestContext.Builder builder) {
    this(
        builder
            .service(Cluster.class, new InMemoryCluster())
            .service(LogStorage.class, new InMemoryLogStorage())
            .build());
  }

  /// Over the cluster and storage of a context.
  public InMemoryPartitionService(PluginContext context) {
    this.context = context;
    this.cluster = context.service(Cluster.class);
    this.storage = context.service(LogStorage.class);
  }

  /// The cluster it follows, if that is in memory.
  public InMemoryCluster cluster() {
    return (InMemoryCluster) cluster;
  }

  /// The storage below, if that is in memory: to hold commits back, refuse appends, fail.
  public InMemoryLogStorage storage() {
    return (InMemoryLogStorage) storage;
  }

  /// The context, if it is a test's.
  public TestContext context() {
    return (TestContext) context;
  }

  /// Makes a topic in the cluster in memory, all of whose partitions are led here.
  public Topic createTopic(String name, int partitions) {
    cluster().createTopic(name, partitions);
    return existing(name);
  }

  /// Deletes a topic in the cluster in memory.
  public void deleteTopic(String name) {
    cluster().deleteTopics(List.of(existing(name).id())).join();
  }

  private Topic existing(String name) {
    Topic topic = topic(name);
    if (topic == null) {
      throw new IllegalStateException("no topic " + name);
    }
    return topic;
  }

  /// Takes a partition offline for this reason, or, with null, ends that.
  public void offline(String topic, int index, @Nullable String reason) {
    if (!(existing(topic).partition(index) instanceof InMemoryPartition partition)) {
      throw new IllegalArgumentException(topic + "-" + index + " is not here");
    }
    if (reason == null) {
      partition.online();
    } else {
      partition.offline(reason);
    }
  }

  @Override
  public void start() {
    cluster.subscribe(this::changed);
  }

  private synchronized void changed(
      MetadataImage image, MetadataImage before, List<MetadataRecord> records) {
    for (InMemoryTopic topic : List.copyOf(topics.values())) {
      if (image.topic(topic.id()) == null) {
        topics.remove(topic.id());
        topic.delete();
      }
    }
    if (records.isEmpty()) {
      for (TopicPartition found : storage.existing()) {
        if (image.topic(found.topicId()) == null) {
          storage.delete(found);
        }
      }
    }
    for (TopicImage topic : image.topicsByName().values()) {
      topics.computeIfAbsent(topic.id(), id -> new InMemoryTopic(topic)).update(image, topic);
    }
  }

  @Override
  public @Nullable Topic topic(String name) {
    return topics.values().stream()
        .filter(topic -> topic.name().equals(name))
        .findFirst()
        .orElse(null);
  }

  @Override
  public @Nullable Topic topic(UUID id) {
    return topics.get(id);
  }

  @Override
  public Collection<Topic> topics() {
    return List.copyOf(topics.values());
  }

  @Override
  public void close() {
    topics.values().forEach(InMemoryTopic::close);
  }

  private LogConfig config(Map<String, String> topic) {
    LogConfig defaults = storage.defaults();
    String policy = topic.getOrDefault("cleanup.policy", "delete");
    return new LogConfigBuilder()
        .maxMessageBytes(Integer.parseInt(topic.getOrDefault("max.message.bytes", "1048588")))
        .flushMessages(
            Long.parseLong(
                topic.getOrDefault("flush.messages", Long.toString(defaults.flushMessages()))))
        .timestampType(
            "LogAppendTime".equals(topic.get("message.timestamp.type"))
                ? LogConfig.TimestampType.LOG_APPEND_TIME
                : LogConfig.TimestampType.CREATE_TIME)
        .compact(policy.contains("compact"))
        .delete(policy.contains("delete"))
        .build();
  }

  private final class InMemoryTopic implements Topic {
    private final UUID id;
    private final String name;
    private final Map<Integer, InMemoryPartition> partitions = new ConcurrentHashMap<>();
    private volatile int count;
    private volatile boolean deleted;

    InMemoryTopic(TopicImage image) {
      this.id = image.id();
      this.name = image.name();
    }

    void update(MetadataImage image, TopicImage topic) {
      Map<String, String> settings = cluster.topicConfig(image, name);
      int minInSync = Integer.parseInt(settings.getOrDefault("min.insync.replicas", "1"));
      int index = 0;
      for (PartitionState state : topic.partitions()) {
        TopicPartition partition = new TopicPartition(id, name, index);
        if (state.replicas().contains(cluster.nodeId())) {
          InMemoryPartition replica =
              partitions.computeIfAbsent(
                  index,
                  ignored -> new InMemoryPartition(context, storage, partition, config(settings)));
          replica.log().reconfigure(config(settings));
          boolean leads = state.leader() == cluster.nodeId();
          int effective = Math.min(minInSync, state.replicas().size());
          replica.state(leads, state.leaderEpoch(), state.isr().size(), effective);
        } else {
          InMemoryPartition gone = partitions.remove(index);
          if (gone != null) {
            gone.close();
            storage.delete(partition);
          }
        }
        index++;
      }
      count = index;
    }

    void delete() {
      deleted = true;
      partitions.values().forEach(InMemoryPartition::delete);
      partitions.values().forEach(partition -> storage.delete(partition.id()));
    }

    void close() {
      partitions.values().forEach(InMemoryPartition::close);
    }

    @Override
    public UUID id() {
      return id;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public int partitionCount() {
      return count;
    }

    @Override
    public @Nullable Partition partition(int index) {
      return partitions.get(index);
    }

    @Override
    public boolean deleted() {
      return deleted;
    }
  }
}
