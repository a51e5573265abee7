package io.takhin.broker.partition;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionWatcher;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogSlice;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Appends, progress, readers, time and metadata at the same time, on real threads.
class ReplicaConcurrencyTest {
  private static final int APPENDERS = 4;
  private static final int EACH = 4000;
  private static final ByteBuffer RECORDS = ByteBuffer.allocateDirect(1);
  private static final TopicSettings SETTINGS = new TopicSettings(LogConfigBuilder.defaults(), 1);

  private final LaggingLog.Storage storage = new LaggingLog.Storage();
  private final TestContext context = TestContext.real().build();
  private final ParkedSweep sweep = new ParkedSweep(context);
  private final CoordinatorQuestions questions = new CoordinatorQuestions(context);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Replica replica =
      new Replica(new TopicPartition(new UUID(1, 1), "t", 0), storage, sweep, questions, 1);

  @AfterEach
  void end() {
    sweep.close();
    threads.shutdownNow();
    context.close();
  }

  private void lead() {
    replica.open(SETTINGS);
    replica.apply(new PartitionState(List.of(1), List.of(1), 1, 0, 0), SETTINGS);
  }

  @Test
  void everyAppendIsAnsweredOnceAndAfterItIsVisible() throws Exception {
    lead();
    Outcomes outcomes = new Outcomes();
    List<Future<?>> appenders = startAppenders(outcomes, 30_000);
    Future<?> committer = startCommitter(outcomes, APPENDERS * EACH);
    await(appenders);
    await(List.of(committer));
    assertEquals(APPENDERS * EACH, outcomes.answers.get());
    assertEquals(APPENDERS * EACH, outcomes.offsets.size());
    assertEquals(Set.of(), outcomes.wrong);
    assertEquals(APPENDERS * EACH, replica.highWatermark());
    assertEquals(APPENDERS * EACH, storage.log().highWatermark());
  }

  /// One append and one commit at a time, so that no later progress can make up for a lost one.
  @Test
  void anAppendThatBecomesVisibleBeforeItIsParkedIsAnswered() throws Exception {
    lead();
    Outcomes outcomes = new Outcomes();
    int rounds = 5_000;
    Future<?> committer = threads.submit(() -> commitEach(rounds));
    for (int round = 1; round <= rounds; round++) {
      replica.append(outcomes.produce(30_000, replica));
      long deadline = System.nanoTime() + SECONDS.toNanos(10);
      while (outcomes.answers.get() < round) {
        assertTrue(System.nanoTime() < deadline, "append " + round + " was never answered");
        Thread.onSpinWait();
      }
    }
    await(List.of(committer));
    assertEquals(Set.of(), outcomes.wrong);
  }

  private void commitEach(int rounds) {
    while (replica.highWatermark() < rounds && !Thread.interrupted()) {
      storage.log().commit();
      Thread.onSpinWait();
    }
  }

  @Test
  void acknowledgementsOfOneCommitComeInTheOrderOfOffsets() throws Exception {
    lead();
    Outcomes outcomes = new Outcomes();
    await(startAppenders(outcomes, 30_000));
    assertEquals(0, outcomes.answers.get());
    storage.log().commit();
    List<Long> order = List.copyOf(outcomes.order);
    assertEquals(order.stream().sorted().toList(), order);
    assertEquals(APPENDERS * EACH, order.size());
  }

