package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LogOpeningTest {
  @Test
  void busyWorkersStopNothing() {
    AtomicInteger opened = new AtomicInteger();
    List<Runnable> queued = new ArrayList<>();
    LogOpening.all(java.util.Collections.nCopies(100, opened::incrementAndGet), queued::add);
    assertEquals(100, opened.get());
    queued.forEach(Runnable::run);
    assertEquals(100, opened.get());
    LogOpening.all(
        java.util.Collections.nCopies(100, opened::incrementAndGet),
        refused -> {
          throw new RejectedExecutionException("full");
        });
    assertEquals(200, opened.get());
  }

  @Test
  void manyAreOpenedAtATime() {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    CyclicBarrier together = new CyclicBarrier(2);
    List<Runnable> opens = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      opens.add(
          () -> {
            threads.add(Thread.currentThread());
            try {
              together.await(10, TimeUnit.SECONDS);
            } catch (Exception e) {
              throw new IllegalStateException("nobody else opens", e);
            }
          });
    }
    try (ExecutorService workers = Executors.newFixedThreadPool(1)) {
      LogOpening.all(opens, workers);
    }
    assertTrue(threads.size() >= 2);
  }

  @Test
  void aDefectIsThrownAfterTheOthersAreOpen() {
    AtomicInteger opened = new AtomicInteger();
    List<Runnable> opens =
        new ArrayList<>(java.util.Collections.nCopies(10, opened::incrementAndGet));
    opens.add(
        3,
        () -> {
          throw new IllegalArgumentException("defect");
        });
    assertThrows(IllegalArgumentException.class, () -> LogOpening.all(opens, Runnable::run));
    assertEquals(10, opened.get());
  }
}
