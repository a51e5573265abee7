package io.takhin.kernel.lifecycle;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The threads that all plugins share: one for housekeeping, a few for what blocks.
public final class KernelThreads implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KernelThreads.class);
  private static final int MIN_BLOCKING = 4;

  private final ScheduledThreadPoolExecutor scheduler;
  private final ThreadPoolExecutor blocking;
  // Written by the scheduler's thread once it runs, read by whoever asks where it hangs.
  private volatile Thread schedulerThread = Thread.currentThread();

  /// Starts none of them yet; they come with the first task.
  public KernelThreads() {
    this(numbered());
  }

  /// @param workers makes the threads for what blocks
  KernelThreads(ThreadFactory workers) {
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
    blocking = new Workers(size, workers);
    blocking.allowCoreThreadTimeOut(true);
  }

  private static ThreadFactory numbered() {
    AtomicInteger number = new AtomicInteger();
    return body -> daemon(body, "takhin-blocking-" + number.incrementAndGet());
  }

  /// Workers that come when they are needed. When the system gives no more threads, a task runs
  /// where it was asked for: late is better than a broker that ends in the middle of a change.
  private static final class Workers extends ThreadPoolExecutor {
    private final AtomicBoolean warned = new AtomicBoolean();

    Workers(int size, ThreadFactory factory) {
      super(size, size, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
    }

    @Override
    public void execute(Runnable task) {
      try {
        super.execute(task);
      } catch (OutOfMemoryError noThread) { // of the heap there is none: the JVM would have ended
        if (warned.compareAndSet(false, true)) {
          LOG.warn(
              "no thread could be started ({}): what blocks runs on the threads that ask for it."
                  + " Raise the limit of processes",
              noThread.getMessage());
        }
        task.run();
      }
    }
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
