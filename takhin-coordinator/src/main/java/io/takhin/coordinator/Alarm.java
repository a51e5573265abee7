package io.takhin.coordinator;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// One timer for all deadlines of a coordinator: it rings when the earliest is due. Setting it
/// earlier adds a task to the scheduler, setting it later does nothing; an idle broker has no task
/// at all.
final class Alarm {
  private final ScheduledExecutorService scheduler;
  private final LongSupplier monotonicMs;
  private final Runnable ring;
  private final AtomicLong setFor = new AtomicLong(Deadlines.NEVER);

  Alarm(ScheduledExecutorService scheduler, LongSupplier monotonicMs, Runnable ring) {
    this.scheduler = scheduler;
    this.monotonicMs = monotonicMs;
    this.ring = ring;
  }

  /// Rings at `atMs` or before.
  void set(long atMs) {
    long current = setFor.get();
    while (atMs < current) {
      if (setFor.compareAndSet(current, atMs)) {
        schedule(atMs);
        return;
      }
      current = setFor.get();
    }
  }

  private void schedule(long atMs) {
    long delayMs = Math.max(0, atMs - monotonicMs.getAsLong());
    try {
      scheduler.schedule(() -> rings(atMs), delayMs, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The kernel stops: nothing is due any more.
      setFor.set(Deadlines.NEVER);
    }
  }

  /// A task that was overtaken by an earlier one does nothing: only the time that is set rings.
  private void rings(long atMs) {
    if (setFor.compareAndSet(atMs, Deadlines.NEVER)) {
      ring.run();
    }
  }
}
