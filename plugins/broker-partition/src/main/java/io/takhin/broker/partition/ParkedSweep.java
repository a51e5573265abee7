package io.takhin.broker.partition;

import io.takhin.api.PluginContext;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Times appends out: one periodic task for the broker, which looks only at partitions where
/// somebody waits. A timeout is late by at most one period.
///
/// Threading: [#add] any thread; the sweep on the kernel's scheduler.
final class ParkedSweep implements AutoCloseable {
  private static final long PERIOD_MS = 100;

  private final PluginContext context;
  private final Set<Replica> waiting = ConcurrentHashMap.newKeySet();
  private @Nullable ScheduledFuture<?> task;

  ParkedSweep(PluginContext context) {
    this.context = context;
  }

  void start() {
    task =
        context
            .scheduler()
            .scheduleWithFixedDelay(this::sweep, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
  }

  /// When an append that may take so long has taken too long.
  long deadlineNanos(int timeoutMs) {
    return context.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.max(0, timeoutMs));
  }

  /// Looks at this partition too, from the next sweep on.
  void add(Replica replica) {
    waiting.add(replica);
  }

  private void sweep() {
    if (waiting.isEmpty()) {
      return;
    }
    long now = context.nanoTime();
    for (Replica replica : waiting) {
      // Taken out first: whoever parks an append after expire() found none adds it again.
      waiting.remove(replica);
      if (replica.expire(now)) {
        waiting.add(replica);
      }
    }
  }

  @Override
  public void close() {
    ScheduledFuture<?> running = task;
    if (running != null) {
      running.cancel(false);
    }
    waiting.clear();
  }
}
