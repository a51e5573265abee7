package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A directory of logs, and whether it can be believed.
///
/// ```
/// online --(EIO on write, any fsync that failed)--> offline, until the process restarts
/// ```
///
/// After an fsync that failed the kernel may have dropped the pages and would report success the
/// next time: nothing from this directory is believed again in this process.
///
/// Threading: any thread.
final class DirectoryState {
  private static final Logger LOGGER = LoggerFactory.getLogger(DirectoryState.class);

  private final Path path;
  private final AtomicReference<@Nullable String> offline = new AtomicReference<>();
  private volatile Consumer<String> onFailure = reason -> {};
  private volatile RecoveryPoints recoveryPoints = (log, offset) -> {};
  private volatile @Nullable String full;

  private final Removals removals;
  private volatile boolean changed;

  DirectoryState(Path path, Removals removals) {
    this.path = path;
    this.removals = removals;
  }

  /// Writes recovery points to disk.
  interface RecoveryPoints {
    /// Has that of a log be no more than `offset`.
    void lower(LocalLog log, long offset) throws IOException;
  }

  /// Who writes recovery points.
  void recoveryPoints(RecoveryPoints writer) {
    recoveryPoints = writer;
  }

  /// Has the recovery point of a log be no more than `offset` on disk, before the log is cut there.
  void lowerRecoveryPoint(LocalLog log, long offset) throws IOException {
    recoveryPoints.lower(log, offset);
  }

  /// Has files removed in the background.
  void removeLater(Removals.Removal removal, long delayMs) {
    removals.add(removal, delayMs);
  }

  /// Notes that checkpoints are behind. Cheap enough for every append.
  void noteChange() {
    if (!changed) {
      changed = true;
    }
  }

  /// Whether checkpoints are behind; they are not any more, for the caller writes them now.
  boolean takeChange() {
    boolean was = changed;
    changed = false;
    return was;
  }

  Path path() {
    return path;
  }

  /// Who is told when the directory fails.
  void onFailure(Consumer<String> listener) {
    onFailure = listener;
  }

  /// Why it is offline; null while it works.
  @Nullable String offline() {
    return offline.get();
  }

  /// What the last write failed for lack of; null if it succeeded.
  @Nullable String full() {
    return full;
  }

  void noteFull(String what) {
    if (full == null) {
      LOGGER.error(
          "{} has no room: appends fail until there is ({}). Free space or raise the limit.",
          path,
          what);
    }
    full = what;
  }

  void noteRoom() {
    if (full != null) {
      full = null;
      LOGGER.info("{} has room again", path);
    }
  }

  /// Takes the directory out of service for good.
  TakhinException fail(String doing, IOException cause) {
    String reason = doing + " failed: " + cause.getMessage();
    if (offline.compareAndSet(null, reason)) {
      LOGGER.error(
          "log directory {} is offline: {}. Check the disk, then restart.", path, reason, cause);
      onFailure.accept(reason);
    }
    return new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, path + " is offline: " + reason);
  }

  void check() {
    String reason = offline.get();
    if (reason != null) {
      throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, path + " is offline: " + reason);
    }
  }
}
