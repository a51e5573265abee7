package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.storage.LogConfig;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/// How far a log is on disk, and how it gets there.
///
/// ```
/// written --(committer, flush.messages=1)----> forced, then committable
/// written, committable --(housekeeping)------> forced: by interval, by records, after a roll
/// left by a killed run --(housekeeping)------> forced: at the first look
/// ```
///
/// An fsync that fails takes the whole directory offline; it is not tried again.
///
/// Threading: the gate marks, one of the committer's threads or one worker forces. The lock is held
/// across fsync; no append and no reader takes it.
final class Durability {
  /// A start after a crash of the process verifies no more than about this of each log.
  static final int PROGRESS_BYTES = 16 << 20;

  private final LocalLog log;
  private final LogContext context;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile long recoveryPoint;
  private volatile boolean fresh;
  private volatile boolean namesDirty;
  private final AtomicReference<Commit> commit = new AtomicReference<>(Commit.IDLE);
  private volatile boolean flushQueued;
  private volatile boolean inherited;
  private volatile long dirtySinceNanos;
  private long progressBytes;

  /// @param fresh whether the names of the log and its files may not be on disk yet, because it is
  ///     new or was not closed; that matters once there is something in it
  Durability(LocalLog log, long recoveryPoint, boolean fresh) {
    this.log = log;
    this.context = log.context();
    this.recoveryPoint = recoveryPoint;
    this.fresh = fresh;
  }

  /// All below is known to be on disk, and so are the indexes of segments that end below it.
  long recoveryPoint() {
    return recoveryPoint;
  }

  /// Names of files changed: the next flush makes them durable too.
  void noteNames() {
    namesDirty = true;
  }

  /// The log will be cut, and may end at `offset` then: on disk, too, nothing beyond counts as
  /// forced any more. By somebody who excluded flushes.
  void lower(long offset) throws IOException {
    if (offset < recoveryPoint) {
      recoveryPoint = offset;
      context.directory().lowerRecoveryPoint(log, offset);
    }
  }

  /// Whether all that the log was given is on disk, to be believed by a start after an orderly end.
  boolean complete() {
    long end = log.end().offset();
    return recoveryPoint >= end && !namesDirty && !(fresh && end > 0);
  }

  /// The log was cut, by somebody who excluded flushes.
  void truncated(long offset) {
    recoveryPoint = Math.min(recoveryPoint, offset);
  }

  /// Runs something that no fsync may overlap.
  void exclude(Runnable action) {
    lock.lock();
    try {
      action.run();
    } finally {
      lock.unlock();
    }
  }

  /// Where the group commit of this log stands.
  ///
  /// ```
  /// IDLE --asked--> QUEUED --a committer begins--> RUNNING --done--> IDLE
  ///                    ^                              | asked
  ///                    +------------- done ------- WANTED
  /// ```
  private enum Commit {
    IDLE,
    QUEUED,
    RUNNING,
    WANTED
  }

  /// Asks for a group commit; once is enough until it begins.
  void queueCommit() {
    Commit before =
        commit.getAndUpdate(
            now ->
                switch (now) {
                  case IDLE, QUEUED -> Commit.QUEUED;
                  case RUNNING, WANTED -> Commit.WANTED;
                });
    if (before == Commit.IDLE) {
      context.committer().add(log);
    }
  }

  /// Forces what was written and tells the listener. On a thread of the committer's, one at a time.
  void commit() {
    commit.set(Commit.RUNNING);
    try {
      commitWritten();
    } finally {
      if (!commit.compareAndSet(Commit.RUNNING, Commit.IDLE)) {
        commit.set(Commit.QUEUED);
        context.committer().again(log);
      }
    }
  }

  private void commitWritten() {
    LogEnd written = log.end();
    try {
      flush(written);
      log.committable(written);
    } catch (TakhinException e) {
      LocalLog.LOGGER.debug("{} was not committed: {}", log.partition(), e.getMessage());
    }
  }

  /// Something was written: puts the log on the list for background flushes, and lets a worker note
  /// the progress if it was much, for housekeeping comes only every second. In the gate.
  void markDirty() {
    if (!flushQueued) {
      flushQueued = true;
      dirtySinceNanos = context.nanoTime().getAsLong();
      context.dirty().add(log);
    }
    long bytes = log.end().bytes();
    if (bytes - progressBytes >= PROGRESS_BYTES) {
      progressBytes = bytes;
      try {
        context.blocking().execute(this::noteProgress);
      } catch (RejectedExecutionException e) {
        LocalLog.LOGGER.debug("{}: the broker stops, and saves its indexes then", log.path(), e);
      }
    }
  }

  /// The run before was killed: what it wrote may be in the cache alone. It is as old as that run,
  /// so the first look forces it: brokers that die young would put it off for ever otherwise.
  void markInherited() {
    inherited = true;
    markDirty();
  }

