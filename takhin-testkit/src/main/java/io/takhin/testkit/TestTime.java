package io.takhin.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Time that stands still until a test moves it: a wall clock, a monotonic clock, and a scheduler
/// whose tasks run on the thread that calls [#advance], in the order of their due times. Equal due
/// times run in the order of submission, so a test always sees the same run.
///
/// Threading: tasks may be submitted from any thread; one thread at a time moves the time.
public final class TestTime {
  /// Where the wall clock of a new time stands: a fixed instant, so that failures repeat.
  public static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");

  private final Object lock = new Object();
  private final PriorityQueue<Task<?>> tasks = new PriorityQueue<>();
  private final Scheduler scheduler = new Scheduler();
  // Guarded by lock; nanos starts above 0 so that "0 means never" mistakes show.
  private long nanos = Duration.ofHours(1).toNanos();
  private Instant wall = EPOCH;
  private long sequence;
  private boolean shutDown;

  /// A time at [#EPOCH].
  public TestTime() {}

  /// The wall clock; see [#advance] and [#jumpWallClock].
  public InstantSource clock() {
    return () -> {
      synchronized (lock) {
        return wall;
      }
    };
  }

  /// The monotonic clock.
  public long nanoTime() {
    synchronized (lock) {
      return nanos;
    }
  }

  /// Milliseconds of the wall clock.
  public long wallMs() {
    synchronized (lock) {
      return wall.toEpochMilli();
    }
  }

  /// The scheduler on this time.
  public ScheduledExecutorService scheduler() {
    return scheduler;
  }

  /// Sets the wall clock alone, forwards or backwards, as an administrator or NTP does.
  public void jumpWallClock(Instant to) {
    synchronized (lock) {
      wall = to;
    }
  }

  /// Moves both clocks on and runs what falls due on the way, each task at its own time.
  ///
  /// @return how many tasks ran
  public int advance(Duration by) {
    long until;
    synchronized (lock) {
      until = nanos + by.toNanos();
    }
    int ran = 0;
    for (Task<?> task = takeDue(until); task != null; task = takeDue(until)) {
      task.run();
      ran++;
    }
    synchronized (lock) {
      moveTo(until);
    }
    return ran;
  }

  /// Moves on by milliseconds; see [#advance].
  public int advanceMs(long ms) {
    return advance(Duration.ofMillis(ms));
  }

  /// Runs what is due now, and what that makes due now, without moving the clocks.
  public int runDue() {
    return advance(Duration.ZERO);
  }

  /// How many tasks wait, periodic ones included.
  public int pendingTasks() {
    synchronized (lock) {
      return tasks.size();
    }
  }

  private @Nullable Task<?> takeDue(long until) {
    synchronized (lock) {
      Task<?> first = tasks.peek();
      if (first == null || first.dueNanos > until) {
        return null;
      }
      tasks.remove();
      moveTo(first.dueNanos);
      return first;
    }
  }

  private void moveTo(long to) {
    if (to > nanos) {
      wall = wall.plusNanos(to - nanos);
      nanos = to;
    }
  }

  private <V> Task<V> add(Task<V> task) {
    synchronized (lock) {
      if (shutDown) {
        throw new RejectedExecutionException("the scheduler of this test is shut down");
      }
      task.sequence = sequence++;
      tasks.add(task);
    }
    return task;
  }

  private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
    private final long periodNanos;
    private final boolean fixedRate;
    private volatile long dueNanos; // written by the thread that moves the time, read by getDelay
    private long sequence;

    Task(Callable<V> body, long dueNanos, long periodNanos, boolean fixedRate) {
      super(body);
      this.dueNanos = dueNanos;
      this.periodNanos = periodNanos;
      this.fixedRate = fixedRate;
    }

    @Override
    public void run() {
      if (periodNanos == 0) {
        super.run();
      } else if (runAndReset()) {
        synchronized (lock) {
          if (!shutDown) {
            dueNanos = (fixedRate ? dueNanos : nanos) + periodNanos;
            sequence = TestTime.this.sequence++;
            tasks.add(this);
          }
        }
      }
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
      boolean cancelled = super.cancel(mayInterrupt);
      synchronized (lock) {
        tasks.remove(this);
      }
      return cancelled;
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(dueNanos - nanoTime(), TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
      Task<?> that = (Task<?>) other;
      int byTime = Long.compare(dueNanos, that.dueNanos);
      return byTime != 0 ? byTime : Long.compare(sequence, that.sequence);
    }

    // Identity: two tasks due at the same time are different tasks.
    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  private final class Scheduler extends AbstractExecutorService
      implements ScheduledExecutorService {
    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
      return schedule(call(command), delay, unit);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
      return add(new Task<>(callable, dueAfter(delay, unit), 0, false));
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(
        Runnable command, long initialDelay, long period, TimeUnit unit) {
      return add(
          new Task<>(call(command), dueAfter(initialDelay, unit), period(period, unit), true));
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(
        Runnable command, long initialDelay, long delay, TimeUnit unit) {
      return add(
          new Task<>(call(command), dueAfter(initialDelay, unit), period(delay, unit), false));
    }

    @Override
    public void execute(Runnable command) {
      schedule(command, 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public void shutdown() {
      shutdownNow();
    }

    @Override
    public List<Runnable> shutdownNow() {
      synchronized (lock) {
        shutDown = true;
        List<Runnable> left = new ArrayList<>(tasks);
        tasks.clear();
        return left;
      }
    }

    @Override
    public boolean isShutdown() {
      synchronized (lock) {
        return shutDown;
      }
    }

    @Override
    public boolean isTerminated() {
      return isShutdown();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return isShutdown();
    }

    private Callable<@Nullable Object> call(Runnable command) {
      return () -> {
        command.run();
        return null;
      };
    }

    private long dueAfter(long delay, TimeUnit unit) {
      return nanoTime() + Math.max(0, unit.toNanos(delay));
    }

    private long period(long period, TimeUnit unit) {
      if (period <= 0) {
        throw new IllegalArgumentException("period must be above 0: " + period);
      }
      return unit.toNanos(period);
    }
  }
}
