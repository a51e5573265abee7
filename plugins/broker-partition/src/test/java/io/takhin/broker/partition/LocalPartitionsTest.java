package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck.Health;
import io.takhin.api.HealthCheck.Status;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import io.takhin.api.metrics.MetricVisitor;
import io.takhin.api.metrics.Metrics;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.CapturedProduce;
import io.takhin.testkit.partition.CountingWatcher;
import io.takhin.testkit.partition.PartitionServiceContract;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LocalPartitionsTest extends PartitionServiceContract {
  @Override
  protected PartitionService create(PluginContext context) {
    return new PartitionProvider().create(new PartitionConfig(), context);
  }

  @Test
  void gaugesAreReadWhenSomebodyScrapes() {
    cluster().register(new Broker(2, List.of(), null));
    cluster()
        .createTopics(
            List.of(new Cluster.NewTopic("t", -1, (short) -1, Map.of(0, List.of(1, 2)), Map.of())),
            false);
    append("before", "a", "b");
    partition("before", 0).deleteRecords(1);
    lead("t", 1, 1, List.of(1));
    Map<String, Double> seen = scrape();
    assertEquals(2, seen.get("takhin_partition_high_watermark[topic, before, partition, 0]"));
    assertEquals(2, seen.get("takhin_partition_log_end_offset[topic, before, partition, 0]"));
    assertEquals(1, seen.get("takhin_partition_log_start_offset[topic, before, partition, 0]"));
    assertEquals(0, seen.get("takhin_partition_log_end_offset[topic, t, partition, 0]"));
    assertEquals(3, seen.get("takhin_leader_partitions[]"));
    assertEquals(1, seen.get("takhin_under_replicated_partitions[]"));
    assertEquals(0, seen.get("takhin_offline_partitions[]"));
    storage().failDirectory("broken");
    assertEquals(3, scrape().get("takhin_offline_partitions[]"));
    assertEquals(0, scrape().get("takhin_leader_partitions[]"));
  }

  @Test
  void healthNamesWhatIsOffline() {
    assertEquals(Health.healthy(), context().healthChecks().getFirst().check());
    assertEquals("partitions", context().healthChecks().getFirst().name());
    storage().failDirectory("Input/output error");
    Health health = context().healthChecks().getFirst().check();
    assertEquals(Status.DEGRADED, health.status());
    assertTrue(String.valueOf(health.message()).contains("before-0: Input/output error"));
  }

  @Test
  void aLogThatCannotBeOpenedIsOfflineAndTheOthersWork() {
    storage().failDirectory("broken");
    cluster().createTopic("t", 1);
    Partition partition = partition("t", 0);
    assertNotNull(partition.offline());
    assertEquals(
        ErrorCode.KAFKA_STORAGE_ERROR,
        CapturedProduce.append(partition, Batches.of("a")).await().error());
    assertEquals(0, partition.logEndOffset());
    assertEquals(storage().directories().getFirst().path(), partition.directory());
    assertEquals(
        ErrorCode.KAFKA_STORAGE_ERROR,
        partition.lookup(-1, Partition.Isolation.READ_UNCOMMITTED, -1).error());
  }

  @Test
  void whatFindsNoRoomIsOpenedWhenThereIsSome() {
    storage().full(true);
    cluster().createTopic("t", 5);
    Partition partition = partition("t", 3);
    assertTrue(String.valueOf(partition.offline()).contains("no room"));
    assertEquals(
        ErrorCode.KAFKA_STORAGE_ERROR,
        CapturedProduce.append(partition, Batches.of("a")).await().error());
    assertEquals(5, scrape().get("takhin_offline_partitions[]"));
    Health health = context().healthChecks().getFirst().check();
    assertEquals(Status.DEGRADED, health.status());
    assertTrue(String.valueOf(health.message()).contains("open when there is some"), health + "");
    int opens = storage().opens();
    context().time().advanceMs(60_000);
    int attempts = storage().opens() - opens;
    assertTrue(attempts >= 5 && attempts <= 10, attempts + " attempts in a minute");
    CountingWatcher watcher = new CountingWatcher();
    partition.watch(watcher);
    storage().full(false);
    context().time().advanceMs(Reopening.MAX_DELAY_MS);
    for (int i = 0; i < 5; i++) {
      assertEquals(null, partition("t", i).offline());
      assertTrue(partition("t", i).leader());
    }
    assertTrue(watcher.changes() > 0, "who waits is told");
    assertEquals(
        ErrorCode.NONE, CapturedProduce.append(partition, Batches.of("a")).await().error());
    assertEquals(Health.healthy(), context().healthChecks().getFirst().check());
    assertEquals(0, context().time().pendingTasks());
  }

  @Test
  void whileALogWaitsForRoomTheMetadataGoesOn() {
    storage().full(true);
    cluster().createTopic("goes", 1);
    Partition gone = partition("goes", 0);
    cluster().createTopic("stays", 1);
    cluster().deleteTopics(List.of(topic("goes").id())).join();
    cluster()
        .append(
            new ConfigChanged(
                new ConfigResource(ConfigResource.Type.TOPIC, "stays"), "max.message.bytes", "70"));
    lead("stays", 1, 4, List.of(1));
    storage().full(false);
    context().time().advanceMs(Reopening.MAX_DELAY_MS);
    assertTrue(storage().existing().stream().noneMatch(each -> each.topic().equals("goes")));
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        CapturedProduce.append(gone, Batches.of("a")).await().error());
    assertEquals(4, partition("stays", 0).leaderEpoch());
    assertEquals(
        ErrorCode.MESSAGE_TOO_LARGE,
        CapturedProduce.append(partition("stays", 0), Batches.of("a".repeat(99))).await().error());
    assertEquals(0, context().time().pendingTasks());
  }

  @Test
  void aDirectoryThatFailsWhileLogsWaitForRoomIsNotTriedAgain() {
    storage().full(true);
    cluster().createTopic("t", 2);
    storage().failDirectory("Input/output error");
    context().time().advanceMs(2 * Reopening.MAX_DELAY_MS);
    int opens = storage().opens();
    storage().full(false);
    context().time().advanceMs(10 * Reopening.MAX_DELAY_MS);
    assertEquals(opens, storage().opens());
    assertTrue(String.valueOf(partition("t", 1).offline()).contains("Input/output error"));
    assertEquals(0, context().time().pendingTasks());
  }

  @Test
  void theEndIsNotHeldUpByLogsThatWaitForRoom() {
    storage().full(true);
    cluster().createTopic("t", 2);
    service().close();
    storage().full(false);
    context().time().advanceMs(2 * Reopening.MAX_DELAY_MS);
    assertTrue(storage().existing().stream().noneMatch(each -> each.topic().equals("t")));
    assertEquals(0, context().time().pendingTasks());
  }

  @Test
  void logsAreLeftAloneWhenTheMetadataSeemsLost() {
    InMemoryLogStorage found = new InMemoryLogStorage();
    found.open(new TopicPartition(new UUID(7, 7), "orders", 0), found.defaults(), new Ignored());
    PartitionService empty = started(new InMemoryCluster(), found);
    assertEquals(1, found.existing().size());
    empty.close();
  }

  @Test
  void aDefectOfTheStorageFailsTheStart() {
    InMemoryCluster cluster = new InMemoryCluster();
    cluster.createTopic("t", 1);
    TakhinException e =
        assertThrows(TakhinException.class, () -> started(cluster, new DefectiveStorage()));
    assertTrue(String.valueOf(e.getMessage()).contains("no such thing"), e.toString());
  }

  @Test
  void aBrokersConfigReachesItsTopics() {
    cluster().topicDefault("max.message.bytes", "70");
    cluster()
        .append(
            new ConfigChanged(
                new ConfigResource(ConfigResource.Type.BROKER, ""), "message.max.bytes", "70"));
    assertEquals(
        ErrorCode.MESSAGE_TOO_LARGE,
        CapturedProduce.append(partition("before", 0), Batches.of("a".repeat(99))).await().error());
  }

  @Test
  void anImageFromASnapshotIsFollowedWithoutADelta() {
    Topic before = topic("before");
    MetadataImage image = cluster().image();
    UUID id = new UUID(3, 3);
    MetadataImage restored =
        image.apply(
            List.of(
                new TopicDeleted(before.id()),
                new TopicCreated(id, "restored"),
                new PartitionChanged(id, 0, new PartitionState(List.of(1), List.of(1), 1, 4, 4))));
    ((LocalPartitions) service()).changed(restored, image, List.of());
    assertTrue(before.deleted());
    assertEquals(1, service().topics().size());
    assertEquals(4, partition("restored", 0).leaderEpoch());
    assertEquals(1, storage().existing().size());
  }

  @Test
  void nothingIsHeardAfterTheEnd() {
    service().close();
    cluster().createTopic("late", 1);
    assertEquals(null, service().topic("late"));
    assertTrue(storage().existing().stream().noneMatch(each -> each.topic().equals("late")));
  }

  @Test
  void aLogThatCannotBeDeletedDoesNotStopTheMetadata() {
    InMemoryCluster cluster = new InMemoryCluster();
    PartitionService service = started(cluster, new UndeletableStorage());
    UUID id = cluster.createTopic("t", 1).id();
    Topic topic = service.topic("t");
    cluster.deleteTopics(List.of(id)).join();
    assertTrue(topic != null && topic.deleted());
    cluster.createTopic("next", 1);
    assertNotNull(service.topic("next"));
    service.close();
  }

  private PartitionService started(Cluster cluster, LogStorage storage) {
    PartitionService service =
        create(
            TestContext.simulated()
                .service(Cluster.class, cluster)
                .service(LogStorage.class, storage)
                .build());
    service.start();
    return service;
  }

  private Map<String, Double> scrape() {
    Map<String, Double> seen = new TreeMap<>();
    context()
        .metrics()
        .visit(
            new MetricVisitor() {
              private String name = "";

              @Override
              public void family(String family, String help, Kind kind) {
                name = family;
              }

              @Override
              public void value(Labels labels, double value) {
                seen.put(name + labels.namesAndValues(), value);
              }

              @Override
              public void histogram(Labels labels, Metrics.Histogram histogram) {}
            });
    return seen;
  }

  /// Hears nothing.
  private static class Ignored implements LogListener {
    @Override
    public void committable(long endOffset, long bytes) {}

    @Override
    public void logStartAdvanced(long logStartOffset) {}

    @Override
    public void offline(String reason) {}
  }

  /// Cannot delete anything.
  private static final class UndeletableStorage extends DefectiveStorage {
    @Override
    public PartitionLog open(TopicPartition partition, LogConfig config, LogListener listener) {
      return sound.open(partition, config, listener);
    }

    @Override
    public void delete(TopicPartition partition) {
      throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, "permission denied");
    }
  }

  /// Throws what no storage should.
  private static class DefectiveStorage implements LogStorage {
    final InMemoryLogStorage sound = new InMemoryLogStorage();

    @Override
    public LogConfig defaults() {
      return sound.defaults();
    }

    @Override
    public PartitionLog open(TopicPartition partition, LogConfig config, LogListener listener) {
      throw new IllegalStateException("no such thing");
    }

    @Override
    public List<TopicPartition> existing() {
      return sound.existing();
    }

    @Override
    public void delete(TopicPartition partition) {}

    @Override
    public List<LogDirectory> directories() {
      return sound.directories();
    }

    @Override
    public void close() {}
  }
}
