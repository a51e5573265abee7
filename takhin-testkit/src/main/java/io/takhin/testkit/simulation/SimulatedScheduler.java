package io.takhin.testkit.simulation;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The kernel's housekeeping thread: tasks run on `runner` when they are due.
final class SimulatedScheduler extends AbstractExecutorService implements ScheduledExecutorService {
  private final Simulation simulation;
  private final SimulatedProcess process;
  private final Executor runner;

  SimulatedScheduler(Simulation simulation, SimulatedProcess process, Executor runner) {
    this.simulation = simulation;
    this.process = process;
    this.runner = runner;
  }

  private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
    private final long periodNanos;
    private long dueNanos;

    Task(Callable<V> body, long dueNanos, long periodNanos) {
      super(body);
      this.dueNanos = dueNanos;
      this.periodNanos = periodNanos;
    }

    Task<V> arm() {
      simulation.after(process, dueNanos - simulation.nanoTime(), () -> runner.execute(this));
      return this;
    }

    @Override
    public void run() {
      if (periodNanos == 0) {
        super.run();
      } else if (runAndReset()) {
        dueNanos = simulation.nanoTime() + periodNanos;
        arm();
      }
    }

    @Override
    protected void setException(Throwable thrown) {
      simulation.fail(thrown);
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(dueNanos - simulation.nanoTime(), TimeUnit.NANOSECONDS);
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
      return Long.hashCode(periodNanos);
    }
  }

  private static Callable<@Nullable Void> call(Runnable body) {
    return () -> {
      body.run();
      return null;
    };
  }

  private long at(long delay, TimeUnit unit) {
    return simulation.nanoTime() + unit.toNanos(Math.max(0, delay));
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    return new Task<>(call(command), at(delay, unit), 0).arm();
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
    return new Task<>(callable, at(delay, unit), 0).arm();
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    return new Task<>(call(command), at(initialDelay, unit), unit.toNanos(period)).arm();
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    return new Task<>(call(command), at(initialDelay, unit), unit.toNanos(delay)).arm();
  }

  @Override
  public void execute(Runnable command) {
    schedule(command, 0, TimeUnit.NANOSECONDS);
  }

  @Override
  public void shutdown() {
    throw new UnsupportedOperationException("the scheduler is the kernel's");
  }

  @Override
  public List<Runnable> shutdownNow() {
    throw new UnsupportedOperationException("the scheduler is the kernel's");
  }

  @Override
  public boolean isShutdown() {
    return !process.alive();
  }

  @Override
  public boolean isTerminated() {
    return !process.alive();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return !process.alive();
  }
}
