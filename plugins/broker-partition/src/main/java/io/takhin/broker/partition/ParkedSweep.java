package io.takhin.broker.partition;

import io.takhin.api.PluginContext;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Times appends out: one task for the broker, which looks only at partitions where somebody waits,
/// and is scheduled only while somebody does, so that an idle broker sleeps. A timeout is late by
/// at most one period.
///
/// ```
///   idle ── add ──▶ armed ── a period later ──▶ sweep ── somebody waits still ──▶ armed
///     ▲───────────────────────────────────────────┘ nobody does
/// ```
///
/// Threading: [#add] any thread; the sweep on the kernel's scheduler.
final class ParkedSweep implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ParkedSweep.class);
  private static final long PERIOD_MS = 100;

  private final PluginContext context;
  private final Set<Replica> waiting = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean armed = new AtomicBoolean();
  private volatile boolean closed;

  ParkedSweep(PluginContext context) {
    this.context = context;
  }

  /// When an append that may take so long has taken too long.
  long deadlineNanos(int timeoutMs) {
    return context.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.max(0, timeoutMs));
  }

  /// Looks at this partition too, from the next sweep on.
  void add(Replica replica) {
    waiting.add(replica);
    arm();
  }

  private void arm() {
    if (closed || !armed.compareAndSet(false, true)) {
      return;
    }
    try {
      context.scheduler().schedule(this::sweep, PERIOD_MS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("The broker stops: nobody is timed out any more", e);
    }
  }

  private void sweep() {
    // First, so that whoever is added from here on arms again.
    armed.set(false);
    long now = context.nanoTime();
    // A copy: what is taken out and added again would come up again, and two in one bin for ever.
    for (Replica replica : waiting.toArray(new Replica[0])) {
      // Taken out first: whoever parks an append after expire() found none adds it again.
      waiting.remove(replica);
      if (replica.expire(now)) {
        waiting.add(replica);
      }
    }
    if (!waiting.isEmpty()) {
      arm();
    }
  }

  @Override
  public void close() {
    closed = true;
    waiting.clear();
  }
}
