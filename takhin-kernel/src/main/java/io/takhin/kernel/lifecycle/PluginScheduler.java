package io.takhin.kernel.lifecycle;

import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One plugin's view of the shared scheduler. It remembers the plugin's tasks, so that closing the
/// plugin cancels them, and keeps a periodic task going when one run of it throws.
final class PluginScheduler extends AbstractExecutorService implements ScheduledExecutorService {
  private final ScheduledThreadPoolExecutor shared;
  private final Consumer<Throwable> onFailure;
  private final Set<Task<?>> tasks = ConcurrentHashMap.newKeySet();
  // Written by the main thread at close, read by any thread that schedules.
  private volatile boolean closed;

  PluginScheduler(ScheduledThreadPoolExecutor shared, Consumer<Throwable> onFailure) {
    this.shared = shared;
    this.onFailure = onFailure;
  }

  /// Cancels everything and takes nothing more.
  void cancelAll() {
    closed = true;
    tasks.forEach(task -> task.cancel(false));
    tasks.clear();
  }

  int taskCount() {
    return tasks.size();
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    return add(new Task<>(call(command), true), task -> shared.schedule(task, delay, unit));
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
    return add(new Task<>(callable, false), task -> shared.schedule(task, delay, unit));
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    return add(
        new PeriodicTask(command),
        task -> shared.scheduleAtFixedRate(task, initialDelay, period, unit));
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    return add(
        new PeriodicTask(command),
        task -> shared.scheduleWithFixedDelay(task, initialDelay, delay, unit));
  }

  @Override
  public void execute(Runnable command) {
    schedule(command, 0, TimeUnit.NANOSECONDS);
  }

  @Override
  public void shutdown() {
    throw belongsToKernel();
  }

  @Override
  public List<Runnable> shutdownNow() {
    throw belongsToKernel();
  }

  @Override
  public boolean isShutdown() {
    return closed;
  }

  @Override
  public boolean isTerminated() {
    return closed;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return closed;
  }

  private static UnsupportedOperationException belongsToKernel() {
    return new UnsupportedOperationException("the scheduler belongs to the kernel: cancel tasks");
  }

  private static Callable<@Nullable Object> call(Runnable command) {
    return () -> {
      command.run();
      return null;
    };
  }

  private interface Submission {
    ScheduledFuture<?> submit(Runnable task);
  }

  private <V> Task<V> add(Task<V> task, Submission submission) {
    if (closed) {
      throw new RejectedExecutionException("the plugin is closed");
    }
    tasks.add(task);
    try {
      task.scheduled = submission.submit(task);
    } catch (RejectedExecutionException e) {
      tasks.remove(task);
      throw e;
    }
    if (closed || task.isCancelled()) {
      task.cancel(false); // closed in between: this scheduling was not seen by cancelAll
    }
    return task;
  }

  private class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
    private final boolean logFailure;
    // Set by the scheduling thread after the task may already run; read by cancel and getDelay.
    volatile @Nullable ScheduledFuture<?> scheduled;

    Task(Callable<V> body, boolean logFailure) {
      super(body);
      this.logFailure = logFailure;
    }

    @Override
    protected void setException(Throwable thrown) {
      super.setException(thrown);
      if (logFailure) {
        onFailure.accept(thrown); // nobody reads the future of a fire-and-forget task
      }
    }

    @Override
    protected void done() {
      tasks.remove(this);
      ScheduledFuture<?> inner = scheduled;
      if (inner != null && isCancelled()) {
        inner.cancel(false);
      }
    }

    @Override
    public long getDelay(TimeUnit unit) {
      ScheduledFuture<?> inner = scheduled;
      return inner == null ? 0 : inner.getDelay(unit);
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  private final class PeriodicTask extends Task<@Nullable Object> {
    PeriodicTask(Runnable command) {
      super(
          () -> {
            try {
              command.run();
            } catch (Exception | LinkageError | AssertionError e) {
              onFailure.accept(e);
            }
            return null;
          },
          false);
    }

    @Override
    public void run() {
      runAndReset();
    }
  }
}
