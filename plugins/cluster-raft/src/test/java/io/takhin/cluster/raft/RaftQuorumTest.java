package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.MetadataQuorumContract;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The contract, over Ratis.
class RaftQuorumTest extends MetadataQuorumContract {
  @TempDir Path dir;
  private final TestContext context = TestClusters.context();
  private final RaftCluster cluster =
      (RaftCluster)
          new RaftClusterProvider().create(TestClusters.config(Path.of("unused")), context);
  private RaftCluster opened = cluster;

  @Override
  protected MetadataQuorum open() {
    cluster.close();
    opened = TestClusters.started(TestClusters.config(dir), context);
    return opened.quorum();
  }

  @Override
  protected void subscribe(MetadataListener listener) {
    opened.subscribe(listener);
  }

  @Override
  protected void close() {
    assertDoesNotThrow(opened::close);
    context.close();
  }

  /// Without a limit the reason of a failed start would never be told.
  @Test
  @Timeout(20)
  void aCloseThatNeverEndsIsNotWaitedFor() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    List<Thread> closers = new ArrayList<>();
    RaftQuorum.closeWithin(
        1,
        task -> {
          closers.add(Thread.ofPlatform().daemon().unstarted(task));
          return closers.getFirst();
        },
        () -> await(never),
        new IllegalStateException("the log is damaged"));
    assertTrue(closers.getFirst().isAlive(), "it was to go on beside");
    never.countDown();
    closers.getFirst().join();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts it", e);
    }
  }

  @Test
  @Timeout(20)
  void whatACloseThrowsIsToldWithTheReason() {
    IllegalStateException reason = new IllegalStateException("the log is damaged");
    IllegalStateException thrown = new IllegalStateException("and cannot be closed");
    RaftQuorum.closeWithin(
        20_000,
        Thread::new,
        () -> {
          throw thrown;
        },
        reason);
    assertEquals(1, reason.getSuppressed().length);
    assertSame(thrown, reason.getSuppressed()[0]);
  }
}