  /// Whether a background flush is due; asked by housekeeping, which took the log off the list.
  ///
  /// @return whether the log stays dirty and belongs on the list again
  boolean flushIfDue() {
    if (log.closed()) {
      return false;
    }
    LogConfig settings = log.config();
    long waitedMs = (context.nanoTime().getAsLong() - dirtySinceNanos) / 1_000_000;
    boolean due =
        waitedMs >= settings.flushMs()
            || (inherited && settings.flushMs() < Long.MAX_VALUE)
            || log.end().offset() - recoveryPoint >= settings.flushMessages();
    if (!due) {
      noteProgress();
      return !log.closed();
    }
    flushQueued = false;
    flushQuietly();
    return false;
  }

  /// Writes what a restart on the same boot begins with, without forcing anything: the newest index
  /// entries and, now and then, the producers. Whoever leaves flushing to the system would read
  /// whole segments after a crash of the process otherwise.
  private void noteProgress() {
    exclude(
        () -> {
          if (log.closed() || context.directory().offline() != null) {
            return;
          }
          try {
            log.end().segment().saveIndex();
          } catch (Disk.FullException e) {
            context.directory().noteFull(String.valueOf(e.getMessage())); // it can be rebuilt
          } catch (IOException e) {
            context.directory().fail("writing an index of " + log.path(), e);
          }
        });
    log.snapshotIfDue();
  }

  /// Flushes in the background: a failure has taken the directory offline and was logged there, or
  /// there was no room, and it is tried again later. That may be all that a group commit waits for.
  void flushQuietly() {
    LogEnd written = log.end();
    try {
      flush(written);
      if (log.config().durableBeforeAck()) {
        log.committable(written);
      }
      log.snapshotIfDue();
    } catch (TakhinException e) {
      if (!log.closed() && context.directory().offline() == null) {
        markDirty();
      }
      LocalLog.LOGGER.debug("{}: flush: {}", log.partition(), e.getMessage());
    }
  }

  /// Forces everything up to an end.
  ///
  /// Errors: TakhinException if it is not on disk now.
  void flush(LogEnd written) {
    lock.lock();
    try {
      context.directory().check();
      boolean newcomer = fresh && written.offset() > 0;
      if (recoveryPoint >= written.offset() && !namesDirty && !newcomer) {
        return;
      }
      long begin = context.nanoTime().getAsLong();
      long reached = forceSegments(log.segments(), written.offset());
      if (namesDirty || newcomer) {
        namesDirty = false;
        saveEpochs();
        context.disk().forceDirectory(log.path());
      }
      if (newcomer) {
        context.disk().forceDirectory(log.directory());
        fresh = false;
      }
      recoveryPoint = Math.max(recoveryPoint, Math.min(reached, log.end().offset()));
      inherited = false;
      context.directory().noteChange();
      context.flushes().record(context.nanoTime().getAsLong() - begin);
    } catch (Disk.FullException e) {
      namesDirty = true;
      context.directory().noteFull(String.valueOf(e.getMessage()));
      throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, "no room: " + e.getMessage(), e);
    } catch (IOException e) {
      if (log.closed()) {
        throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, log.partition() + " is gone", e);
      }
      throw context.directory().fail("fsync of " + log.path(), e);
    } finally {
      lock.unlock();
    }
  }

  /// Forces what may not be on disk yet of each segment. Retention and DeleteRecords do not wait
  /// for that, and take segments away meanwhile.
  ///
  /// @return how far the recovery point may get
  private long forceSegments(Segment[] segments, long end) throws IOException {
    long reached = end;
    for (int i = 0; i < segments.length; i++) {
      long until = i + 1 < segments.length ? segments[i + 1].baseOffset : Long.MAX_VALUE;
      try {
        if (!removed(segments[i])) {
          boolean indexed = force(segments[i], until > recoveryPoint);
          reached = indexed ? reached : Math.min(reached, until);
        }
      } catch (NoSuchFileException e) {
        if (!removed(segments[i])) {
          throw e;
        }
        LocalLog.LOGGER.debug("{} went while it was flushed", segments[i].file.path());
      }
    }
    return reached;
  }

  private boolean removed(Segment segment) {
    return segment.baseOffset < log.segments()[0].baseOffset;
  }

  /// @param records whether its records may not be on disk yet; its indexes may lag behind them,
  ///     for they are complete only when the next segment has taken over
  /// @return whether its indexes are on disk, if they are complete
  private boolean force(Segment segment, boolean records) throws IOException {
    if (records) {
      Disk.File file = segment.file.acquire();
      try {
        file.force();
      } finally {
        segment.file.release();
      }
    }
    boolean indexed = true;
    try {
      if (records) {
        segment.saveIndex();
      }
      segment.forceSealedIndex();
    } catch (Disk.FullException e) {
      context.directory().noteFull(String.valueOf(e.getMessage())); // it can be rebuilt
      indexed = false;
    }
    if (records) {
      segment.forceTransactions();
    }
    return indexed;
  }

  private void saveEpochs() throws IOException {
    try {
      log.epochs().save();
    } catch (Disk.FullException e) {
      namesDirty = true;
      context.directory().noteFull(String.valueOf(e.getMessage())); // the batches have them
    }
  }
}
