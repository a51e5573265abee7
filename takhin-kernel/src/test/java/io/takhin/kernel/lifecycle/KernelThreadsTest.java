package io.takhin.kernel.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class KernelThreadsTest {
  /// Found by taking a broker's threads away: the opening of a new partition's log ended it.
  @Test
  void whatBlocksRunsWithItsCallerWhenThereAreNoMoreThreads() throws Exception {
    AtomicBoolean none = new AtomicBoolean(true);
    try (KernelThreads threads =
        new KernelThreads(
            body -> {
              if (none.get()) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              return new Thread(body);
            })) {
      CompletableFuture<Thread> without = new CompletableFuture<>();
      threads.blocking().execute(() -> without.complete(Thread.currentThread()));
      assertEquals(Thread.currentThread(), without.get(5, TimeUnit.SECONDS));
      none.set(false);
      CompletableFuture<Thread> with = new CompletableFuture<>();
      threads.blocking().execute(() -> with.complete(Thread.currentThread()));
      assertNotEquals(Thread.currentThread(), with.get(5, TimeUnit.SECONDS));
    }
  }
}
