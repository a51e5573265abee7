package io.takhin.broker.partition;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.codec.Codecs;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.partition.PartitionWatcher;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.storage.local.LocalStorageConfig;
import io.takhin.storage.local.LocalStorageProvider;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.codec.GzipOnlyCodecs;
import io.takhin.testkit.partition.CapturedProduce;
import io.takhin.testkit.storage.Batches;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The partitions over the real log, with real threads and a real disk.
class PartitionsOnDiskTest {
  @TempDir Path directory;

  private final InMemoryCluster cluster = new InMemoryCluster();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private TestContext context = TestContext.simulated().build();
  private LogStorage storage = new LaggingLog.Storage();
  private PartitionService service = new LocalPartitions(context(storage));

  private TestContext context(LogStorage logs) {
    return TestContext.simulated()
        .service(Cluster.class, cluster)
        .service(LogStorage.class, logs)
        .build();
  }

  private void startBroker() {
    context =
        TestContext.real()
            .service(Cluster.class, cluster)
            .service(Codecs.class, new GzipOnlyCodecs())
            .build();
    LocalStorageConfig config =
        new LocalStorageConfig(
            directory,
            1 << 20,
            168,
            0,
            300_000,
            1000,
            10_000,
            true,
            1 << 20,
            "relaxed",
            256,
            86_400_000);
    storage = new LocalStorageProvider().create(config, context);
    storage.start();
    context.provide(LogStorage.class, storage);
    service = new PartitionProvider().create(new PartitionConfig(), context);
    service.start();
  }

  private void stopBroker() {
    service.drain();
    storage.drain();
    service.close();
    storage.close();
    context.close();
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
    stopBroker();
  }

  @Test
  void everythingIsThereAfterARestart() throws Exception {
    startBroker();
    cluster.createTopic("t", 2);
    produceFromFourThreads("t", 500);
    Set<String> before = readValues(partition("t", 0));
    assertEquals(2000, before.size());
    partition("t", 0).deleteRecords(100);
    stopBroker();
    startBroker();
    Partition partition = partition("t", 0);
    assertEquals(2000, partition.highWatermark());
    assertEquals(2000, partition.logEndOffset());
    assertEquals(100, partition.logStartOffset());
    assertEquals(1900, readValues(partition).size());
    assertEquals(0, partition("t", 1).logEndOffset());
    CapturedProduce next = CapturedProduce.append(partition, Batches.of("next"));
    assertEquals(2000, next.await().baseOffset());
  }

  @Test
  void groupCommitAcknowledgesAll() throws Exception {
    startBroker();
    cluster.createTopics(
        List.of(new NewTopic("d", 1, (short) 1, Map.of(), Map.of("flush.messages", "1"))), false);
    produceFromFourThreads("d", 100);
    assertEquals(400, partition("d", 0).highWatermark());
  }

  @Test
  void aTailingReaderMissesNothing() throws Exception {
    startBroker();
    cluster.createTopic("t", 1);
    Partition partition = partition("t", 0);
    Future<Integer> reader = threads.submit(() -> tail(partition, 1200));
    produceFromFourThreads("t", 300);
    assertEquals(1200, reader.get(20, SECONDS));
  }

  @Test
  void deletedTopicsLeaveTheDiskAndComeBackEmpty() {
    startBroker();
    cluster.createTopic("t", 1);
    Topic old = topic("t");
    CapturedProduce.append(partition("t", 0), Batches.of("a")).await();
    cluster.deleteTopics(List.of(old.id())).join();
    assertTrue(old.deleted());
    assertFalse(Files.exists(directory.resolve("t-0")));
    cluster.createTopic("t", 1);
    assertEquals(0, partition("t", 0).logEndOffset());
    assertEquals(
        0, CapturedProduce.append(partition("t", 0), Batches.of("b")).await().baseOffset());
  }

  @Test
  void aWideTopicIsMadeAndFoundAgain() {
    startBroker();
    cluster.createTopic("wide", 200);
    assertEquals(200, storage.existing().size());
    stopBroker();
    startBroker();
    assertEquals(200, topic("wide").partitionCount());
    for (int i = 0; i < 200; i++) {
      assertTrue(partition("wide", i).leader());
    }
  }

  private void produceFromFourThreads(String topic, int each) throws Exception {
    Partition partition = partition(topic, 0);
    List<Future<?>> producers = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      String name = "p" + thread + "-";
      producers.add(
          threads.submit(
              () -> {
                List<CapturedProduce> inFlight = new ArrayList<>();
                for (int i = 0; i < each; i++) {
                  inFlight.add(CapturedProduce.append(partition, Batches.of(name + i)));
                }
                long last = -1;
                for (CapturedProduce produce : inFlight) {
                  assertEquals(ErrorCode.NONE, produce.await().error());
                  assertTrue(produce.await().baseOffset() > last, "order of one thread");
                  last = produce.await().baseOffset();
                }
              }));
    }
    for (Future<?> producer : producers) {
      producer.get(20, SECONDS);
    }
  }

  private static int tail(Partition partition, int records) throws InterruptedException {
    Semaphore told = new Semaphore(0);
    PartitionWatcher watcher =
        new PartitionWatcher() {
          @Override
          public void advanced(Partition of, long bytes) {
            told.release();
          }

          @Override
          public void changed(Partition of) {
            told.release();
          }
        };
    PartitionReader reader = partition.reader();
    Set<String> seen = new HashSet<>();
    long next = 0;
    partition.watch(watcher);
    while (seen.size() < records) {
      List<String> read = read(reader, next);
      if (read.isEmpty()) {
        assertTrue(told.tryAcquire(10, SECONDS), "a wake-up was lost at " + next);
      }
      next += read.size();
      seen.addAll(read);
    }
    partition.unwatch(watcher);
    return seen.size();
  }

  private static Set<String> readValues(Partition partition) {
    PartitionReader reader = partition.reader();
    Set<String> seen = new HashSet<>();
    long next = partition.logStartOffset();
    while (true) {
      List<String> read = read(reader, next);
      if (read.isEmpty()) {
        return seen;
      }
      seen.addAll(read);
      next += read.size();
    }
  }

  private static List<String> read(PartitionReader reader, long offset) {
    PartitionRead read = reader.read(offset, -1, -1, 1 << 16, true, Isolation.READ_UNCOMMITTED);
    assertEquals(ErrorCode.NONE, read.error());
    try (LogSlice slice = read.records()) {
      assertNotNull(slice);
      return slice == null || slice.sizeBytes() == 0 ? List.of() : shown(Batches.bytes(slice));
    }
  }

  private static List<String> shown(ByteBuffer batches) {
    return Batches.show(batches);
  }

  private Topic topic(String name) {
    Topic topic = service.topic(name);
    assertNotNull(topic);
    return java.util.Objects.requireNonNull(topic);
  }

  private Partition partition(String name, int index) {
    return java.util.Objects.requireNonNull(topic(name).partition(index));
  }
}