  @Test
  void noWakeUpIsLost() throws Exception {
    lead();
    int total = APPENDERS * EACH;
    List<Future<?>> readers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      boolean fresh = i % 2 == 0;
      readers.add(threads.submit(() -> readAll(total, fresh)));
    }
    Outcomes outcomes = new Outcomes();
    List<Future<?>> appenders = startAppenders(outcomes, 30_000);
    Future<?> committer = startCommitter(outcomes, total);
    await(appenders);
    await(List.of(committer));
    await(readers);
  }

  /// Reads to `total` as a parked fetch does: read, watch, read again, wait.
  private void readAll(int total, boolean fresh) {
    PartitionReader reader = replica.reader();
    Signal kept = new Signal();
    if (!fresh) {
      replica.watch(kept);
    }
    long next = 0;
    while (next < total) {
      Signal signal = fresh ? new Signal() : kept;
      int read = read(reader, next);
      if (read == 0 && fresh) {
        replica.watch(signal);
        read = read(reader, next);
      }
      if (read == 0) {
        signal.await(replica, next);
      }
      if (fresh) {
        replica.unwatch(signal);
      }
      next += read;
    }
    replica.unwatch(kept);
  }

  private static int read(PartitionReader reader, long offset) {
    PartitionRead read = reader.read(offset, -1, -1, 1000, true, Isolation.READ_UNCOMMITTED);
    assertEquals(ErrorCode.NONE, read.error());
    LogSlice slice = read.records();
    assertNotNull(slice);
    return slice == null ? 0 : slice.sizeBytes();
  }

  @Test
  void nobodyIsForgottenWhenTheReplicaEnds() throws Exception {
    for (int round = 0; round < 200; round++) {
      Replica ending =
          new Replica(new TopicPartition(new UUID(1, round), "t", 0), storage, sweep, questions, 1);
      ending.open(SETTINGS);
      ending.apply(new PartitionState(List.of(1), List.of(1), 1, 0, 0), SETTINGS);
      Outcomes outcomes = new Outcomes();
      CountDownLatch go = new CountDownLatch(1);
      List<Future<?>> racers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        racers.add(
            threads.submit(
                () -> {
                  awaitLatch(go);
                  for (int n = 0; n < 20; n++) {
                    ending.append(outcomes.produce(30_000, ending));
                  }
                }));
      }
      racers.add(
          threads.submit(
              () -> {
                awaitLatch(go);
                ending.gone(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "deleted");
              }));
      go.countDown();
      await(racers);
      assertEquals(40, outcomes.answers.get(), "round " + round);
      assertEquals(Set.of(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), outcomes.errors);
    }
  }

  @Test
  void timeoutsAndProgressAnswerEachAppendOnce() throws Exception {
    lead();
    Outcomes outcomes = new Outcomes();
    List<Future<?>> appenders = startAppenders(outcomes, 0);
    Future<?> sweeper =
        threads.submit(
            () -> {
              while (outcomes.answers.get() < APPENDERS * EACH && !Thread.interrupted()) {
                replica.expire(context.nanoTime());
              }
            });
    Future<?> committer = startCommitter(outcomes, APPENDERS * EACH);
    await(appenders);
    await(List.of(sweeper, committer));
    assertEquals(APPENDERS * EACH, outcomes.answers.get());
    assertEquals(Set.of(), outcomes.wrong);
    outcomes.errors.removeAll(Set.of(ErrorCode.NONE, ErrorCode.REQUEST_TIMED_OUT));
    assertEquals(Set.of(), outcomes.errors);
  }

  @Test
  void leadershipMayComeAndGoWhileAppending() throws Exception {
    lead();
    Outcomes outcomes = new Outcomes();
    List<Future<?>> appenders = startAppenders(outcomes, 30_000);
    Future<?> metadata =
        threads.submit(
            () -> {
              for (int epoch = 1; epoch <= 501; epoch++) {
                int leader = epoch % 2 == 0 ? 2 : 1;
                replica.apply(
                    new PartitionState(List.of(1, 2), List.of(leader), leader, epoch, epoch),
                    SETTINGS);
                storage.log().commit();
              }
            });
    await(appenders);
    await(List.of(metadata));
    storage.log().commit();
    assertEquals(APPENDERS * EACH, outcomes.answers.get());
    assertEquals(Set.of(), outcomes.wrong);
    assertEquals(501, replica.leaderEpoch());
  }

  private List<Future<?>> startAppenders(Outcomes outcomes, int timeoutMs) {
    List<Future<?>> appenders = new ArrayList<>();
    for (int i = 0; i < APPENDERS; i++) {
      appenders.add(
          threads.submit(
              () -> {
                for (int n = 0; n < EACH; n++) {
                  replica.append(outcomes.produce(timeoutMs, replica));
                }
              }));
    }
    return appenders;
  }

  private Future<?> startCommitter(Outcomes outcomes, int total) {
    return threads.submit(
        () -> {
          while (!Thread.interrupted()
              && (outcomes.answers.get() < total || replica.highWatermark() < total)) {
            storage.log().commit();
            Thread.onSpinWait();
          }
        });
  }

  private static void await(List<Future<?>> futures)
      throws InterruptedException, ExecutionException, TimeoutException {
    for (Future<?> future : futures) {
      future.get(20, SECONDS);
    }
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      assertTrue(latch.await(20, SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  /// What appends were answered.
  private static final class Outcomes {
    private final AtomicInteger answers = new AtomicInteger();
    private final Set<Long> offsets = ConcurrentHashMap.newKeySet();
    private final Set<ErrorCode> errors = ConcurrentHashMap.newKeySet();
    private final Set<String> wrong = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<Long> order = new ConcurrentLinkedQueue<>();

    PartitionAppend produce(int timeoutMs, Partition partition) {
      AtomicInteger told = new AtomicInteger();
      return new PartitionAppend(RECORDS, (short) -1, timeoutMs, Origin.CLIENT) {
        @Override
        public void done(
            ErrorCode error, long base, long timeMs, long start, @Nullable String message) {
          errors.add(error);
          if (told.getAndIncrement() > 0) {
            wrong.add("answered twice");
          }
          if (error == ErrorCode.NONE) {
            order.add(base);
            if (!offsets.add(base)) {
              wrong.add("two appends at " + base);
            }
            if (partition.highWatermark() <= base) {
              wrong.add("acknowledged before visible: " + base);
            }
          }
          answers.incrementAndGet();
        }
      };
    }
  }

  /// A parked reader.
  private static final class Signal implements PartitionWatcher {
    private final Semaphore told = new Semaphore(0);

    @Override
    public void advanced(Partition partition, long bytes) {
      told.release();
    }

    @Override
    public void changed(Partition partition) {
      told.release();
    }

    void await(Partition partition, long offset) {
      try {
        assertTrue(
            told.tryAcquire(10, SECONDS),
            () -> "a wake-up was lost at " + offset + " of " + partition.highWatermark());
      } catch (InterruptedException e) {
        throw new AssertionError("interrupted", e);
      }
    }
  }
}
