package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogStorage;
import io.takhin.broker.partition.ReplicaState.Unopened;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The replicas of this broker, as the metadata wants them: follows the image, opens and deletes
/// logs, and finds topics by name and id.
///
/// Threading: lookups from any thread, without a lock. The metadata's thread changes what is there,
/// and workers that open a log which found no room before: one at a time, under a lock.
final class LocalPartitions implements PartitionService, MetadataListener {
  private static final Logger log = LoggerFactory.getLogger(LocalPartitions.class);

  private final PluginContext context;
  private final Cluster cluster;
  private final LogStorage storage;
  private final ParkedSweep sweep;
  private final Reopening reopening;
  private final CoordinatorQuestions questions;
  private final Map<String, LocalTopic> byName = new ConcurrentHashMap<>();
  private final Map<UUID, LocalTopic> byId = new ConcurrentHashMap<>();
  private final Collection<Topic> topics = Collections.unmodifiableCollection(byId.values());
  private final CompletableFuture<@Nullable Void> firstImage = new CompletableFuture<>();
  private final ReentrantLock changing = new ReentrantLock();
  private @Nullable MetadataImage current; // guarded by changing
  private volatile boolean closed;

  LocalPartitions(PluginContext context) {
    this.context = context;
    this.cluster = context.service(Cluster.class);
    this.storage = context.service(LogStorage.class);
    this.sweep = new ParkedSweep(context);
    this.reopening = new Reopening(context, this::reopen);
    this.questions = new CoordinatorQuestions(context);
  }

