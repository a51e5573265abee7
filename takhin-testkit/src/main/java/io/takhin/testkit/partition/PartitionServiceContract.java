package io.takhin.testkit.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.NewPartitions;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.EpochLookup;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.OffsetLookup;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.CapturedProduce.Outcome;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every implementation of [PartitionService] must do, over a cluster and a storage in memory
/// and a time that the test moves.
public abstract class PartitionServiceContract {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final InMemoryLogStorage storage = new InMemoryLogStorage();
  private TestContext context = TestContext.simulated().build();
  private PartitionService service = new InMemoryPartitionService();

  /// For subclasses.
  protected PartitionServiceContract() {}

  /// The service under test, not started yet; it finds [Cluster] and [LogStorage] in the context.
  protected abstract PartitionService create(PluginContext context);

  /// The service under test, started.
  protected final PartitionService service() {
    return service;
  }

  /// The cluster it follows.
  protected final InMemoryCluster cluster() {
    return cluster;
  }

  /// The storage below.
  protected final InMemoryLogStorage storage() {
    return storage;
  }

  /// The kernel around it.
  protected final TestContext context() {
    return context;
  }

  @BeforeEach
  final void startService() {
    cluster.createTopic("before", 2);
    open(storage);
  }

  private void open(LogStorage on) {
    context =
        TestContext.simulated()
            .service(Cluster.class, cluster)
            .service(LogStorage.class, on)
            .build();
    service = create(context);
    service.start();
  }

  @AfterEach
  final void closeService() {
    service.drain();
    service.close();
    context.close();
  }

  @Test
  void topicsFromBeforeTheStartAreThere() {
    Topic topic = topic("before");
    assertEquals(2, topic.partitionCount());
    assertSame(topic, service.topic(topic.id()));
    assertNotNull(topic.partition(0));
    assertNull(topic.partition(2));
    assertNull(topic.partition(-1));
    assertNull(topic.partition(Integer.MAX_VALUE));
    assertNull(service.topic("nobody"));
    assertNull(service.topic(new UUID(1, 2)));
    assertEquals(new TopicPartition(topic.id(), "before", 1), partition("before", 1).id());
  }

  @Test
  void topicsAppearGrowAndGo() {
    cluster.createTopic("t", 1);
    Topic topic = topic("t");
    assertEquals(2, service.topics().size());
    cluster.createPartitions(List.of(new NewPartitions("t", 4, null)), false).join();
    assertSame(topic, topic("t"));
    assertEquals(4, topic.partitionCount());
    assertNotNull(topic.partition(3));
    cluster.deleteTopics(List.of(topic.id())).join();
    assertTrue(topic.deleted());
    assertNull(service.topic("t"));
    assertNull(service.topic(topic.id()));
    assertEquals(1, service.topics().size());
    assertTrue(storage.existing().stream().noneMatch(each -> each.topic().equals("t")));
  }

  @Test
  void aTopicMadeAgainIsAnotherAndEmpty() {
    cluster.createTopic("t", 1);
    Topic old = topic("t");
    append("t", "a");
    cluster.deleteTopics(List.of(old.id())).join();
    cluster.createTopic("t", 1);
    assertNotEquals(old.id(), topic("t").id());
    assertFalse(topic("t").deleted());
    assertEquals(0, partition("t", 0).logEndOffset());
  }

  @Test
  void logsOfTopicsThatAreGoneAreRemovedAtStart() {
    storage.open(
        new TopicPartition(new UUID(7, 7), "stray", 0), storage.defaults(), new IgnoredProgress());
    service.close();
    open(storage);
    assertTrue(storage.existing().stream().noneMatch(each -> each.topic().equals("stray")));
    assertEquals(2, storage.existing().size());
  }

  @Test
  void recordsAndHighWatermarkAreBackAfterARestart() {
    append("before", "a", "b");
    append("before", "c");
    service.drain();
    service.close();
    open(storage.restarted());
    assertEquals(3, partition("before", 0).highWatermark());
    assertEquals(3, partition("before", 0).logEndOffset());
    assertEquals(List.of("0=a", "1=b", "2=c"), readAll("before", 0));
  }

