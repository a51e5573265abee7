package io.takhin.storage.local;

import io.takhin.api.PluginContext;
import java.io.IOException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What happens in the background: fsync of what is due, files that go, checkpoints, retention.
/// A tick looks only at logs that were written; idle partitions cost nothing until retention, and a
/// tick that finds nothing to do wakes no worker.
///
/// Threading: ticks on the kernel's scheduler, which only hand the work to a worker; one round at
/// a time.
final class Housekeeping {
  private static final Logger LOGGER = LoggerFactory.getLogger(Housekeeping.class);
  private static final long MAX_TICK_MS = 1000;
  private static final long CHECKPOINT_MS = 5000;

  private final LocalStorageConfig config;
  private final PluginContext plugin;
  private final LocalLogStorage storage;
  private final RetentionClock retentionClock;
  private final AtomicBoolean queued = new AtomicBoolean();
  private final ReentrantLock working = new ReentrantLock();
  private @Nullable Future<?> ticking;
  private volatile boolean closed;
  // Written by the worker of a round, read by the scheduler's thread.
  private volatile long checkpointAt;
  private volatile long cleanAt;

  Housekeeping(LocalStorageConfig config, PluginContext plugin, LocalLogStorage storage) {
    this.config = config;
    this.plugin = plugin;
    this.storage = storage;
    this.retentionClock = new RetentionClock(plugin.clock().millis(), plugin.nanoTime());
  }

  void start() {
    long tickMs = Math.min(config.flushIntervalMs(), MAX_TICK_MS);
    long now = plugin.nanoTime();
    checkpointAt = now + TimeUnit.MILLISECONDS.toNanos(CHECKPOINT_MS);
    cleanAt = now + TimeUnit.MILLISECONDS.toNanos(config.cleanupIntervalMs());
    ticking =
        plugin
            .scheduler()
            .scheduleWithFixedDelay(this::tick, tickMs, tickMs, TimeUnit.MILLISECONDS);
  }

  private void tick() {
    if (!closed && isDue() && queued.compareAndSet(false, true)) {
      try {
        plugin.blocking().execute(this::round);
      } catch (RejectedExecutionException e) {
        queued.set(false); // the kernel is closing
      }
    }
  }

  private boolean isDue() {
    long now = plugin.nanoTime();
    return !storage.context().dirty().isEmpty()
        || !storage.removals().isEmpty()
        || now - checkpointAt >= 0
        || now - cleanAt >= 0;
  }

  private void round() {
    working.lock();
    try {
      queued.set(false);
      if (!closed) {
        work();
      }
    } catch (RuntimeException e) {
      LOGGER.error("housekeeping of the logs failed", e);
    } finally {
      working.unlock();
    }
  }

  private void work() {
    LogContext context = storage.context();
    context
        .dirty()
        .drain(
            log -> {
              if (log.durability().flushIfDue()) {
                context.dirty().add(log);
              }
            });
    storage.removals().run(false);
    long now = plugin.nanoTime();
    if (now - checkpointAt >= 0) {
      checkpointAt = now + TimeUnit.MILLISECONDS.toNanos(CHECKPOINT_MS);
      checkpoint();
    }
    if (now - cleanAt >= 0) {
      cleanAt = now + TimeUnit.MILLISECONDS.toNanos(config.cleanupIntervalMs());
      clean();
    }
  }

  private void checkpoint() {
    DirectoryState directory = storage.context().directory();
    if (directory.offline() != null || !directory.takeChange()) {
      return;
    }
    try {
      storage.data().checkpoint(storage.logs());
    } catch (Disk.FullException e) {
      directory.noteFull(String.valueOf(e.getMessage()));
      directory.noteChange();
    } catch (IOException e) {
      directory.fail("writing checkpoints", e);
    }
  }

  /// Applies retention to every log, by the wall clock as far as it can be believed.
  void clean() {
    if (config.cleanerEnabled()) {
      long nowMs = retentionClock.nowMs(plugin.clock().millis(), plugin.nanoTime());
      storage.logs().forEach(log -> log.clean(nowMs, config.producerIdExpirationMs()));
    }
  }

  /// Ends after the round that is under way.
  void close() {
    closed = true;
    if (ticking != null) {
      ticking.cancel(false);
    }
    working.lock();
    working.unlock();
  }
}
