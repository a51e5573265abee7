package io.takhin.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogStorage;
import io.takhin.coordinator.Counting.Count;
import io.takhin.coordinator.Counting.Effects;
import io.takhin.coordinator.Counting.Machine;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.TestTime;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What every coordinator gets from the runtime, shown with counters.
@Timeout(20)
class CoordinatorRuntimeTest {
  private final TestTime time = new TestTime();
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final InMemoryLogStorage storage = new InMemoryLogStorage();
  private final TestContext context =
      TestContext.simulated(time)
          .service(Cluster.class, cluster)
          .service(LogStorage.class, storage)
          .build();
  private final InMemoryPartitionService partitions = new InMemoryPartitionService(context);
  private final Counting counting = new Counting();

  CoordinatorRuntimeTest() {
    partitions.start();
    context.provide(PartitionService.class, partitions);
  }

  private CoordinatorRuntime<Machine, Count, Effects> started() {
    CoordinatorRuntime<Machine, Count, Effects> runtime =
        new CoordinatorRuntime<>(counting, context);
    runtime.start();
    time.runDue();
    return runtime;
  }

  private CoordinatorRuntime<Machine, Count, Effects> inCharge() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = started();
    assertEquals("NONE 2", runtime.partitionFor("b", (error, at) -> error + " " + at).join());
    return runtime;
  }

  private static CompletableFuture<Integer> add(
      CoordinatorRuntime<Machine, Count, Effects> runtime, String name, int more) {
    return runtime.ask(
        name, (machine, now, to, out) -> machine.add(name, more, to, out), error -> -error.code());
  }

  private static Shard<Machine, Count, Effects> shard(
      CoordinatorRuntime<Machine, Count, Effects> runtime, String name) {
    Shard<Machine, Count, Effects> shard = runtime.shard(name);
    assertNotNull(shard);
    return shard;
  }

  private Partition partition(int index) {
    PartitionService.Topic topic = partitions.topic(Counting.TOPIC);
    assertNotNull(topic);
    Partition partition = topic.partition(index);
    assertNotNull(partition);
    return partition;
  }

  private void lead(int index, int broker, int epoch) {
    TopicImage topic = cluster.image().topic(Counting.TOPIC);
    assertNotNull(topic);
    List<Integer> replicas = broker == 1 ? List.of(1) : List.of(1, broker);
    PartitionState state = new PartitionState(replicas, replicas, broker, epoch, epoch);
    cluster.append(new PartitionChanged(topic.id(), index, state));
  }

  @Test
  void topicIsMadeForTheFirstWhoAsks() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = started();
    assertEquals(0, runtime.partitions());
    assertEquals(-ErrorCode.NOT_COORDINATOR.code(), add(runtime, "b", 1).join());
    runtime.partitionFor("b", (error, at) -> at).join();
    assertEquals(4, runtime.partitions());
    Map<String, String> configs = cluster.topicConfig(cluster.image(), Counting.TOPIC);
    assertEquals("1", configs.get("min.insync.replicas"), "of the replicas that there are");
  }

  @Test
  void partitionOfAKeyIsKafkas() {
    assertEquals(
        Math.abs("payments".hashCode()) % 50, CoordinatorRuntime.partitionFor("payments", 50));
    assertEquals(
        0, CoordinatorRuntime.partitionFor("polygenelubricants", 50), "its hash is MIN_VALUE");
  }

  @Test
  void answersWaitForTheLogAndErrandsDoNot() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    storage.holdCommits(true);
    CompletableFuture<Integer> added = add(runtime, "b", 5);
    assertFalse(added.isDone());
    assertEquals(List.of("b"), counting.performed);
    storage.holdCommits(false);
    assertEquals(5, added.join());
  }

  @Test
  void whatArrivesTogetherIsWrittenTogether() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    long before = partition(2).logEndOffset();
    Shard<Machine, Count, Effects> shard = shard(runtime, "b");
    CompletableFuture<Integer> first = new CompletableFuture<>();
    storage.holdCommits(true);
    shard.submit(
        (machine, now, out) -> {
          machine.add("b", 1, first, out);
          add(runtime, "b", 1);
          add(runtime, "b", 1);
          assertEquals(1, machine.counters.get("b"), "the others wait before the gate");
        });
    assertEquals(3, shard.machine().counters.get("b"));
    storage.holdCommits(false);
    assertEquals(1, first.join());
    assertEquals(3, partition(2).logEndOffset() - before);
  }

  @Test
  void quietWorkWaitsForWritesAndHoldsUpWhatComesAfter() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    storage.holdCommits(true);
    CompletableFuture<Integer> before = add(runtime, "b", 1);
    CompletableFuture<Integer> quiet =
        runtime.ask(
            runtime.shard("b"),
            true,
            (machine, now, to, out) -> out.answer(to, machine.counters.getOrDefault("b", 0)),
            error -> -error.code());
    CompletableFuture<Integer> after = add(runtime, "b", 1);
    assertFalse(before.isDone() || quiet.isDone() || after.isDone());
    storage.holdCommits(false);
    assertEquals(1, before.join());
    assertEquals(1, quiet.join());
    assertEquals(2, after.join());
  }

  @Test
  void recordThatCannotBeEncodedFailsItselfAlone() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    Shard<Machine, Count, Effects> shard = shard(runtime, "b");
    CompletableFuture<Integer> bad = new CompletableFuture<>();
    CompletableFuture<Integer> good = new CompletableFuture<>();
    shard.submit(
        (machine, now, out) -> {
          machine.add("", 1, bad, out);
          machine.add("b", 1, good, out);
        });
    assertEquals(-ErrorCode.UNKNOWN_SERVER_ERROR.code(), bad.join());
    assertEquals(1, good.join());
  }

  @Test
  void defectIsAnsweredAndTheNextRequestRuns() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    CompletableFuture<Integer> broken =
        runtime.ask(
            "b",
            (machine, now, to, out) -> {
              throw new IllegalStateException("a defect");
            },
            error -> -error.code());
    assertEquals(-ErrorCode.UNKNOWN_SERVER_ERROR.code(), broken.join());
    assertEquals(1, add(runtime, "b", 1).join());
  }

  @Test
  void nextLeaderReplaysAndTheLastOneResigns() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    add(runtime, "b", 5).join();
    Shard<Machine, Count, Effects> old = shard(runtime, "b");
    lead(2, 7, 1);
    assertTrue(old.machine().resigned);
    assertNull(runtime.shard("b"));
    assertEquals(-ErrorCode.NOT_COORDINATOR.code(), add(runtime, "b", 1).join());
    lead(2, 1, 2);
    time.runDue();
    assertEquals(6, add(runtime, "b", 1).join());
  }

  @Test
  void whatIsUnderWayAtTheEndStillSettles() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    storage.holdCommits(true);
    CompletableFuture<Integer> added = add(runtime, "b", 5);
    CompletableFuture<Integer> parked =
        runtime.ask(
            runtime.shard("b"),
            true,
            (machine, now, to, out) -> out.answer(to, 1),
            error -> -error.code());
    runtime.resign();
    assertEquals(-ErrorCode.NOT_COORDINATOR.code(), parked.join());
    storage.holdCommits(false);
    assertEquals(5, added.join());
  }

  @Test
  void loadingPassesOverWhatIsNoRecordAndTakesMarkers() {
    inCharge().resign();
    Partition partition = partition(2);
    byte[] key = new WireWriter(8).string("b").toBytes();
    partition.append(
        new Ignored(
            new RecordBatchBuilder()
                .add(0, key, new byte[] {0, 0, 0, 3})
                .add(0, key, new byte[] {1})
                .add(0, null, new byte[] {0, 0, 0, 9})));
    partition.append(
        new Ignored(
            new RecordBatchBuilder()
                .producer(9, (short) 0, -1)
                .attributes(0x30)
                .add(0, new byte[] {0, 0, 0, 1}, new byte[] {0, 0, 0, 0, 0, 0})));
    CoordinatorRuntime<Machine, Count, Effects> next = started();
    assertEquals(4, add(next, "b", 1).join());
    assertEquals(List.of("9 commit"), shard(next, "b").machine().markers);
  }

  /// Found by the simulator: loading waited for ever for offsets at the end that no batch has.
  @Test
  void offsetsThatCompactionTookAtTheEndKeepNothingFromLoading() {
    CoordinatorRuntime<Machine, Count, Effects> before = inCharge();
    add(before, "b", 5).join();
    before.resign();
    Partition whole = partition(2);
    PartitionReader nothing =
        (offset, epoch, fetched, bytes, one, isolation) ->
            whole.reader().read(whole.logEndOffset(), epoch, fetched, bytes, one, isolation);
    Partition compacted =
        (Partition)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Partition.class},
                (proxy, method, arguments) ->
                    method.getName().equals("reader") ? nothing : method.invoke(whole, arguments));
    assertTrue(new ShardLoader<>(compacted, new Machine(), new Counting().codec(), null).load());
  }

  @Test
  void aPartitionThatFoundNoRoomIsLoadedWhenItIsOpen() {
    CoordinatorRuntime<Machine, Count, Effects> before = inCharge();
    add(before, "b", 5).join();
    before.resign();
    partitions.offline(Counting.TOPIC, 2, "no room");
    CoordinatorRuntime<Machine, Count, Effects> next = started();
    assertTrue(time.advanceMs(10_000) <= 10, "it does not spin");
    assertTrue(String.valueOf(shard(next, "b").trouble()).contains("no room"));
    assertEquals(-ErrorCode.COORDINATOR_LOAD_IN_PROGRESS.code(), add(next, "b", 1).join());
    partitions.offline(Counting.TOPIC, 2, null);
    time.advanceMs(1_000);
    assertEquals(6, add(next, "b", 1).join());
    assertNull(shard(next, "b").trouble());
  }

  private static final class Ignored extends PartitionAppend {
    Ignored(RecordBatchBuilder batch) {
      super(batch.build(), (short) 1, 1_000, Origin.COORDINATOR);
    }

    @Override
    public void done(
        ErrorCode error, long base, long timeMs, long start, @Nullable String message) {
      assertEquals(ErrorCode.NONE, error);
    }
  }

  @Test
  void idleShardsHaveNoTimerAndDueOnesAreWoken() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    assertEquals(0, time.pendingTasks());
    long atMs = runtime.monotonicMs() + 50;
    shard(runtime, "b").submit((machine, now, out) -> machine.deadlineMs = atMs);
    time.advanceMs(49);
    assertEquals(0, shard(runtime, "b").machine().expiries);
    time.advanceMs(1);
    assertEquals(1, shard(runtime, "b").machine().expiries);
    assertEquals(0, time.pendingTasks());
  }

  @Test
  void periodicWorkEndsWithTheRuntime() {
    CoordinatorRuntime<Machine, Count, Effects> runtime = inCharge();
    int[] rounds = new int[1];
    runtime.every(100, false, (machine, now, out) -> rounds[0]++);
    time.advanceMs(100);
    assertEquals(4, rounds[0], "once for each partition");
    runtime.resign();
    time.advanceMs(1_000);
    assertEquals(4, rounds[0]);
  }
}
