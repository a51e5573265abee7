package io.takhin.kernel.lifecycle;

import io.takhin.api.HealthCheck;
import io.takhin.api.PluginContext;
import io.takhin.api.metrics.Metrics;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Phaser;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The kernel as one plugin sees it, and the record of everything that the plugin took from it.
public final class PluginScope implements PluginContext {
  private static final Logger log = LoggerFactory.getLogger(PluginScope.class);

  private static final SecureRandom RANDOM = new SecureRandom();
  private static final long THREAD_GRACE_MS = 500;

  private final String plugin;
  private final Path home;
  private final Kernel kernel;
  private final PluginScheduler scheduler;
  private final Executor sharedBlocking;
  // The kernel's, not that of whoever submits: a library ends all threads of a group of its own.
  private final ThreadGroup group = Thread.currentThread().getThreadGroup();
  private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
  private final Map<String, AtomicInteger> threadNumbers = new ConcurrentHashMap<>();
  private final List<HealthCheck> checks = new CopyOnWriteArrayList<>();
  private final Phaser blockingInFlight = new Phaser(1);
  private final Metrics metrics;
  // Written by the main thread at close, read by any thread of the plugin.
  private volatile boolean closed;

  /// What a scope needs from the kernel behind it.
  public interface Kernel {
    /// The one service of a type.
    <T> T service(String askingPlugin, Class<T> type);

    /// The value in force of every key.
    Map<String, String> configuration();

    /// Asks for an orderly stop with a failure.
    void fatal(String plugin, String reason, Throwable cause);

    /// Counts a defect that a plugin's task or thread showed.
    void defect(String plugin, String where, Throwable thrown);

    /// The registry, in which everything from here belongs to this plugin.
    Metrics metricsOf(String plugin);

    /// Removes what the plugin registered.
    void dropMetricsOf(String plugin);
  }

  /// A scope for one plugin.
  public PluginScope(String plugin, Path home, Kernel kernel, KernelThreads kernelThreads) {
    this.plugin = plugin;
    this.home = home;
    this.kernel = kernel;
    this.scheduler =
        new PluginScheduler(
            kernelThreads.scheduler(), thrown -> kernel.defect(plugin, "scheduled task", thrown));
    this.sharedBlocking = kernelThreads.blocking();
    this.metrics = kernel.metricsOf(plugin);
  }

  @Override
  public String pluginName() {
    return plugin;
  }

  @Override
  public <T> T service(Class<T> type) {
    return kernel.service(plugin, type);
  }

  @Override
  public Map<String, String> configuration() {
    return kernel.configuration();
  }

  @Override
  public InstantSource clock() {
    return InstantSource.system();
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public RandomGenerator random() {
    return RANDOM;
  }

  @Override
  public ScheduledExecutorService scheduler() {
    return scheduler;
  }

  @Override
  public Executor blocking() {
    return this::runBlocking;
  }

  private void runBlocking(Runnable task) {
    if (closed || blockingInFlight.register() < 0) {
      throw new RejectedExecutionException("plugin " + plugin + " is closed");
    }
    try {
      sharedBlocking.execute(
          () -> {
            try {
              task.run();
            } catch (Exception | LinkageError | AssertionError e) {
              kernel.defect(plugin, "blocking task", e);
            } finally {
              blockingInFlight.arriveAndDeregister();
            }
          });
    } catch (RejectedExecutionException e) {
      blockingInFlight.arriveAndDeregister();
      throw e;
    }
  }

  @Override
  public ThreadFactory threads(String purpose) {
    return body -> {
      int number =
          threadNumbers.computeIfAbsent(purpose, key -> new AtomicInteger()).incrementAndGet();
      Runnable tracked =
          () -> {
            try {
              body.run();
            } finally {
              threads.remove(Thread.currentThread());
            }
          };
      Thread thread = new Thread(group, tracked, "takhin-" + plugin + "-" + purpose + "-" + number);
      thread.setDaemon(true);
      thread.setUncaughtExceptionHandler(
          (dead, thrown) -> kernel.defect(plugin, "thread " + dead.getName(), thrown));
      threads.add(thread);
      return thread;
    };
  }

  @Override
  public Metrics metrics() {
    return metrics;
  }

  @Override
  public void health(HealthCheck check) {
    if (!closed) {
      checks.add(check);
    }
  }

  @Override
  public void fatal(String reason, Throwable cause) {
    kernel.fatal(plugin, reason, cause);
  }

  @Override
  public Path home() {
    return home;
  }

  /// The checks that the plugin registered.
  public List<HealthCheck> checks() {
    return List.copyOf(checks);
  }

  /// Takes everything back after the plugin's service has closed. What still runs is named in the
  /// log: it would keep the plugin's classes alive.
  public void close(long timeoutMs) {
    closed = true;
    scheduler.cancelAll();
    checks.clear();
    kernel.dropMetricsOf(plugin);
    int phase = blockingInFlight.arriveAndDeregister();
    try {
      if (blockingInFlight.getRegisteredParties() > 0) {
        blockingInFlight.awaitAdvanceInterruptibly(phase, timeoutMs, TimeUnit.MILLISECONDS);
      }
    } catch (TimeoutException e) {
      log.warn("plugin {} is closed, but blocking tasks of it still run", plugin);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    long deadline = System.nanoTime() + THREAD_GRACE_MS * 1_000_000;
    for (Thread thread : threads) {
      if (!ended(thread, deadline)) {
        log.warn("plugin {} is closed, but its thread {} still runs", plugin, thread.getName());
      }
    }
  }

  private static boolean ended(Thread thread, long deadline) {
    long leftNanos = Math.max(1, deadline - System.nanoTime());
    try {
      // A thread that was made and never started has nothing to end.
      return thread.getState() == Thread.State.NEW || thread.join(Duration.ofNanos(leftNanos));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