  @Test
  void whatIsAppendedIsAnsweredAtOnceAndVisible() {
    Partition partition = partition("before", 0);
    for (int acks : new int[] {-1, 1, 0}) {
      long end = partition.logEndOffset();
      CapturedProduce produce = CapturedProduce.append(partition, Batches.of("x"), acks, 1000);
      assertTrue(produce.isDone());
      assertEquals(new Outcome(ErrorCode.NONE, end, -1, 0, null), produce.await());
      assertEquals(end + 1, partition.highWatermark());
      assertEquals(end + 1, partition.lastStableOffset());
      assertEquals(end + 1, partition.logEndOffset());
    }
    assertEquals(List.of("0=x", "1=x", "2=x"), readAll("before", 0));
    assertTrue(partition.leader());
    assertNull(partition.offline());
    assertTrue(partition.sizeBytes() > 0);
  }

  @Test
  void acksOfAnotherNumberAreRefused() {
    for (int acks : new int[] {2, -2, 100}) {
      CapturedProduce produce =
          CapturedProduce.append(partition("before", 0), Batches.of("x"), acks, 1000);
      assertEquals(ErrorCode.INVALID_REQUIRED_ACKS, produce.await().error());
    }
    assertEquals(0, partition("before", 0).logEndOffset());
  }

  @Test
  void whatTheLogRefusesIsAnsweredWithItsReason() {
    ByteBuffer bad = Batches.of("x");
    bad.put(bad.limit() - 1, (byte) 99);
    Outcome outcome = CapturedProduce.append(partition("before", 0), bad).await();
    assertEquals(ErrorCode.CORRUPT_MESSAGE, outcome.error());
    assertEquals(-1, outcome.baseOffset());
    assertNotNull(outcome.message());
  }

  @Test
  void t47ADuplicateIsAnsweredLikeTheFirst() {
    Partition partition = partition("before", 0);
    append("before", "other");
    Outcome first = CapturedProduce.append(partition, Batches.from(5, 0, 0, "a", "b")).await();
    Outcome again = CapturedProduce.append(partition, Batches.from(5, 0, 0, "a", "b")).await();
    assertEquals(first, again);
    assertEquals(1, again.baseOffset());
    assertEquals(3, partition.logEndOffset());
    assertEquals(
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        CapturedProduce.append(partition, Batches.from(5, 0, 9, "z")).await().error());
  }

  @Test
  void acksAllWaitsForTheHighWatermarkAndAcksOneDoesNot() {
    storage.holdCommits(true);
    Partition partition = partition("before", 0);
    CapturedProduce all = CapturedProduce.append(partition, Batches.of("a", "b"), -1, 30_000);
    CapturedProduce one = CapturedProduce.append(partition, Batches.of("c"), 1, 30_000);
    CapturedProduce none = CapturedProduce.append(partition, Batches.of("d"), 0, 30_000);
    assertFalse(all.isDone());
    assertEquals(2, one.await().baseOffset());
    assertEquals(3, none.await().baseOffset());
    assertEquals(0, partition.highWatermark());
    assertEquals(4, partition.logEndOffset());
    assertEquals(List.of(), readAll("before", 0));
    storage.holdCommits(false);
    assertEquals(0, all.await().baseOffset());
    assertEquals(4, partition.highWatermark());
  }

  @Test
  void acksOneWaitsForTheDiskWithFlushMessagesOne() {
    config("before", "flush.messages", "1");
    storage.holdCommits(true);
    CapturedProduce one =
        CapturedProduce.append(partition("before", 0), Batches.of("c"), 1, 30_000);
    CapturedProduce none =
        CapturedProduce.append(partition("before", 0), Batches.of("d"), 0, 30_000);
    assertFalse(one.isDone());
    assertTrue(none.isDone());
    storage.holdCommits(false);
    assertEquals(ErrorCode.NONE, one.await().error());
  }

