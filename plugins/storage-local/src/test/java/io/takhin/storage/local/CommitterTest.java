package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.appended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TopicPartition;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.PartitionLog;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Who waits for whose fsync.
@Timeout(30)
class CommitterTest {
  /// A disk on which the fsync of some segments waits for leave.
  private static final class SlowDisk extends ForwardingDisk {
    final Semaphore leave = new Semaphore(0);
    final CountDownLatch waiting = new CountDownLatch(1);
    final AtomicInteger forcing = new AtomicInteger();
    final AtomicInteger overlaps = new AtomicInteger();
    volatile String slow = "slow-";

    SlowDisk() {
      super(new FileDisk());
    }

    @Override
    public File open(Path path, boolean create) throws IOException {
      File file = disk.open(path, create);
      boolean segment = path.toString().endsWith(LogFiles.LOG);
      return new ForwardingFile(file) {
        @Override
        public void force() throws IOException {
          if (segment && path.toString().contains(slow)) {
            overlaps.accumulateAndGet(forcing.incrementAndGet(), Math::max);
            waiting.countDown();
            leave.acquireUninterruptibly();
            forcing.decrementAndGet();
          }
          super.force();
        }
      };
    }
  }

  /// How far a log is committed.
  private static final class Committed implements LogListener {
    final AtomicLong end = new AtomicLong();
    final Semaphore told = new Semaphore(0);

    @Override
    public void committable(long endOffset, long bytes) {
      end.set(endOffset);
      told.release();
    }

    @Override
    public void logStartAdvanced(long logStartOffset) {}

    @Override
    public void offline(String reason) {
      throw new AssertionError(reason);
    }

    void await(long endOffset) throws InterruptedException {
      while (end.get() < endOffset) {
        assertTrue(told.tryAcquire(20, TimeUnit.SECONDS), () -> "still at " + end);
      }
    }
  }

  @TempDir Path directory;
  private final SlowDisk disk = new SlowDisk();
  private final List<Committed> listeners = new ArrayList<>();
  private Fixture fixture;
  private LocalLogStorage storage;

  @BeforeEach
  void start() {
    fixture = new Fixture(directory, disk);
    storage = fixture.start();
  }

  private PartitionLog forced(String topic, int partition) {
    Committed listener = new Committed();
    listeners.add(listener);
    return storage.open(
        new TopicPartition(new UUID(1, topic.hashCode()), topic, partition),
        new LogConfigBuilder().flushMessages(1).build(),
        listener);
  }

  @AfterEach
  void close() {
    disk.leave.release(1_000_000);
    storage.close();
    fixture.close();
  }

  @Test
  void fsyncThatTakesLongHoldsUpNoOtherLog() throws InterruptedException {
    PartitionLog slow = forced("slow", 0);
    PartitionLog quick = forced("quick", 0);
    appended(slow, Batches.of("a"));
    disk.waiting.await();
    for (int i = 1; i <= 100; i++) {
      appended(quick, Batches.of("b"));
      listeners.get(1).await(i);
    }
    assertEquals(0, listeners.getFirst().end.get());
    disk.leave.release();
    listeners.getFirst().await(1);
  }

  @Test
  void oneLogIsForcedByOneThreadAndGathersMeanwhile() throws InterruptedException {
    PartitionLog slow = forced("slow", 0);
    appended(slow, Batches.of("a"));
    disk.waiting.await();
    for (int i = 0; i < 50; i++) {
      appended(slow, Batches.of("b"));
    }
    disk.leave.release();
    listeners.getFirst().await(1);
    disk.leave.release();
    listeners.getFirst().await(51);
    assertEquals(1, disk.overlaps.get());
    assertEquals(0, disk.leave.availablePermits(), "two rounds for 51 appends");
  }

  @Test
  void threadsAreBoundedAndNoneIsForgottenBehindThem() throws InterruptedException {
    int logs = 3 * Committer.MOST_THREADS;
    for (int i = 0; i < logs; i++) {
      appended(forced("slow", i), Batches.of("a"));
    }
    while (disk.forcing.get() < Committer.MOST_THREADS) {
      Thread.onSpinWait();
    }
    disk.leave.release(logs);
    for (Committed each : listeners) {
      each.await(1);
    }
    assertEquals(Committer.MOST_THREADS, disk.overlaps.get());
  }
}
