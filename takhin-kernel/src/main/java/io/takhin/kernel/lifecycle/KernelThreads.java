package io.takhin.kernel.lifecycle;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The threads that all plugins share: one for housekeeping, a few for what blocks.
public final class KernelThreads implements AutoCloseable {
  private static final int MIN_BLOCKING = 4;

  private final ScheduledThreadPoolExecutor scheduler;
  private final ThreadPoolExecutor blocking;
  // Written by the scheduler's thread once it runs, read by whoever asks where it hangs.
  private volatile Thread schedulerThread = Thread.currentThread();

  /// Starts none of them yet; they come with the first task.
  public KernelThreads() {
    scheduler =
        new ScheduledThreadPoolExecutor(
            1,
            body -> {
              Thread thread = daemon(body, "takhin-scheduler");
              schedulerThread = thread;
              return thread;
            });
    scheduler.setRemoveOnCancelPolicy(true);
    int size = Math.max(MIN_BLOCKING, 2 * Runtime.getRuntime().availableProcessors());
    AtomicInteger number = new AtomicInteger();
    blocking =
        new ThreadPoolExecutor(
            size,
            size,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            body -> daemon(body, "takhin-blocking-" + number.incrementAndGet()));
    blocking.allowCoreThreadTimeOut(true);
  }

  private static Thread daemon(Runnable body, String name) {
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name(name)
            .inheritInheritableThreadLocals(false)
            .unstarted(body);
    // The plugin whose task happens to be the first must not leave its loader here for good.
    thread.setContextClassLoader(KernelThreads.class.getClassLoader());
    return thread;
  }

  /// The housekeeping thread's scheduler.
  ScheduledThreadPoolExecutor scheduler() {
    return scheduler;
  }

  /// The workers.
  ThreadPoolExecutor blocking() {
    return blocking;
  }

  /// Runs a task of the kernel's own again and again.
  public void repeat(Runnable task, long periodMs) {
    scheduler.scheduleWithFixedDelay(task, periodMs, periodMs, TimeUnit.MILLISECONDS);
  }

  /// What the housekeeping thread does right now, for the log when it hangs.
  public StackTraceElement[] schedulerStack() {
    return schedulerThread.getStackTrace();
  }

  @Override
  public void close() {
    scheduler.shutdownNow();
    blocking.shutdownNow();
  }
}