  @Test
  void aDuplicateOfWhatWaitsWaitsToo() {
    storage.holdCommits(true);
    Partition partition = partition("before", 0);
    CapturedProduce first = CapturedProduce.append(partition, Batches.from(5, 0, 0, "a"));
    CapturedProduce again = CapturedProduce.append(partition, Batches.from(5, 0, 0, "a"));
    assertFalse(first.isDone());
    assertFalse(again.isDone());
    storage.holdCommits(false);
    assertEquals(first.await(), again.await());
  }

  @Test
  void whatWaitsTooLongTimesOutAndStaysWritten() {
    storage.holdCommits(true);
    Partition partition = partition("before", 0);
    CapturedProduce slow = CapturedProduce.append(partition, Batches.of("a"), -1, 30_000);
    CapturedProduce quick = CapturedProduce.append(partition, Batches.of("b"), -1, 1_000);
    context.time().advanceMs(900);
    assertFalse(quick.isDone());
    context.time().advanceMs(1_100);
    assertEquals(ErrorCode.REQUEST_TIMED_OUT, quick.await().error());
    assertEquals(-1, quick.await().baseOffset());
    assertFalse(slow.isDone());
    storage.holdCommits(false);
    assertEquals(ErrorCode.NONE, slow.await().error());
    assertEquals(List.of("0=a", "1=b"), readAll("before", 0));
  }

  @Test
  void watchersHearOfBytesAfterTheyAreVisible() {
    Partition partition = partition("before", 0);
    CountingWatcher watcher = new CountingWatcher();
    ByteBuffer batch = Batches.of("a");
    int size = batch.remaining();
    append("before", "unseen");
    partition.watch(watcher);
    CapturedProduce.append(partition, batch);
    assertEquals(size, watcher.bytes());
    assertEquals(1, watcher.advances());
    storage.holdCommits(true);
    CapturedProduce.append(partition, Batches.of("b"), 1, 1000);
    assertEquals(size, watcher.bytes());
    storage.holdCommits(false);
    assertEquals(2L * size, watcher.bytes());
    partition.unwatch(watcher);
    append("before", "unseen");
    assertEquals(2L * size, watcher.bytes());
    assertEquals(0, watcher.changes());
    partition.unwatch(watcher);
  }