  @Override
  public void start() {
    PartitionStatus status = new PartitionStatus(byId.values(), firstImage);
    context.health(status);
    status.register(context.metrics());
    cluster.subscribe(this);
    try {
      firstImage.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR, "interrupted while logs were opened", e);
    } catch (ExecutionException e) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          "the logs of this broker's partitions could not be opened: " + e.getCause(),
          e.getCause());
    }
  }

  @Override
  public void changed(MetadataImage image, MetadataImage before, List<MetadataRecord> records) {
    changing.lock();
    try {
      current = image;
      follow(image, records);
    } finally {
      changing.unlock();
    }
  }

  private void follow(MetadataImage image, List<MetadataRecord> records) {
    if (closed) {
      return;
    }
    if (firstImage.isDone()) {
      apply(image, touched(image, records));
      return;
    }
    try {
      List<TopicPartition> found = storage.existing();
      apply(image, image.topicsById().keySet());
      removeStrays(found, image);
      log.info("{} topics, {} logs are open", byId.size(), storage.existing().size());
      firstImage.complete(null);
    } catch (RuntimeException e) {
      // Told by start(), which waits for it: it names what happened, and the broker does not start.
      closed = true;
      firstImage.completeExceptionally(e);
    }
  }

  /// The topics that a delta is about; all, if an image came without one, from a snapshot.
  private Set<UUID> touched(MetadataImage image, List<MetadataRecord> records) {
    Set<UUID> ids = new LinkedHashSet<>();
    if (records.isEmpty()) {
      ids.addAll(byId.keySet());
      ids.addAll(image.topicsById().keySet());
    }
    for (MetadataRecord record : records) {
      switch (record) {
        case MetadataRecord.TopicCreated created -> ids.add(created.id());
        case MetadataRecord.TopicDeleted deleted -> ids.add(deleted.id());
        case MetadataRecord.PartitionChanged changed -> ids.add(changed.topicId());
        case MetadataRecord.ConfigChanged changed -> addTouched(ids, image, changed.resource());
        case MetadataRecord.ClusterCreated ignored -> {}
        case MetadataRecord.BrokerRegistered ignored -> {}
        case MetadataRecord.ProducerIdsAllocated ignored -> {}
        case MetadataRecord.FeatureFinalized ignored -> {}
      }
    }
    return ids;
  }

  /// A broker's config may be the default of every topic's.
  private void addTouched(Set<UUID> ids, MetadataImage image, ConfigResource resource) {
    if (resource.type() == ConfigResource.Type.BROKER) {
      ids.addAll(byId.keySet());
    } else if (resource.type() == ConfigResource.Type.TOPIC) {
      TopicImage topic = image.topic(resource.name());
      if (topic != null) {
        ids.add(topic.id());
      }
    }
  }

  /// Deletes first, since a topic may have been made again under its name; then opens all logs that
  /// are missing at a time; then tells each replica what it is, and shows the topics.
  private void apply(MetadataImage image, Collection<UUID> ids) {
    List<TopicChange> changes = new ArrayList<>();
    List<Runnable> opens = new ArrayList<>();
    for (UUID id : ids) {
      TopicImage topic = image.topic(id);
      if (topic == null) {
        delete(id);
      }
    }
    for (UUID id : ids) {
      TopicImage topic = image.topic(id);
      if (topic != null) {
        changes.add(prepare(image, topic, opens));
      }
    }
    LogOpening.all(opens, context.blocking());
    changes.forEach(this::show);
  }

  private TopicChange prepare(MetadataImage image, TopicImage topic, List<Runnable> opens) {
    TopicSettings settings = settings(image, topic);
    LocalTopic local = byId.get(topic.id());
    LocalTopic handle = local == null ? new LocalTopic(topic.id(), topic.name()) : local;
    @Nullable Replica[] replicas = new Replica[topic.partitions().size()];
    Map<Replica, TopicPartition> leaving = new LinkedHashMap<>();
    for (int i = 0; i < replicas.length; i++) {
      Replica replica = handle.replica(i);
      TopicPartition id = new TopicPartition(topic.id(), topic.name(), i);
      boolean here = topic.partitions().get(i).replicas().contains(cluster.nodeId());
      if (here && replica == null) {
        Replica opened = new Replica(id, storage, sweep, questions, cluster.nodeId());
        opens.add(() -> opened.open(settings));
        replica = opened;
      }
      if (!here && replica != null) {
        leaving.put(replica, id);
      }
      replicas[i] = here ? replica : null;
    }
    return new TopicChange(handle, topic.partitions(), settings, replicas, leaving);
  }

  private TopicSettings settings(MetadataImage image, TopicImage topic) {
    return TopicSettings.of(
        topic.name(), cluster.topicConfig(image, topic.name()), storage.defaults());
  }

  /// Opens a log that found no room before, if it is still wanted.
  ///
  /// @return whether it need not be tried again
  private boolean reopen(Replica replica) {
    changing.lock();
    try {
      MetadataImage image = current;
      UUID id = replica.id().topicId();
      TopicImage topic = image == null ? null : image.topic(id);
      LocalTopic local = byId.get(id);
      int index = replica.id().partition();
      if (closed
          || image == null
          || topic == null
          || local == null
          || !replica.equals(local.replica(index))
          || !(replica.state() instanceof Unopened)) {
        return true;
      }
      TopicSettings settings = settings(image, topic);
      boolean done = replica.open(settings);
      if (done) {
        replica.apply(topic.partitions().get(index), settings);
      }
      return done;
    } finally {
      changing.unlock();
    }
  }

  private void show(TopicChange change) {
    for (int i = 0; i < change.replicas.length; i++) {
      Replica replica = change.replicas[i];
      if (replica != null) {
        replica.apply(change.states.get(i), change.settings);
        if (replica.state() instanceof Unopened && !replica.equals(change.topic.replica(i))) {
          reopening.add(replica);
        }
      }
    }
    LocalTopic topic = change.topic;
    topic.show(change.replicas);
    byName.put(topic.name(), topic);
    byId.put(topic.id(), topic);
    change.leaving.forEach(
        (replica, id) -> {
          replica.gone(ErrorCode.NOT_LEADER_OR_FOLLOWER, "the replica moved to another broker");
          deleteLog(id);
        });
  }

  private void delete(UUID id) {
    LocalTopic topic = byId.remove(id);
    if (topic == null) {
      return;
    }
    byName.remove(topic.name(), topic);
    topic.markDeleted();
    for (int i = 0; i < topic.partitionCount(); i++) {
      Replica replica = topic.replica(i);
      if (replica != null) {
        replica.gone(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "the topic was deleted");
        deleteLog(replica.id());
      }
    }
  }

  /// A log that cannot be deleted is found again at the next start; the metadata must go on.
  private void deleteLog(TopicPartition partition) {
    try {
      storage.delete(partition);
    } catch (TakhinException e) {
      log.error("the log of {} stays on disk: {}", partition, e.getMessage(), e);
    }
  }

  /// Deletes the logs that were on disk before and belong to no replica of the image: their topics
  /// were deleted while this broker was down. Not if the metadata has no topic at all: then it is
  /// more likely that the metadata was lost or that its directory is the wrong one, and a log that
  /// is deleted cannot be had back.
  private void removeStrays(List<TopicPartition> found, MetadataImage image) {
    List<TopicPartition> strays = new ArrayList<>();
    for (TopicPartition partition : found) {
      LocalTopic topic = byId.get(partition.topicId());
      if (topic == null || topic.replica(partition.partition()) == null) {
        strays.add(partition);
      }
    }
    if (strays.isEmpty()) {
      return;
    }
    if (image.topicsById().isEmpty()) {
      log.error(
          "{} logs are on disk, and the cluster has no topics: they are left as they are, beginning"
              + " with {}. If the metadata directory is the right one, remove them by hand",
          strays.size(),
          strays.getFirst());
      return;
    }
    for (TopicPartition stray : strays) {
      log.warn("deleting the log of {}: its topic {} is gone", stray, stray.topicId());
      deleteLog(stray);
    }
  }

  @Override
  public @Nullable Topic topic(String name) {
    return byName.get(name);
  }

  @Override
  public @Nullable Topic topic(UUID id) {
    return byId.get(id);
  }

  @Override
  public Collection<Topic> topics() {
    return topics;
  }

  /// Gives group commits that somebody waits for their last chance.
  @Override
  public void drain() {
    forEachReplica(
        replica -> {
          try {
            replica.flushForParked();
          } catch (TakhinException e) {
            log.warn("{} could not be flushed at the end: {}", replica.id(), e.getMessage(), e);
          }
        });
  }

  /// Answers who still waits. The cluster has no way to be told that nobody listens; what it says
  /// later is not heard.
  @Override
  public void close() {
    closed = true;
    sweep.close();
    reopening.close();
    forEachReplica(
        replica -> replica.gone(ErrorCode.NOT_LEADER_OR_FOLLOWER, "the broker is closing"));
  }

  private void forEachReplica(java.util.function.Consumer<Replica> action) {
    for (LocalTopic topic : byId.values()) {
      for (int i = 0; i < topic.partitionCount(); i++) {
        Replica replica = topic.replica(i);
        if (replica != null) {
          action.accept(replica);
        }
      }
    }
  }

  /// A topic on its way from one image to the next.
  ///
  /// @param leaving replicas that are here and must not be
  private record TopicChange(
      LocalTopic topic,
      List<PartitionState> states,
      TopicSettings settings,
      @Nullable Replica[] replicas,
      Map<Replica, TopicPartition> leaving) {}
}
