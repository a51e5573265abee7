package io.takhin.cluster.raft;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.ClusterCreated;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.storage.LogStorage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The cluster of one broker, over its metadata log.
///
/// It holds no state of its own but what the log says: requests become decisions
/// ([TopicDecisions], [ConfigDecisions]), which become appends ([Proposals]).
final class RaftCluster implements Cluster {
  private static final Logger LOG = LoggerFactory.getLogger(RaftCluster.class);
  private static final int PRODUCER_ID_BLOCK = 1000;
  private static final long CLOSE_WAIT_MS = 5_000;

  private final RaftClusterConfig config;
  private final PluginContext context;
  private final RaftStorageDirectory directory;
  private final ExecutorService decide;
  private final ExecutorService replies;
  private final RaftQuorum quorum;
  private final Proposals proposals;
  private @Nullable TopicDecisions topicDecisions;
  private @Nullable ConfigDecisions configDecisions;
  private @Nullable ConfigView view;

  RaftCluster(RaftClusterConfig config, PluginContext context) {
    this.config = config;
    this.context = context;
    this.directory = new RaftStorageDirectory(config.dataDir(), config.brokerId());
    this.decide = Executors.newSingleThreadExecutor(context.threads("decide"));
    // As many as wait on each other: a future's dependents may wait for the next append.
    this.replies = Executors.newCachedThreadPool(context.threads("reply"));
    this.quorum = new RaftQuorum(config, context, directory, replies);
    this.proposals = new Proposals(quorum, decide);
  }

  @Override
  public void start() {
    long started = context.nanoTime();
    LogStorage storage = context.service(LogStorage.class);
    StaticConfigs statics = StaticConfigs.of(config, storage.defaults(), context.configuration());
    ConfigView configView = new ConfigView(config.brokerId(), statics);
    view = configView;
    configDecisions = new ConfigDecisions(statics);
    topicDecisions =
        new TopicDecisions(
            config.numPartitions(),
            config.defaultReplicationFactor(),
            config.maxPartitionsPerTopic(),
            RaftCluster::newTopicId,
            (image, own) -> configView.topic(image, own, null));

    directory.check(storage.existing().size());
    directory.create();
    quorum.start();
    checkSame();
    await(this::missing);
    if (!directory.hasCluster()) {
      directory.claim(clusterId());
    }
    observe();
    LOG.info(
        "metadata of cluster {} at offset {} is ready, {} topics, {} ms",
        clusterId(),
        image().offset(),
        image().topicsById().size(),
        TimeUnit.NANOSECONDS.toMillis(context.nanoTime() - started));
  }

