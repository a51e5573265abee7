package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.util.AwaitForSignal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The class that stands in for Ratis' own.
class RatisSignalTest {
  @Test
  void aSignalBeforeTheWaitCountsOnce() throws Exception {
    AwaitForSignal signal = new AwaitForSignal("1@group-GrpcLogAppender");
    signal.signal();
    signal.signal();
    assertTrue(signal.await(0, TimeUnit.MILLISECONDS), "Ratis' own class forgets it");
    assertFalse(signal.await(1, TimeUnit.NANOSECONDS), "there was one wait for it already");
  }

  @Test
  @Timeout(20)
  void theUpdaterSleepsUntilItIsSignalled() throws Exception {
    AwaitForSignal signal = new AwaitForSignal("1@group-StateMachineUpdater");
    CountDownLatch woken = new CountDownLatch(1);
    Thread updater =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    if (signal.await(1, TimeUnit.NANOSECONDS)) {
                      woken.countDown();
                    }
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    while (updater.getState() != Thread.State.TIMED_WAITING) {
      assertTrue(updater.isAlive(), "it did not wait, though nobody had signalled");
      Thread.onSpinWait();
    }
    assertEquals(1, woken.getCount());
    signal.signal();
    assertTrue(woken.await(10, TimeUnit.SECONDS));
  }
}