  @Test
  void t28DeletionWakesWatchersAndAnswersWhatWaits() {
    storage.holdCommits(true);
    Partition partition = partition("before", 0);
    CountingWatcher watcher = new CountingWatcher();
    partition.watch(watcher);
    CapturedProduce waiting = CapturedProduce.append(partition, Batches.of("a"));
    PartitionReader reader = partition.reader();
    cluster.deleteTopics(List.of(topic("before").id())).join();
    assertEquals(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, waiting.await().error());
    assertEquals(1, watcher.changes());
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        CapturedProduce.append(partition, Batches.of("a")).await().error());
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        reader.read(0, -1, -1, 100, true, Isolation.READ_UNCOMMITTED).error());
  }

  @Test
  void lossOfLeadershipWakesWatchersAndAnswersWhatWaits() {
    cluster.register(new Broker(2, List.of(), null));
    cluster.createTopics(
        List.of(new NewTopic("t", -1, (short) -1, Map.of(0, List.of(1, 2)), Map.of())), false);
    lead("t", 1, 1, List.of(1));
    storage.holdCommits(true);
    Partition partition = partition("t", 0);
    CountingWatcher watcher = new CountingWatcher();
    partition.watch(watcher);
    CapturedProduce waiting = CapturedProduce.append(partition, Batches.of("a"));
    assertFalse(waiting.isDone());
    lead("t", 2, 2, List.of(1, 2));
    assertEquals(ErrorCode.NOT_LEADER_OR_FOLLOWER, waiting.await().error());
    assertTrue(watcher.changes() >= 1);
    assertFalse(partition.leader());
    assertEquals(2, partition.leaderEpoch());
    assertEquals(
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        CapturedProduce.append(partition, Batches.of("a")).await().error());
    assertEquals(
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        partition.reader().read(0, -1, -1, 100, true, Isolation.READ_UNCOMMITTED).error());
    assertEquals(
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        partition.lookup(-1, Isolation.READ_UNCOMMITTED, -1).error());
    assertEquals(ErrorCode.NOT_LEADER_OR_FOLLOWER, partition.endOffsetForEpoch(0, -1).error());
    assertEquals(ErrorCode.NOT_LEADER_OR_FOLLOWER, partition.deleteRecords(0).error());
  }

  @Test
  void aReplicaThatMovedAwayIsGoneHere() {
    cluster.register(new Broker(2, List.of(), null));
    Partition partition = partition("before", 1);
    UUID id = topic("before").id();
    cluster.append(
        new PartitionChanged(id, 1, new PartitionState(List.of(2), List.of(2), 2, 1, 1)));
    assertNull(topic("before").partition(1));
    assertEquals(2, topic("before").partitionCount());
    assertEquals(1, storage.existing().size());
    assertEquals(
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        CapturedProduce.append(partition, Batches.of("a")).await().error());
  }

  @Test
  void aFailedDirectoryWakesWatchersAndAnswersWhatWaits() {
    storage.holdCommits(true);
    Partition partition = partition("before", 0);
    CountingWatcher watcher = new CountingWatcher();
    partition.watch(watcher);
    CapturedProduce waiting = CapturedProduce.append(partition, Batches.of("a"));
    storage.failDirectory("Input/output error");
    assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, waiting.await().error());
    assertEquals(1, watcher.changes());
    assertEquals("Input/output error", partition.offline());
    assertEquals(
        ErrorCode.KAFKA_STORAGE_ERROR,
        CapturedProduce.append(partition, Batches.of("a")).await().error());
    assertEquals(
        ErrorCode.KAFKA_STORAGE_ERROR,
        partition.reader().read(0, -1, -1, 100, true, Isolation.READ_UNCOMMITTED).error());
  }

  @Test
  void t25TooFewInSyncReplicasRefuseAcksAllBeforeAppending() {
    cluster.register(new Broker(2, List.of(), null));
    cluster.createTopics(
        List.of(new NewTopic("t", -1, (short) -1, Map.of(0, List.of(1, 2)), Map.of())), false);
    lead("t", 1, 1, List.of(1));
    config("t", "min.insync.replicas", "2");
    Partition partition = partition("t", 0);
    assertEquals(
        ErrorCode.NOT_ENOUGH_REPLICAS,
        CapturedProduce.append(partition, Batches.of("a"), -1, 1000).await().error());
    assertEquals(0, partition.logEndOffset());
    assertEquals(
        ErrorCode.NONE,
        CapturedProduce.append(partition, Batches.of("a"), 1, 1000).await().error());
    config("t", "min.insync.replicas", "1");
    assertEquals(
        ErrorCode.NONE,
        CapturedProduce.append(partition, Batches.of("a"), -1, 1000).await().error());
  }

  @Test
  void t25TooFewInSyncReplicasAreToldAfterAppendingToo() {
    cluster.register(new Broker(2, List.of(), null));
    cluster.createTopics(
        List.of(new NewTopic("t", -1, (short) -1, Map.of(0, List.of(1, 2)), Map.of())), false);
    lead("t", 1, 1, List.of(1));
    storage.holdCommits(true);
    CapturedProduce waiting = CapturedProduce.append(partition("t", 0), Batches.of("a"));
    assertFalse(waiting.isDone());
    config("t", "min.insync.replicas", "2");
    storage.holdCommits(false);
    assertEquals(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, waiting.await().error());
    assertEquals(1, partition("t", 0).highWatermark());
  }

  @Test
  void t25NoMoreReplicasAreAskedForThanThereAre() {
    config("before", "min.insync.replicas", "3");
    append("before", "a");
    assertEquals(1, partition("before", 0).highWatermark());
  }

  @Test
  void configChangesReachTheLog() {
    Partition partition = partition("before", 0);
    config("before", "max.message.bytes", "70");
    assertEquals(
        ErrorCode.MESSAGE_TOO_LARGE,
        CapturedProduce.append(partition, Batches.of("a".repeat(100))).await().error());
    config("before", "max.message.bytes", "1000");
    config("before", "message.timestamp.type", "LogAppendTime");
    Outcome stamped = CapturedProduce.append(partition, Batches.of("a".repeat(100))).await();
    assertEquals(ErrorCode.NONE, stamped.error());
    assertTrue(stamped.logAppendTimeMs() > 0);
  }

  @Test
  void t13EpochsAreFenced() {
    changeEpoch(5);
    Partition partition = partition("before", 0);
    append("before", "a");
    record Case(int epoch, ErrorCode error) {}
    for (Case each :
        List.of(
            new Case(-1, ErrorCode.NONE),
            new Case(5, ErrorCode.NONE),
            new Case(4, ErrorCode.FENCED_LEADER_EPOCH),
            new Case(0, ErrorCode.FENCED_LEADER_EPOCH),
            new Case(6, ErrorCode.UNKNOWN_LEADER_EPOCH))) {
      PartitionRead read =
          partition.reader().read(0, each.epoch, -1, 100, true, Isolation.READ_UNCOMMITTED);
      assertEquals(each.error, read.error(), each.toString());
      assertEquals(each.error == ErrorCode.NONE, read.records() != null);
      close(read);
      assertEquals(
          each.error, partition.lookup(-1, Isolation.READ_UNCOMMITTED, each.epoch).error());
      assertEquals(each.error, partition.endOffsetForEpoch(5, each.epoch).error());
    }
  }

  @Test
  void t13BatchesCarryTheEpochOfTheirLeader() {
    append("before", "a");
    changeEpoch(5);
    append("before", "b", "c");
    Partition partition = partition("before", 0);
    assertEquals(new EpochLookup(ErrorCode.NONE, 0, 1), partition.endOffsetForEpoch(0, -1));
    assertEquals(new EpochLookup(ErrorCode.NONE, 0, 1), partition.endOffsetForEpoch(3, -1));
    assertEquals(new EpochLookup(ErrorCode.NONE, 5, 3), partition.endOffsetForEpoch(5, -1));
    assertEquals(new EpochLookup(ErrorCode.NONE, -1, -1), partition.endOffsetForEpoch(6, -1));
  }

  @Test
  void t29AReaderThatDivergedIsToldWhere() {
    append("before", "a", "b");
    changeEpoch(5);
    append("before", "c");
    PartitionReader reader = partition("before", 0).reader();
    PartitionRead ahead = reader.read(4, 5, 0, 100, true, Isolation.READ_UNCOMMITTED);
    assertEquals(new EpochLookup(ErrorCode.NONE, 0, 2), ahead.diverging());
    assertNull(ahead.records());
    PartitionRead gap = reader.read(2, 5, 3, 100, true, Isolation.READ_UNCOMMITTED);
    assertEquals(new EpochLookup(ErrorCode.NONE, 0, 2), gap.diverging());
    PartitionRead agreed = reader.read(2, 5, 0, 100, true, Isolation.READ_UNCOMMITTED);
    assertNull(agreed.diverging());
    assertNotNull(agreed.records());
    close(agreed);
    assertEquals(
        ErrorCode.OFFSET_OUT_OF_RANGE,
        reader.read(2, 5, 9, 100, true, Isolation.READ_UNCOMMITTED).error());
  }

  @Test
  void readsOutOfRangeNameTheLogStart() {
    append("before", "a");
    append("before", "b");
    Partition partition = partition("before", 0);
    assertEquals(1, partition.deleteRecords(1).lowWatermark());
    PartitionReader reader = partition.reader();
    for (long offset : new long[] {0, 3, -5, Long.MAX_VALUE}) {
      PartitionRead read = reader.read(offset, -1, -1, 100, true, Isolation.READ_UNCOMMITTED);
      assertEquals(ErrorCode.OFFSET_OUT_OF_RANGE, read.error(), "offset " + offset);
      assertEquals(1, read.logStartOffset());
      assertNull(read.records());
    }
    PartitionRead atEnd = reader.read(2, -1, -1, 100, true, Isolation.READ_COMMITTED);
    assertEquals(ErrorCode.NONE, atEnd.error());
    LogSlice nothing = atEnd.records();
    assertTrue(nothing == null || nothing.sizeBytes() == 0);
    close(atEnd);
  }

  @Test
  void t26TheFirstBatchComesEvenIfLarger() {
    append("before", "a".repeat(500));
    append("before", "b");
    PartitionReader reader = partition("before", 0).reader();
    PartitionRead one = reader.read(0, -1, -1, 100, true, Isolation.READ_UNCOMMITTED);
    LogSlice slice = one.records();
    assertTrue(slice != null && slice.sizeBytes() > 500);
    assertEquals(2, one.highWatermark());
    close(one);
    PartitionRead none = reader.read(0, -1, -1, 100, false, Isolation.READ_UNCOMMITTED);
    LogSlice empty = none.records();
    assertTrue(empty == null || empty.sizeBytes() == 0);
    close(none);
  }

  @Test
  void t33TimestampsAreLookedUp() {
    Partition partition = partition("before", 0);
    CapturedProduce.append(partition, Batches.at(1000, "a", "b")).await();
    CapturedProduce.append(partition, Batches.at(5000, "c")).await();
    CapturedProduce.append(partition, Batches.at(3000, "d")).await();
    partition.deleteRecords(1);
    storage.holdCommits(true);
    CapturedProduce.append(partition, Batches.at(9000, "unseen"), 1, 0).await();
    record Case(long timestampMs, long offset, long foundMs) {}
    for (Case each :
        List.of(
            new Case(-1, 4, -1),
            new Case(-2, 1, -1),
            new Case(-4, 1, -1),
            new Case(-5, -1, -1),
            new Case(-6, -1, -1),
            new Case(0, 1, 1001),
            new Case(1002, 2, 5000),
            new Case(5001, -1, -1),
            new Case(Long.MAX_VALUE, -1, -1))) {
      for (Isolation isolation : Isolation.values()) {
        OffsetLookup found = partition.lookup(each.timestampMs, isolation, -1);
        assertEquals(ErrorCode.NONE, found.error());
        assertEquals(each.offset, found.offset(), each.toString());
        assertEquals(each.foundMs, found.timestampMs(), each.toString());
      }
    }
    storage.holdCommits(false);
    OffsetLookup greatest = partition.lookup(-3, Isolation.READ_UNCOMMITTED, -1);
    assertEquals(new OffsetLookup(ErrorCode.NONE, 4, 9000, 0), greatest);
    for (long unknown : new long[] {-7, -100, Long.MIN_VALUE}) {
      assertEquals(
          ErrorCode.UNSUPPORTED_VERSION,
          partition.lookup(unknown, Isolation.READ_UNCOMMITTED, -1).error());
    }
  }

  @Test
  void t16RecordsAreDeletedUpToTheHighWatermark() {
    append("before", "a");
    append("before", "b");
    append("before", "c");
    Partition partition = partition("before", 0);
    assertEquals(1, partition.deleteRecords(1).lowWatermark());
    assertEquals(1, partition.logStartOffset());
    assertEquals(1, partition.deleteRecords(0).lowWatermark());
    assertEquals(ErrorCode.OFFSET_OUT_OF_RANGE, partition.deleteRecords(4).error());
    assertEquals(ErrorCode.OFFSET_OUT_OF_RANGE, partition.deleteRecords(-2).error());
    assertEquals(3, partition.deleteRecords(-1).lowWatermark());
    assertEquals(3, partition.logStartOffset());
    config("before", "cleanup.policy", "compact");
    assertEquals(ErrorCode.POLICY_VIOLATION, partition.deleteRecords(-1).error());
    config("before", "cleanup.policy", "compact,delete");
    assertEquals(ErrorCode.NONE, partition.deleteRecords(-1).error());
  }

  @Test
  void producersAreShown() {
    CapturedProduce.append(partition("before", 0), Batches.from(5, 2, 0, "a", "b")).await();
    var producers = partition("before", 0).activeProducers();
    assertEquals(1, producers.size());
    assertEquals(5, producers.getFirst().producerId());
    assertEquals(2, producers.getFirst().producerEpoch());
  }

  @Test
  void whatWaitsIsAnsweredAtTheEnd() {
    storage.holdCommits(true);
    CapturedProduce waiting = CapturedProduce.append(partition("before", 0), Batches.of("a"));
    service.drain();
    service.close();
    assertTrue(waiting.isDone());
    ErrorCode error = waiting.await().error();
    assertTrue(error == ErrorCode.NOT_LEADER_OR_FOLLOWER || error == ErrorCode.NONE);
    storage.holdCommits(false);
    open(storage);
  }

  @Test
  void largeTopicsAreMadeWhole() {
    cluster.createTopic("wide", 1000);
    Topic topic = topic("wide");
    assertEquals(1000, topic.partitionCount());
    for (int i = 0; i < 1000; i++) {
      assertTrue(partition("wide", i).leader());
    }
  }

  /// The topic, which must be there.
  protected final Topic topic(String name) {
    Topic topic = service.topic(name);
    assertNotNull(topic, name);
    return topic;
  }

  /// The partition, which must be here.
  protected final Partition partition(String topic, int index) {
    Partition partition = topic(topic).partition(index);
    assertNotNull(partition, topic + "-" + index);
    return partition;
  }

  /// Appends one batch of strings to partition 0 with `acks=-1` and fails unless it is taken.
  protected final void append(String topic, String... values) {
    Outcome outcome = CapturedProduce.append(partition(topic, 0), Batches.of(values)).await();
    assertEquals(ErrorCode.NONE, outcome.error(), outcome.message());
  }

  /// Sets one config of a topic.
  protected final void config(String topic, String key, String value) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    ConfigChanges.Change change = new ConfigChanges.Change(key, ConfigChanges.Op.SET, value);
    var results =
        cluster
            .alterConfigs(List.of(new ConfigChanges(resource, List.of(change), false)), false)
            .join();
    assertEquals(ErrorCode.NONE, results.getFirst().error());
  }

  /// Makes `leader` lead partition 0, which brokers 1 and 2 hold.
  protected final void lead(String topic, int leader, int epoch, List<Integer> isr) {
    cluster.append(
        new PartitionChanged(
            topic(topic).id(), 0, new PartitionState(List.of(1, 2), isr, leader, epoch, epoch)));
  }

  /// Everything visible from `offset` on in partition 0, as `offset=value`.
  protected final List<String> readAll(String topic, long offset) {
    PartitionReader reader = partition(topic, 0).reader();
    List<String> shown = new ArrayList<>();
    long next = offset;
    while (true) {
      PartitionRead read = reader.read(next, -1, -1, 1 << 20, true, Isolation.READ_UNCOMMITTED);
      assertEquals(ErrorCode.NONE, read.error());
      try (LogSlice slice = read.records()) {
        if (slice == null || slice.sizeBytes() == 0) {
          return shown;
        }
        ByteBuffer bytes = Batches.bytes(slice);
        shown.addAll(Batches.show(bytes));
        next = Batches.endOffset(bytes);
      }
    }
  }

  private void changeEpoch(int epoch) {
    cluster.append(
        new PartitionChanged(
            topic("before").id(), 0, new PartitionState(List.of(1), List.of(1), 1, epoch, epoch)));
  }

  private static void close(@Nullable PartitionRead read) {
    if (read != null) {
      LogSlice slice = read.records();
      if (slice != null) {
        slice.close();
      }
    }
  }

  /// Hears of a log that nobody follows.
  private static final class IgnoredProgress implements io.takhin.api.storage.LogListener {
    @Override
    public void committable(long endOffset, long bytes) {}

    @Override
    public void logStartAdvanced(long logStartOffset) {}

    @Override
    public void offline(String reason) {}
  }
}