  /// The metadata must be of the cluster of this directory.
  private void checkSame() {
    if (!directory.hasCluster()) {
      return;
    }
    if (image().clusterId().isEmpty()) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "the metadata log in "
              + quorum.path()
              + " is empty, though a cluster was made here: restore it from a backup");
    }
    if (!directory.clusterId().equals(clusterId())) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "the metadata log in %s is of cluster %s, and %s of cluster %s: the two do not belong together. Restore both from one backup"
              .formatted(quorum.path(), clusterId(), directory.nodeFile(), directory.clusterId()));
    }
  }

  /// What the metadata lacks at a start, in one append: the cluster, if there is none yet, levels
  /// of its features, and where this broker is reached, if that is news.
  private Decision<Boolean> missing(MetadataImage image) {
    List<MetadataRecord> records = new ArrayList<>();
    if (image.clusterId().isEmpty()) {
      records.add(new ClusterCreated(newClusterId()));
    }
    records.addAll(FeatureDecisions.missing(image));
    Broker self =
        new Broker(
            config.brokerId(),
            List.of(new Endpoint("PLAINTEXT", config.advertisedHost(), config.advertisedPort())),
            null);
    if (!self.equals(image.brokers().get(self.id()))) {
      records.add(new BrokerRegistered(self));
    }
    return new Decision<>(records, true);
  }

  private void observe() {
    context.health(new QuorumHealth());
    context
        .metrics()
        .gauges(
            "takhin_metadata_offset",
            "Records in the metadata as this broker has applied it.",
            sink -> sink.value(image().offset()));
    context
        .metrics()
        .gauges(
            "takhin_metadata_leader",
            "Id of the broker that leads the metadata quorum, -1 for none.",
            sink -> sink.value(quorum.state().leader()));
    context
        .metrics()
        .gauges(
            "takhin_metadata_epoch",
            "Epoch of the metadata quorum.",
            sink -> sink.value(quorum.state().epoch()));
    context
        .metrics()
        .gauges(
            "takhin_metadata_topics", "Topics.", sink -> sink.value(image().topicsById().size()));
    context
        .metrics()
        .counters(
            "takhin_metadata_conflicts_total",
            "Appends to the metadata that lost a race and were decided again.",
            sink -> sink.value(proposals.conflicts()));
  }

  private <R> R await(Function<MetadataImage, Decision<R>> decider) {
    try {
      return proposals.propose(decider).get(config.startTimeoutMs(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TakhinException(ErrorCode.UNKNOWN_SERVER_ERROR, "the start was interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "the metadata log in " + quorum.path() + " could not be written: " + cause,
          cause);
    }
  }

  /// 16 random bytes in URL-safe base64, as Kafka has it. A leading dash would look like a flag.
  private static String newClusterId() {
    String id;
    do {
      UUID uuid = UUID.randomUUID();
      byte[] bytes =
          ByteBuffer.allocate(16)
              .putLong(uuid.getMostSignificantBits())
              .putLong(uuid.getLeastSignificantBits())
              .array();
      id = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    } while (id.startsWith("-"));
    return id;
  }

  /// Kafka keeps the ids 0 and 1 for itself; a random one of version 4 is neither.
  private static UUID newTopicId() {
    return UUID.randomUUID();
  }

  @Override
  public int nodeId() {
    return config.brokerId();
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

  /// Takes a snapshot now; completes with its index in Ratis' log.
  CompletableFuture<Long> takeSnapshot() {
    return quorum.takeSnapshot();
  }

  @Override
  public void subscribe(MetadataListener listener) {
    quorum.subscribe(listener);
  }

  private static <T> T started(@Nullable T part) {
    if (part == null) {
      throw new IllegalStateException("the cluster is not started");
    }
    return part;
  }

  @Override
  public CompletableFuture<List<TopicResult>> createTopics(
      List<NewTopic> topics, boolean validateOnly) {
    TopicDecisions decisions = started(topicDecisions);
    List<NewTopic> wanted = List.copyOf(topics);
    return proposals.propose(image -> decisions.createTopics(image, wanted, validateOnly));
  }

  @Override
  public CompletableFuture<List<Result>> deleteTopics(List<UUID> topics) {
    TopicDecisions decisions = started(topicDecisions);
    List<UUID> ids = List.copyOf(topics);
    return proposals.propose(image -> decisions.deleteTopics(image, ids));
  }

  @Override
  public CompletableFuture<List<Result>> createPartitions(
      List<NewPartitions> partitions, boolean validateOnly) {
    TopicDecisions decisions = started(topicDecisions);
    List<NewPartitions> wanted = List.copyOf(partitions);
    return proposals.propose(image -> decisions.createPartitions(image, wanted, validateOnly));
  }

  @Override
  public CompletableFuture<List<Result>> alterConfigs(
      List<ConfigChanges> changes, boolean validateOnly) {
    ConfigDecisions decisions = started(configDecisions);
    List<ConfigChanges> wanted = List.copyOf(changes);
    return proposals.propose(image -> decisions.alter(image, wanted, validateOnly));
  }

  @Override
  public @Nullable List<ConfigEntry> describeConfigs(
      ConfigResource resource, @Nullable List<String> keys) {
    return started(view).describe(image(), resource, keys);
  }

  @Override
  public Map<String, String> topicConfig(MetadataImage image, String topic) {
    return started(view).topicConfig(image, topic);
  }

  @Override
  public CompletableFuture<List<Result>> updateFeatures(
      List<FeatureUpdate> updates, boolean validateOnly) {
    List<FeatureUpdate> wanted = List.copyOf(updates);
    return proposals.propose(image -> FeatureDecisions.update(image, wanted, validateOnly));
  }

  @Override
  public CompletableFuture<ProducerIdBlock> allocateProducerIds() {
    return proposals.propose(
        image -> {
          long first = image.nextProducerId();
          List<MetadataRecord> records = new ArrayList<>();
          records.add(
              new ProducerIdsAllocated(
                  config.brokerId(), Math.addExact(first, (long) PRODUCER_ID_BLOCK)));
          return new Decision<>(records, new ProducerIdBlock(first, PRODUCER_ID_BLOCK));
        });
  }

  @Override
  public void close() {
    decide.shutdown();
    try {
      quorum.close();
    } finally {
      replies.shutdown();
      awaitEnd(decide);
      awaitEnd(replies);
    }
  }

  private static void awaitEnd(ExecutorService executor) {
    try {
      if (!executor.awaitTermination(CLOSE_WAIT_MS, TimeUnit.MILLISECONDS)) {
        executor.shutdownNow();
      }
    } catch (InterruptedException e) {
      executor.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private final class QuorumHealth implements HealthCheck {
    @Override
    public String name() {
      return "quorum";
    }

    @Override
    public Health check() {
      if (quorum.isHealthy()) {
        return Health.healthy();
      }
      String why = quorum.failureMessage();
      return new Health(
          Status.UNHEALTHY,
          why == null
              ? "the metadata quorum has no leader"
              : "the metadata quorum failed: " + why + "; restart the broker");
    }
  }
}
