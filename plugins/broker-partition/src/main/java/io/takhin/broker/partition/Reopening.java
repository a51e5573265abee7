package io.takhin.broker.partition;

import io.takhin.api.PluginContext;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens logs that found no room, or no file handle, as soon as there is some. One task for the
/// broker, which is scheduled only while such logs wait.
///
/// ```
///   idle ── add ──▶ armed ── a delay later, on a worker ──▶ round ── no room ──▶ armed
///     ▲───────────────────────────────────────────────────────┘ all are open
/// ```
///
/// A round ends at the first log that finds no room: a full disk costs one attempt each delay,
/// however many logs wait. That log goes to the end, so that one that needs more than there is does
/// not hold back the others. The delay doubles while nothing comes of it.
///
/// Threading: [#add] any thread; one round at a time on the kernel's workers.
final class Reopening implements AutoCloseable {
  /// How soon the first attempt is made.
  static final long FIRST_DELAY_MS = 1_000;

  /// How far attempts may get apart.
  static final long MAX_DELAY_MS = 10_000;

  private static final Logger log = LoggerFactory.getLogger(Reopening.class);

  private final PluginContext context;
  private final Attempt attempt;
  private final Queue<Replica> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean armed = new AtomicBoolean();
  private volatile boolean closed;

  // Of the rounds, one of which begins after the other has ended.
  private long delayMs = FIRST_DELAY_MS;
  private int opened;

  Reopening(PluginContext context, Attempt attempt) {
    this.context = context;
    this.attempt = attempt;
  }

  /// Tries to open the log of a replica.
  interface Attempt {
    /// Whether it need not be tried again: it is open, failed for good, or is not wanted any more.
    boolean done(Replica replica);
  }

  /// Has the log of this replica opened later.
  void add(Replica replica) {
    waiting.add(replica);
    if (armed.compareAndSet(false, true)) {
      log.warn(
          "{} is offline: {} It is tried again, with all that find none, until there is",
          replica.id(),
          replica.offline());
      schedule(FIRST_DELAY_MS);
    }
  }

  private void schedule(long afterMs) {
    if (closed) {
      return;
    }
    try {
      context.scheduler().schedule(this::begin, afterMs, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("the broker stops: logs that found no room stay closed", e);
    }
  }

  private void begin() {
    try {
      context.blocking().execute(this::round);
    } catch (RejectedExecutionException e) {
      log.debug("the broker stops: logs that found no room stay closed", e);
    }
  }

  private void round() {
    boolean progress = false;
    Replica replica = waiting.poll();
    while (replica != null && !closed) {
      if (!done(replica)) {
        waiting.add(replica);
        delayMs = progress ? FIRST_DELAY_MS : Math.min(2 * delayMs, MAX_DELAY_MS);
        schedule(delayMs);
        return;
      }
      progress = true;
      opened += replica.leader() ? 1 : 0;
      replica = waiting.poll();
    }
    if (opened > 0) {
      log.info("there is room again: {} partitions that had found none are open", opened);
    }
    opened = 0;
    delayMs = FIRST_DELAY_MS;
    armed.set(false);
    if (!waiting.isEmpty() && armed.compareAndSet(false, true)) { // added meanwhile
      schedule(FIRST_DELAY_MS);
    }
  }

  private boolean done(Replica replica) {
    try {
      return attempt.done(replica);
    } catch (RuntimeException e) {
      log.error("opening {} once more: a defect", replica.id(), e);
      return false;
    }
  }

  @Override
  public void close() {
    closed = true;
    waiting.clear();
  }
}
