package io.takhin.cluster.raft;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.HealthCheck.Status;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.Cluster.FeatureUpdate;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is on disk, and what a start makes of it.
class RestartTest {
  @TempDir Path dir;
  private final TestContext context = TestClusters.context();

  @AfterEach
  void closeContext() {
    context.close();
  }

  private RaftCluster start() {
    return start(dir);
  }

  private RaftCluster start(Path dataDir) {
    return TestClusters.started(TestClusters.config(dataDir), context);
  }

  private RaftCluster start(int snapshotThreshold) {
    return TestClusters.started(
        TestClusters.config(dir, 1, "localhost", 9092, snapshotThreshold), context);
  }

  private Path group(Path dataDir) {
    return dataDir
        .resolve("__metadata")
        .resolve("raft")
        .resolve(RaftStorageDirectory.GROUP.toString());
  }

  private List<Path> files(Path directory, String prefix) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(file -> file.getFileName().toString().startsWith(prefix)).sorted().toList();
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else if (!path.endsWith("in_use.lock")) {
          Files.copy(path, target);
        }
      }
    }
  }

  @Test
  void aFeatureThatWasSwitchedOffStaysOff() {
    try (RaftCluster first = start()) {
      assertEquals(2, first.image().feature("transaction.version"));
      FeatureUpdate off = new FeatureUpdate("transaction.version", (short) 0, true);
      assertEquals(
          List.of(Result.OK),
          first.updateFeatures(List.of(off), false).orTimeout(20, SECONDS).join());
    }
    try (RaftCluster second = start()) {
      assertEquals(0, second.image().feature("transaction.version"));
    }
  }

  @Test
  void aClusterFromBeforeAFeatureGetsIt() {
    assertEquals(
        java.util.Set.of(
            new MetadataRecord.FeatureFinalized("group.version", (short) 0),
            new MetadataRecord.FeatureFinalized("transaction.version", (short) 2)),
        java.util.Set.copyOf(FeatureDecisions.missing(MetadataImage.EMPTY)));
  }

  @Test
  void aSnapshotWhoseDigestCannotBeWrittenStopsNothing() throws IOException {
    try (RaftCluster cluster = start(3)) {
      Path snapshots = group(dir).resolve("sm");
      for (int index = 20; index < 200; index++) {
        Files.createDirectory(snapshots.resolve("snapshot.1_" + index + ".md5.tmp"));
      }
      for (int i = 0; i < 30; i++) {
        TestClusters.create(cluster, "topic-" + i, 1);
      }
      assertEquals(30, cluster.image().topicsById().size());
    }
  }

  /// Found by killing a broker at each change of its metadata: no later start succeeded.
  @Test
  void aFirstStartThatEndedHalfwayIsBegunAnew() throws IOException {
    Files.createDirectories(group(dir).resolve("current"));
    Files.createFile(group(dir).resolve("in_use.lock"));
    Files.createFile(group(dir).resolve("current").resolve("raft-meta.tmp"));
    try (RaftCluster first = start()) {
      assertEquals(2, first.image().feature("transaction.version"));
    }
  }

  @Test
  void aRestartFindsEverythingAgain() {
    MetadataImage before;
    try (RaftCluster cluster = start()) {
      TestClusters.create(cluster, "orders", 3);
      cluster
          .alterConfigs(
              List.of(
                  new ConfigChanges(
                      new ConfigResource(ConfigResource.Type.TOPIC, "orders"),
                      List.of(new ConfigChanges.Change("retention.ms", ConfigChanges.Op.SET, "1")),
                      false)),
              false)
          .join();
      cluster.allocateProducerIds().join();
      before = cluster.image();
    }
    try (RaftCluster cluster = start()) {
      // Equal: the same cluster id, and this broker was not registered a second time.
      assertEquals(before, cluster.image());
      assertEquals(1000, cluster.allocateProducerIds().join().first());
    }
  }

  @Test
  void aCrashLosesNothingThatWasAcknowledged() throws IOException {
    Path copy = dir.resolve("copy");
    Path original = dir.resolve("original");
    MetadataImage acknowledged;
    try (RaftCluster cluster = start(original)) {
      for (int i = 0; i < 30; i++) {
        TestClusters.create(cluster, "topic-" + i, 2);
      }
      acknowledged = cluster.image();
      // What a process that is killed here leaves behind.
      copy(original, copy);
    }
    try (RaftCluster cluster = start(copy)) {
      assertEquals(acknowledged, cluster.image());
      TestClusters.create(cluster, "after", 1);
    }
  }

  @Test
  void aTornTailIsCutAndWhatWasBeforeItKept() throws IOException {
    Path copy = dir.resolve("copy");
    Path original = dir.resolve("original");
    MetadataImage acknowledged;
    try (RaftCluster cluster = start(original)) {
      TestClusters.create(cluster, "orders", 2);
      acknowledged = cluster.image();
      copy(original, copy);
    }
    Path open = files(group(copy).resolve("current"), "log_inprogress_").getLast();
    // The beginning of an entry, as a write that was cut off leaves it.
    long end = endOfEntries(open);
    try (FileChannel channel = FileChannel.open(open, StandardOpenOption.WRITE)) {
      channel.truncate(end);
      channel.write(ByteBuffer.wrap(new byte[] {40, 8, 1, 16}), end);
    }
    try (RaftCluster cluster = start(copy)) {
      assertEquals(acknowledged, cluster.image());
    }
  }

  @Test
  void anEntryThatWasNotWrittenWholeIsCutOffTheEnd() throws IOException {
    Path copy = dir.resolve("copy");
    Path original = dir.resolve("original");
    MetadataImage acknowledged;
    try (RaftCluster cluster = start(original)) {
      TestClusters.create(cluster, "orders", 2);
      acknowledged = cluster.image();
      copy(original, copy);
    }
    Path open = files(group(copy).resolve("current"), "log_inprogress_").getLast();
    // An entry of 9 bytes of which a power failure left 3, with no checksum, in a larger file.
    long end = endOfEntries(open);
    try (FileChannel channel = FileChannel.open(open, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {9, 8, 1, 16}), end);
      channel.write(ByteBuffer.wrap(new byte[1]), end + 1000);
    }
    try (RaftCluster cluster = start(copy)) {
      assertEquals(acknowledged, cluster.image());
    }
  }

  private static long endOfEntries(Path segment) throws IOException {
    byte[] bytes = Files.readAllBytes(segment);
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == 0) {
      end--;
    }
    return end;
  }

  @Test
  void aSnapshotIsTakenTheLogBeforeItDeletedAndTheTailReplayed() throws Exception {
    MetadataImage before;
    try (RaftCluster cluster = start()) {
      for (int i = 0; i < 20; i++) {
        TestClusters.create(cluster, "early-" + i, 2);
      }
    }
    try (RaftCluster cluster = start()) { // a new epoch: the segment before it is closed
      TestClusters.create(cluster, "middle", 2);
      long index = cluster.takeSnapshot().get();
      assertTrue(index > 20, "index " + index);
      TestClusters.create(cluster, "late", 2);
      before = cluster.image();
    }
    assertEquals(
        1,
        files(group(dir).resolve("sm"), "snapshot.").stream()
            .filter(file -> !file.toString().endsWith(".md5"))
            .count());
    assertTrue(
        files(group(dir).resolve("current"), "log_0-").isEmpty(),
        "the closed segment is in the snapshot, and should be gone: "
            + files(group(dir).resolve("current"), "log_"));
    try (RaftCluster cluster = start()) {
      assertEquals(before, cluster.image());
      assertNotNull(cluster.image().topic("early-0"));
      assertNotNull(cluster.image().topic("late"));
    }
  }

  @Test
  void whoSubscribedBeforeTheStartSeesTheSnapshotAndTheTail() throws Exception {
    try (RaftCluster cluster = start()) {
      TestClusters.create(cluster, "early", 1);
      cluster.takeSnapshot().get();
      TestClusters.create(cluster, "late", 1);
    }
    java.util.Set<String> seen = java.util.concurrent.ConcurrentHashMap.newKeySet();
    try (RaftCluster cluster =
        (RaftCluster) new RaftClusterProvider().create(TestClusters.config(dir), context)) {
      cluster.subscribe((image, before, records) -> seen.addAll(image.topicsByName().keySet()));
      cluster.start();
      assertEquals(java.util.Set.of("early", "late"), seen);
    }
  }

  @Test
  void theThresholdTakesSnapshotsByItself() throws Exception {
    MetadataImage before;
    try (RaftCluster cluster = start(10)) {
      for (int i = 0; i < 60; i++) {
        TestClusters.create(cluster, "topic-" + i, 1);
      }
      before = cluster.image();
    }
    List<Path> snapshots =
        files(group(dir).resolve("sm"), "snapshot.").stream()
            .filter(file -> !file.toString().endsWith(".md5"))
            .toList();
    assertFalse(snapshots.isEmpty());
    assertTrue(snapshots.size() <= 3, snapshots.toString());
    try (RaftCluster cluster = start(10)) {
      assertEquals(before, cluster.image());
    }
  }

  @Test
  void aDamagedSnapshotIsNamedAndTheStartRefused() throws Exception {
    try (RaftCluster cluster = start()) {
      TestClusters.create(cluster, "orders", 2);
      cluster.takeSnapshot().get();
    }
    Path snapshot =
        files(group(dir).resolve("sm"), "snapshot.").stream()
            .filter(file -> !file.toString().endsWith(".md5"))
            .findFirst()
            .orElseThrow();
    byte[] bytes = Files.readAllBytes(snapshot);
    bytes[bytes.length / 2] ^= 1;
    Files.write(snapshot, bytes);

    TakhinException e = assertThrows(TakhinException.class, this::start);

    assertTrue(
        TestClusters.message(e).contains(snapshot.getFileName().toString()),
        TestClusters.message(e));
  }

  @Test
  void aDamagedLogIsNamedAndTheStartRefused() throws IOException {
    try (RaftCluster cluster = start()) {
      for (int i = 0; i < 20; i++) {
        TestClusters.create(cluster, "early-" + i, 2);
      }
    }
    try (RaftCluster cluster = start()) {
      TestClusters.create(cluster, "late", 2);
    }
    Path closed = files(group(dir).resolve("current"), "log_0-").getFirst();
    byte[] bytes = Files.readAllBytes(closed);
    bytes[bytes.length / 2] ^= 1;
    Files.write(closed, bytes);

    TakhinException e = assertThrows(TakhinException.class, this::start);

    assertTrue(
        TestClusters.message(e).contains(closed.getFileName().toString()), TestClusters.message(e));
  }

  @Test
  void aMetadataLogThatIsGoneIsNotBegunAnew() throws IOException {
    try (RaftCluster cluster = start()) {
      TestClusters.create(cluster, "orders", 2);
    }
    try (Stream<Path> all = Files.walk(group(dir))) {
      for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }

    TakhinException e = assertThrows(TakhinException.class, this::start);

    assertTrue(TestClusters.message(e).contains("backup"), TestClusters.message(e));
    assertFalse(Files.exists(group(dir)), "a refused start must not write");
  }

  @Test
  void logsWithoutMetadataAreRefused() {
    InMemoryLogStorage storage = new InMemoryLogStorage();
    storage.open(
        new TopicPartition(UUID.randomUUID(), "orders", 0),
        storage.defaults(),
        new io.takhin.testkit.storage.CapturedProgress());
    context.provide(LogStorage.class, storage);

    TakhinException e = assertThrows(TakhinException.class, this::start);

    assertTrue(
        TestClusters.message(e).contains("1 partition logs but no metadata"),
        TestClusters.message(e));
  }

  /// R3: each field of `node.properties`, with one character changed.
  @ParameterizedTest
  @ValueSource(strings = {"version=", "node.id=", "cluster.id="})
  void aChangedNodeFileIsNamedAndTheStartRefused(String field) throws IOException {
    start().close();
    Path file = dir.resolve("__metadata").resolve("node.properties");
    byte[] bytes = Files.readAllBytes(file);
    int value = Files.readString(file).indexOf("\n" + field) + 1 + field.length();
    bytes[value] ^= 1;
    Files.write(file, bytes);

    TakhinException e = assertThrows(TakhinException.class, this::start);

    assertTrue(TestClusters.message(e).contains(file.toString()), TestClusters.message(e));
  }

  @Test
  void theDirectoryOfAnotherBrokerIsRefused() {
    start().close();

    TakhinException e =
        assertThrows(
            TakhinException.class,
            () ->
                TestClusters.started(
                    TestClusters.config(dir, 2, "localhost", 9092, 8192), context));

    assertTrue(TestClusters.message(e).contains("belongs to broker 1"), TestClusters.message(e));
    assertTrue(TestClusters.message(e).contains("kafka.broker.id is 2"), TestClusters.message(e));
  }

  @Test
  void aNewAdvertisedAddressIsWrittenDown() {
    String clusterId;
    try (RaftCluster cluster = start()) {
      clusterId = cluster.clusterId();
    }
    try (RaftCluster cluster =
        TestClusters.started(TestClusters.config(dir, 1, "broker.example", 19092, 8192), context)) {
      assertEquals(clusterId, cluster.clusterId());
      MetadataRecord.Broker self = cluster.image().brokers().get(1);
      assertNotNull(self);
      assertEquals("broker.example", self.endpoints().getFirst().host());
    }
  }

  @Test
  void twoBrokersCannotShareADirectory() {
    try (RaftCluster cluster = start()) {
      assertNotNull(cluster.clusterId());
      TakhinException e = assertThrows(TakhinException.class, this::start);
      assertTrue(
          TestClusters.message(e).toLowerCase(java.util.Locale.ROOT).contains("lock"),
          TestClusters.message(e));
    }
  }

  @Test
  void aListenerThatThrowsEndsTheBroker() {
    try (RaftCluster cluster = start()) {
      cluster.subscribe(
          (image, before, records) -> {
            if (image.topic("bad") != null) {
              throw new IllegalStateException("no disk left");
            }
          });

      assertThrows(RuntimeException.class, () -> TestClusters.create(cluster, "bad", 1));

      assertTrue(context.fatals().getFirst().reason().contains("no disk left"));
      assertEquals(Status.UNHEALTHY, context.healthChecks().getLast().check().status());
    }
  }

  @Test
  void healthAndMetricsTellOfTheQuorum() {
    try (RaftCluster cluster = start()) {
      TestClusters.create(cluster, "orders", 2);
      assertEquals(Status.HEALTHY, context.healthChecks().getLast().check().status());
      assertEquals("quorum", context.healthChecks().getLast().name());
      assertEquals(
          (double) cluster.image().offset(), context.metrics().value("takhin_metadata_offset"));
      assertEquals(1.0, context.metrics().value("takhin_metadata_leader"));
    }
  }

  @Test
  void nothingOfOursRunsAfterClose() throws InterruptedException {
    start().close();
    for (Thread thread : context.liveThreads()) {
      if (!thread.getName().contains("scheduler")) {
        thread.join(5_000); // a pool is terminated a moment before its last thread is
        assertFalse(thread.isAlive(), thread.getName());
      }
    }
  }
}
