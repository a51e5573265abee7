package io.takhin.broker.partition;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens many logs at a time. The caller opens too and needs no helper to finish, so that busy
/// workers slow it down but never stop it.
final class LogOpening {
  private static final Logger log = LoggerFactory.getLogger(LogOpening.class);

  private static final int HELPERS = 3;
  private static final int FEW = 4;
  private static final int REPORT_EVERY = 10_000;

  private final List<Runnable> opens;
  private final AtomicInteger next = new AtomicInteger();
  private final CountDownLatch done;
  private final AtomicReference<RuntimeException> failure = new AtomicReference<>();

  private LogOpening(List<Runnable> opens) {
    this.opens = opens;
    this.done = new CountDownLatch(opens.size());
  }

  /// Runs all of them and returns when all have ended; throws what one of them threw.
  static void all(List<Runnable> opens, Executor helpers) {
    LogOpening opening = new LogOpening(opens);
    for (int i = 0; i < HELPERS && opens.size() > FEW; i++) {
      try {
        helpers.execute(opening::work);
      } catch (RejectedExecutionException e) {
        log.debug("no helper to open logs", e);
      }
    }
    opening.work();
    opening.await();
  }

  private void work() {
    for (int i = next.getAndIncrement(); i < opens.size(); i = next.getAndIncrement()) {
      try {
        opens.get(i).run();
      } catch (RuntimeException e) {
        failure.compareAndSet(null, e);
      } finally {
        done.countDown();
      }
      if ((i + 1) % REPORT_EVERY == 0) {
        log.info("{} of {} logs are open", i + 1, opens.size());
      }
    }
  }

  private void await() {
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while logs were opened", e);
    }
    RuntimeException thrown = failure.get();
    if (thrown != null) {
      throw thrown;
    }
  }
}
