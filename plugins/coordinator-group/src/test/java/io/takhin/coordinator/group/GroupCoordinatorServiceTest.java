package io.takhin.coordinator.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.record.Records;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.coordinator.CoordinatorRuntime;
import io.takhin.coordinator.Shard;
import io.takhin.testkit.codec.GzipOnlyCodecs;
import io.takhin.testkit.group.GroupScript;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the service does with log, metadata, time and threads.
@Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GroupCoordinatorServiceTest {
  private static final GroupRecordCodec CODEC = new GroupRecordCodec();
  private static final String TOPIC = "__consumer_offsets";
  private final ServiceHarness harness = new ServiceHarness();

  private GroupCoordinator started() {
    GroupCoordinator coordinator = harness.start(ServiceHarness.DEFAULTS);
    assertEquals(ErrorCode.NONE, coordinator.partitionFor("payments").join().error());
    return coordinator;
  }

  private JoinResult stable(GroupScript group) {
    CompletableFuture<JoinResult> join = group.join(group.newMemberId());
    harness.time.advanceMs(3_000);
    JoinResult joined = join.join();
    assertEquals(ErrorCode.NONE, group.syncAsLeader(joined).join().error());
    return joined;
  }

  private Partition partitionOf(String groupId) {
    PartitionService.Topic topic = harness.partitions.topic(TOPIC);
    assertNotNull(topic);
    Partition partition =
        topic.partition(CoordinatorRuntime.partitionFor(groupId, topic.partitionCount()));
    assertNotNull(partition);
    return partition;
  }

  @Test
  void topicIsMadeOnDemandWithKafkasSettings() {
    started();
    TopicImage topic = harness.cluster.image().topic(TOPIC);
    assertNotNull(topic);
    assertEquals(50, topic.partitions().size());
    var config = harness.cluster.topicConfig(harness.cluster.image(), TOPIC);
    assertEquals("compact", config.get("cleanup.policy"));
    assertEquals("producer", config.get("compression.type"));
    assertEquals("104857600", config.get("segment.bytes"));
  }

  @Test
  void groupsGoToThePartitionThatKafkaComputes() {
    assertEquals(
        Math.abs("payments".hashCode()) % 50, CoordinatorRuntime.partitionFor("payments", 50));
    assertEquals(
        0, CoordinatorRuntime.partitionFor("polygenelubricants", 50), "its hash is MIN_VALUE");
  }

  @Test
  void everythingIsBackAfterARestart() {
    GroupCoordinator first = started();
    GroupScript group = new GroupScript(first, "payments");
    JoinResult joined = stable(group);
    assertEquals(ErrorCode.NONE, group.commit(joined, 42));
    first.close();
    assertEquals(ErrorCode.NOT_COORDINATOR, group.heartbeat(joined));

    GroupCoordinator second = harness.start(ServiceHarness.DEFAULTS);
    GroupScript again = new GroupScript(second, "payments");
    assertEquals("Stable", again.describe().state());
    assertEquals(ErrorCode.NONE, again.heartbeat(joined));
    assertEquals(42, again.fetch("orders", 0).offset());
    assertEquals(ErrorCode.NONE, again.commit(joined, 43));
    harness.time.advanceMs(GroupScript.SESSION_TIMEOUT_MS);
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, again.heartbeat(joined), "sessions run again");
  }

  @Test
  void requestsAreToldToWaitWhileTheLogIsRead() {
    GroupCoordinator first = started();
    JoinResult joined = stable(new GroupScript(first, "payments"));
    first.close();
    GroupCoordinator second =
        new ClassicGroupProvider().create(ServiceHarness.DEFAULTS, harness.context);
    second.start();
    GroupScript group = new GroupScript(second, "payments");
    assertEquals(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, group.heartbeat(joined));
    assertEquals(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, group.commit(joined, 1));
    assertEquals(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, group.join("").join().error());
    assertEquals(
        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
        second.fetchOffsets("payments", null, false).join().error());
    HealthCheck health = harness.context.healthChecks().getLast();
    assertEquals(HealthCheck.Status.UNHEALTHY, health.check().status());
    harness.time.runDue();
    assertEquals(HealthCheck.Status.HEALTHY, health.check().status());
    assertEquals(ErrorCode.NONE, group.heartbeat(joined));
  }

  @Test
  void recordsThatNobodyUnderstandsDoNotStopLoading() {
    GroupCoordinator first = started();
    new GroupScript(first, "payments").commitSimple("orders", 0, 5);
    first.close();
    RecordBatchBuilder batch =
        new RecordBatchBuilder()
            .add(0, new byte[] {0, 1, 0}, new byte[] {9, 9})
            .add(0, null, new byte[0])
            .add(0, new byte[] {0, 9}, null);
    partitionOf("payments").append(new Ignored(batch));
    GroupCoordinator second = harness.start(ServiceHarness.DEFAULTS);
    assertEquals(5, new GroupScript(second, "payments").fetch("orders", 0).offset());
  }

  @Test
  void compressedRecordsAreRead() {
    started().close();
    partitionOf("payments").append(new Ignored(gzipped(offset(9).build())));
    harness.context.provide(Codecs.class, new GzipOnlyCodecs());
    GroupCoordinator second = harness.start(ServiceHarness.DEFAULTS);
    assertEquals(9, new GroupScript(second, "payments").fetch("orders", 0).offset());
  }

  @Test
  void compressedRecordsWithoutACodecAreAnErrorThatHealthNames() {
    started().close();
    partitionOf("payments").append(new Ignored(gzipped(offset(9).build())));
    GroupCoordinator second = harness.start(ServiceHarness.DEFAULTS);
    assertEquals(
        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
        second.fetchOffsets("payments", null, false).join().error());
    String message = harness.context.healthChecks().getLast().check().message();
    assertNotNull(message);
    assertTrue(message.contains("install a codec plugin"), message);
  }

  @Test
  void offsetsInATransactionCountFromItsCommit() {
    started().close();
    Partition partition = partitionOf("payments");
    partition.append(new Ignored(offset(7)));
    partition.append(new Ignored(offset(8).producer(1, (short) 0, 0).attributes(0x10)));
    partition.append(new Ignored(marker(1, 0)));
    GroupCoordinator aborted = harness.start(ServiceHarness.DEFAULTS);
    assertEquals(7, new GroupScript(aborted, "payments").fetch("orders", 0).offset());
    aborted.close();
    partition.append(new Ignored(offset(9).producer(1, (short) 0, 1).attributes(0x10)));
    partition.append(new Ignored(marker(1, 1)));
    GroupCoordinator committed = harness.start(ServiceHarness.DEFAULTS);
    assertEquals(9, new GroupScript(committed, "payments").fetch("orders", 0).offset());
  }

  private static RecordBatchBuilder offset(long value) {
    GroupRecord record =
        new GroupRecord.OffsetCommit(
            "payments", "orders", 0, new CommittedOffset(value, -1, "", 0, -1));
    return new RecordBatchBuilder().add(0, CODEC.key(record), CODEC.value(record));
  }

  private static RecordBatchBuilder marker(long producerId, int type) {
    return new RecordBatchBuilder()
        .producer(producerId, (short) 0, -1)
        .attributes(0x30)
        .add(0, new byte[] {0, 0, 0, (byte) type}, new byte[] {0, 0, 0, 0, 0, 0});
  }

  private static ByteBuffer gzipped(ByteBuffer plain) {
    ByteBuffer payload =
        new GzipOnlyCodecs().compress(CompressionType.GZIP, Records.payload(plain, 0));
    int size = RecordBatch.HEADER_BYTES + payload.remaining();
    ByteBuffer batch = ByteBuffer.allocateDirect(size);
    batch.put(plain.slice(0, RecordBatch.HEADER_BYTES)).put(payload).flip();
    batch.putInt(8, size - RecordBatch.LOG_OVERHEAD);
    batch.putShort(21, (short) CompressionType.GZIP.id());
    RecordBatch.updateCrc(batch, 0);
    return batch;
  }

  private static final class Ignored extends PartitionAppend {
    Ignored(RecordBatchBuilder batch) {
      this(batch.build());
    }

    Ignored(ByteBuffer batch) {
      super(batch, (short) 1, 1_000, Origin.COORDINATOR);
    }

    @Override
    public void done(
        ErrorCode error, long base, long timeMs, long start, @Nullable String message) {
      assertEquals(ErrorCode.NONE, error);
    }
  }

  @Test
  void answersWaitForTheAcknowledgement() {
    GroupCoordinator coordinator = started();
    GroupScript group = new GroupScript(coordinator, "payments");
    assertEquals(ErrorCode.NONE, group.commitSimple("orders", 0, 1));
    harness.storage.holdCommits(true);
    CompletableFuture<ErrorCode> commit = group.commit(-1, "", "orders", 0, 2, "");
    assertFalse(commit.isDone());
    assertEquals(1, group.fetch("orders", 0).offset(), "what may be lost is not shown");
    CompletableFuture<List<ErrorCode>> delete = coordinator.deleteGroups(List.of("payments"));
    CompletableFuture<ErrorCode> later = group.commit(-1, "", "orders", 0, 3, "");
    assertFalse(delete.isDone(), "a deletion waits for commits that are under way");
    harness.storage.holdCommits(false);
    assertEquals(ErrorCode.NONE, commit.join());
    assertEquals(List.of(ErrorCode.NONE), delete.join());
    assertEquals(ErrorCode.NONE, later.join());
    assertEquals(3, group.fetch("orders", 0).offset());
  }

  @Test
  void lateAcknowledgementIsToldAsCoordinatorNotAvailable() {
    GroupScript group = new GroupScript(started(), "payments");
    harness.storage.holdCommits(true);
    CompletableFuture<ErrorCode> commit = group.commit(-1, "", "orders", 0, 2, "");
    harness.time.advanceMs(5_000);
    assertEquals(ErrorCode.COORDINATOR_NOT_AVAILABLE, commit.join());
  }

  @Test
  void lostLeadershipAnswersEverybodyWhoWaits() {
    GroupCoordinator coordinator = started();
    GroupScript group = new GroupScript(coordinator, "payments");
    CompletableFuture<JoinResult> join = group.join(group.newMemberId());
    lead(2, 1);
    assertEquals(ErrorCode.NOT_COORDINATOR, join.join().error());
    assertEquals(ErrorCode.NOT_COORDINATOR, group.commitSimple("orders", 0, 1));
    lead(1, 2);
    harness.time.runDue();
    assertEquals(ErrorCode.NONE, group.commitSimple("orders", 0, 1));
  }

  private void lead(int broker, int epoch) {
    TopicImage topic = harness.cluster.image().topic(TOPIC);
    assertNotNull(topic);
    int index = CoordinatorRuntime.partitionFor("payments", topic.partitions().size());
    PartitionState state = new PartitionState(List.of(1, 2), List.of(1, 2), broker, epoch, epoch);
    if (broker == 1) {
      state = new PartitionState(List.of(1), List.of(1), broker, epoch, epoch);
    }
    harness.cluster.append(new PartitionChanged(topic.id(), index, state));
  }

  @Test
  void offsetsOfADeletedTopicAreGone() {
    GroupScript group = new GroupScript(started(), "payments");
    harness.partitions.createTopic("orders", 1);
    group.commitSimple("orders", 0, 5);
    group.commitSimple("refunds", 0, 6);
    harness.partitions.deleteTopic("orders");
    assertEquals(-1, group.fetch("orders", 0).offset());
    assertEquals(6, group.fetch("refunds", 0).offset());
  }

  @Test
  void t43_offsetsExpireOnlyWhenNobodyUsesThem() {
    GroupCoordinator coordinator = started();
    GroupScript simple = new GroupScript(coordinator, "simple");
    simple.commitSimple("orders", 0, 5);
    GroupScript group = new GroupScript(coordinator, "payments");
    JoinResult joined = stable(group);
    group.commit(joined, 6);
    group.commit(joined.generation(), joined.memberId(), "left", 0, 7, "").join();
    long retentionMs = 10_080 * 60_000L;
    for (long passed = 0; passed <= retentionMs + 600_000; passed += 9_000) {
      harness.time.advanceMs(9_000);
      group.heartbeat(joined);
    }
    assertEquals("Dead", simple.describe().state(), "nothing is left of it");
    assertEquals(6, group.fetch("orders", 0).offset(), "a subscribed topic's stay");
    assertEquals(-1, group.fetch("left", 0).offset(), "of a topic no longer subscribed to");
    group.leave(joined.memberId(), null);
    harness.time.advanceMs(retentionMs - 1_300_000);
    assertEquals(6, group.fetch("orders", 0).offset());
    harness.time.advanceMs(2_600_000);
    assertEquals("Dead", group.describe().state());
  }

  @Test
  void t40_explicitExpireTimeCountsInsteadOfTheRetention() {
    GroupCoordinator coordinator = started();
    OffsetToCommit one = new OffsetToCommit(null, "orders", 0, 5, -1, "");
    long expireTimeMs = harness.time.wallMs() + 60_000;
    assertEquals(
        List.of(ErrorCode.NONE),
        coordinator
            .commitOffsets(new CommitRequest("old", -1, "", null, expireTimeMs, List.of(one)))
            .join());
    GroupScript group = new GroupScript(coordinator, "old");
    assertEquals(5, group.fetch("orders", 0).offset());
    harness.time.advanceMs(600_000);
    assertEquals(-1, group.fetch("orders", 0).offset());
  }

  @Test
  void lagIsTheEndOfThePartitionMinusTheOffset() {
    GroupScript group = new GroupScript(started(), "payments");
    harness.partitions.createTopic("orders", 1);
    PartitionService.Topic orders = harness.partitions.topic("orders");
    assertNotNull(orders);
    Partition partition = orders.partition(0);
    assertNotNull(partition);
    RecordBatchBuilder batch = new RecordBatchBuilder();
    for (int i = 0; i < 10; i++) {
      batch.add(0, null, new byte[1]);
    }
    partition.append(new Ignored(batch));
    group.commitSimple("orders", 0, 4);
    assertEquals(
        6.0,
        harness
            .context
            .metrics()
            .value(
                "takhin_consumer_lag_messages",
                "group",
                "payments",
                "topic",
                "orders",
                "partition",
                "0"));
    assertEquals(1.0, harness.context.metrics().value("takhin_consumer_groups", "state", "empty"));
    stable(group);
    assertEquals(
        1.0, harness.context.metrics().value("takhin_consumer_group_members", "group", "payments"));
  }

  @Test
  void commitsThatWaitForEachOtherShareABatch() throws Exception {
    GroupCoordinator coordinator = started();
    GroupScript group = new GroupScript(coordinator, "payments");
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    // The first answer is given behind the gate; while it is, others leave their work there.
    try (ExecutorService holder = Executors.newSingleThreadExecutor()) {
      Future<?> first =
          holder.submit(
              () -> {
                CompletableFuture<JoinResult> refused = new CompletableFuture<>();
                refused.thenAccept(
                    ignored -> {
                      inside.countDown();
                      awaitQuietly(release);
                    });
                Block.gate((GroupCoordinatorService) coordinator, "payments", refused);
              });
      assertTrue(inside.await(5, TimeUnit.SECONDS));
      List<CompletableFuture<ErrorCode>> commits = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        commits.add(group.commit(-1, "", "orders", i, i, ""));
      }
      assertTrue(commits.stream().noneMatch(CompletableFuture::isDone));
      release.countDown();
      first.get(5, TimeUnit.SECONDS);
      for (CompletableFuture<ErrorCode> commit : commits) {
        assertEquals(ErrorCode.NONE, commit.get(5, TimeUnit.SECONDS));
      }
    }
    Partition partition = partitionOf("payments");
    assertEquals(100, partition.logEndOffset());
    var read =
        partition.reader().read(0, -1, -1, 1, true, Partition.Isolation.READ_UNCOMMITTED).records();
    assertNotNull(read);
    assertEquals(partition.sizeBytes(), read.sizeBytes(), "one batch holds them all");
    read.close();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertTrue(latch.await(5, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /// Occupies the gate of a group.
  private static final class Block {
    static void gate(
        GroupCoordinatorService service, String groupId, CompletableFuture<JoinResult> answer) {
      Shard<GroupStateMachine, GroupRecord, Effects> shard = service.shard(groupId);
      assertNotNull(shard);
      shard.submit(
          (machine, now, out) -> out.answer(answer, Answers.joinError(ErrorCode.NONE, "")));
    }
  }

  @Test
  void manyThreadsCommitAndBeatWithoutLosingAnything() throws Exception {
    GroupCoordinator coordinator = started();
    JoinResult joined = stable(new GroupScript(coordinator, "payments"));
    int threads = 4;
    int rounds = 2_000;
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int partition = t;
        GroupScript group = new GroupScript(coordinator, "payments");
        done.add(
            pool.submit(
                () -> {
                  for (int i = 1; i <= rounds; i++) {
                    assertEquals(
                        ErrorCode.NONE,
                        group
                            .commit(
                                joined.generation(), joined.memberId(), "orders", partition, i, "")
                            .get(5, TimeUnit.SECONDS));
                    assertEquals(i, group.fetch("orders", partition).offset());
                    assertEquals(ErrorCode.NONE, group.heartbeat(joined));
                  }
                  return null;
                }));
      }
      for (Future<?> each : done) {
        each.get(15, TimeUnit.SECONDS);
      }
    }
    assertEquals(
        threads * (long) rounds + 1, partitionOf("payments").logEndOffset(), "and the group's own");
  }

  @Test
  void largeDeletionIsSpreadOverBatchesThatFit() {
    GroupCoordinator coordinator = started();
    List<OffsetToCommit> offsets = new ArrayList<>();
    List<OffsetKey> keys = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      offsets.add(new OffsetToCommit(null, "orders", i, i, -1, "x".repeat(100)));
      keys.add(new OffsetKey("orders", i));
    }
    List<ErrorCode> results =
        coordinator.commitOffsets(new CommitRequest("big", -1, "", null, -1, offsets)).join();
    assertTrue(results.stream().allMatch(each -> each == ErrorCode.NONE));
    assertEquals(
        19_999, coordinator.fetchOffsets("big", keys, false).join().offsets().get(19_999).offset());
    assertEquals(List.of(ErrorCode.NONE), coordinator.deleteGroups(List.of("big")).join());
    assertEquals(0, coordinator.fetchOffsets("big", null, false).join().offsets().size());
  }

  @Test
  void drainAnswersThoseWhoWait() {
    GroupCoordinator coordinator = started();
    GroupScript group = new GroupScript(coordinator, "payments");
    CompletableFuture<JoinResult> join = group.join(group.newMemberId());
    coordinator.drain();
    assertEquals(ErrorCode.NOT_COORDINATOR, join.join().error());
  }
}
