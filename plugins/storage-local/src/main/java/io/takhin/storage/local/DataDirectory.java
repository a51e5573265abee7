package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The files beside the logs: the lock, the mark of an orderly end, the boot id and the
/// checkpoints. Their layout is drawn in [LogFiles].
///
/// Threading: start and close on the kernel's thread, all else on any.
final class DataDirectory {
  private static final Logger LOGGER = LoggerFactory.getLogger(DataDirectory.class);
  private static final String CLEAN = ".kafka_cleanshutdown";
  private static final Pattern LOG_DIRECTORY = Pattern.compile(".+-\\d+");
  private static final String BOOT = ".takhin-boot";
  private static final int MAX_BOOT_BYTES = 4096;
  private static final String FAILED = "the disk failed";
  private static final String META = "meta.properties";

  private final Disk disk;
  private final Path path;
  private final RandomGenerator random;
  private final Checkpoint recoveryPoints;
  private final Checkpoint highWatermarks;
  private final Checkpoint starts;
  private final Checkpoint cleaned;
  private final Map<String, Long> foundPoints = new ConcurrentHashMap<>();
  private final Map<String, Long> foundMarks = new ConcurrentHashMap<>();
  private final Map<String, Long> foundStarts = new ConcurrentHashMap<>();
  private final Map<String, Long> foundCleaned = new ConcurrentHashMap<>();
  private boolean clean;
  private boolean sameBoot;
  private boolean suspect;
  private boolean failed;
  private boolean bootNoted;
  private String thisBoot = "";

  /// Logs that the last run did not close and that were not opened since.
  private final Set<String> unverified = ConcurrentHashMap.newKeySet();

  private final ReentrantLock checkpointing = new ReentrantLock();
  private final ReentrantLock noting = new ReentrantLock();
  private @Nullable Closeable lock;

  DataDirectory(Disk disk, Path path, RandomGenerator random) {
    this.random = random;
    this.disk = disk;
    this.path = path;
    this.recoveryPoints = new Checkpoint(disk, path.resolve("recovery-point-offset-checkpoint"));
    this.highWatermarks = new Checkpoint(disk, path.resolve("replication-offset-checkpoint"));
    this.starts = new Checkpoint(disk, path.resolve("log-start-offset-checkpoint"));
    this.cleaned = new Checkpoint(disk, path.resolve("cleaner-offset-checkpoint"));
  }

  /// Takes the directory and reads what the last run left.
  ///
  /// Errors: TakhinException with one line that says what to do.
  void start() {
    try {
      createDurably(path);
      lock = disk.lock(path.resolve(".lock"));
      if (lock == null) {
        throw new TakhinException(
            ErrorCode.KAFKA_STORAGE_ERROR,
            path + " is in use by another process. Stop it, or set storage.data.dir elsewhere.");
      }
      clean = disk.exists(path.resolve(CLEAN));
      String boot = disk.bootId();
      String lastBoot = lastBoot();
      sameBoot = !boot.isEmpty() && boot.equals(lastBoot);
      suspect = lastBoot.equals(FAILED);
      foundPoints.putAll(recoveryPoints.read());
      foundMarks.putAll(highWatermarks.read());
      foundStarts.putAll(starts.read());
      foundCleaned.putAll(cleaned.read());
      thisBoot = boot;
      bootNoted = boot.equals(lastBoot);
      if (!clean) {
        for (Path found : disk.list(path)) {
          if (LOG_DIRECTORY.matcher(LogFiles.name(found)).matches()
              && disk.isDirectory(found)
              && holdsLog(found)) {
            unverified.add(LogFiles.name(found));
          }
        }
      }
      noteBoot();
      disk.delete(path.resolve(CLEAN));
      disk.forceDirectory(path);
      if (!disk.exists(path.resolve(META))) {
        writeMeta();
      }
      removeDeleted();
    } catch (AccessDeniedException e) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "no permission for "
              + e.getFile()
              + ". Give the broker's user access, or set storage.data.dir elsewhere.",
          e);
    } catch (Disk.FullException e) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "no room in " + path + ". Free space, or set storage.data.dir elsewhere.",
          e);
    } catch (IOException e) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "cannot use " + path + " (" + e + "). Check it, or set storage.data.dir elsewhere.",
          e);
    }
  }

  /// The log was verified as the end of the last run asks for, or is gone. Only when that holds for
  /// all of them do later starts of this boot believe what they find: a broker killed while it
  /// recovers from a power cut has not looked at all logs yet, and one that had no room to open
  /// them does not end in order.
  void verified(String log) throws IOException {
    if (unverified.remove(log)) {
      noteBoot();
    }
  }

  /// Whether a directory is that of a log, and not somebody else's.
  boolean holdsLog(Path directory) throws IOException {
    if (disk.exists(directory.resolve(LogFiles.METADATA))) {
      return true;
    }
    for (Path file : disk.list(directory)) {
      if (LogFiles.offset(file, LogFiles.LOG) >= 0) {
        return true;
      }
    }
    return false;
  }

  private String lastBoot() throws IOException {
    Path file = path.resolve(BOOT);
    boolean sound = disk.exists(file) && disk.size(file) <= MAX_BOOT_BYTES;
    return sound // a damaged one is that of another boot
        ? new String(disk.readAll(file, MAX_BOOT_BYTES), StandardCharsets.UTF_8)
        : "";
  }

  /// The disk failed: the next start believes nothing that was not forced, on this boot or another.
  /// A system that could not write a page may show it as clean from then on: a later fsync reports
  /// success and writes nothing.
  void distrust() {
    noting.lock();
    try {
      failed = true;
      // Not forced: it matters on this boot alone, and the disk may refuse.
      disk.replace(path.resolve(BOOT), FAILED.getBytes(StandardCharsets.UTF_8), false);
    } catch (IOException e) {
      LOGGER.error(
          "{}: that the disk failed could not be noted ({}). Boot the machine anew before the next"
              + " start.",
          path,
          e.toString());
    } finally {
      noting.unlock();
    }
  }

  /// Notes the boot once all logs were verified as the end of the last run asks for. Without room
  /// that waits for a later checkpoint: a start after a crash verifies more until then, not less.
  private void noteBoot() throws IOException {
    noting.lock();
    try {
      if (failed || bootNoted || !(clean || sameBoot || unverified.isEmpty())) {
        return;
      }
      disk.replace(path.resolve(BOOT), thisBoot.getBytes(StandardCharsets.UTF_8), true);
      bootNoted = true;
    } catch (Disk.FullException e) {
      LOGGER.debug("{}: no room to note the boot", path, e);
    } finally {
      noting.unlock();
    }
  }

  /// Makes the directory and those above it, so that a power cut cannot take them away with all
  /// that was forced inside.
  private void createDurably(Path directory) throws IOException {
    if (disk.isDirectory(directory)) {
      return;
    }
    Path above = directory.getParent();
    if (above != null) {
      createDurably(above);
    }
    disk.createDirectories(directory);
    if (above != null) {
      disk.forceDirectory(above);
    }
  }

  private void writeMeta() throws IOException {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    bytes[6] = (byte) ((bytes[6] & 0x0f) | 0x40); // a version 4 UUID, as Kafka writes it
    bytes[8] = (byte) ((bytes[8] & 0x3f) | 0x80);
    String text =
        "version=1\ndirectory.id="
            + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)
            + "\n";
    disk.replace(path.resolve(META), text.getBytes(StandardCharsets.UTF_8), true);
  }

  private void removeDeleted() throws IOException {
    for (Path found : disk.list(path)) {
      if (LogFiles.name(found).endsWith(LogFiles.DELETED_DIRECTORY) && disk.isDirectory(found)) {
        deleteTree(found);
      }
    }
  }

  /// Deletes a directory of files.
  void deleteTree(Path directory) throws IOException {
    if (disk.isDirectory(directory)) {
      for (Path file : disk.list(directory)) {
        disk.delete(file);
      }
      disk.delete(directory);
    }
  }

  /// What the last run left to know about a log.
  LastRun lastRun(String log) {
    Long point = foundPoints.get(log);
    return new LastRun(
        clean,
        sameBoot,
        suspect && !clean,
        point == null ? 0 : point,
        foundStarts.getOrDefault(log, 0L),
        foundMarks.getOrDefault(log, 0L),
        foundCleaned.getOrDefault(log, 0L));
  }

  /// The log is gone: its offsets must not meet a new one of that name.
  void forget(String log) {
    foundPoints.remove(log);
    foundMarks.remove(log);
    foundStarts.remove(log);
    foundCleaned.remove(log);
  }

  /// Writes the checkpoints: open logs as they are, others as they were found.
  void checkpoint(Collection<LocalLog> logs) throws IOException {
    checkpointing.lock();
    try {
      writeCheckpoints(logs);
    } finally {
      checkpointing.unlock();
    }
    noteBoot();
  }

  /// Has a log's recovery point be no more than `offset` on disk, before its end goes back: records
  /// that take the place of others would count as forced otherwise, which nobody verifies.
  ///
  /// @param logs those that are open, this one perhaps not yet
  void lowerRecoveryPoint(String log, long offset, Collection<LocalLog> logs) throws IOException {
    checkpointing.lock();
    try {
      foundPoints.computeIfPresent(log, (name, found) -> Math.min(found, offset));
      Map<String, Long> points = new TreeMap<>(foundPoints);
      logs.forEach(each -> points.put(each.partition().toString(), each.recoveryPoint()));
      points.merge(log, offset, Math::min);
      recoveryPoints.write(points);
    } finally {
      checkpointing.unlock();
    }
  }

  private void writeCheckpoints(Collection<LocalLog> logs) throws IOException {
    Map<String, Long> points = new TreeMap<>(foundPoints);
    Map<String, Long> marks = new TreeMap<>(foundMarks);
    Map<String, Long> firsts = new TreeMap<>(foundStarts);
    for (LocalLog log : logs) {
      String name = log.partition().toString();
      points.put(name, log.recoveryPoint());
      marks.put(name, log.highWatermark());
      long start = log.logStartOffset();
      if (start > log.segments()[0].baseOffset) {
        firsts.put(name, start);
      } else {
        firsts.remove(name);
      }
    }
    recoveryPoints.write(points);
    highWatermarks.write(marks);
    starts.write(firsts);
  }

  /// Writes the checkpoints and, if all is on disk, the mark of an orderly end; gives up the lock.
  ///
  /// @param works whether the directory still does
  /// @param complete whether all that these logs were given is on disk
  void close(boolean works, boolean complete, Collection<LocalLog> logs) {
    if (lock == null) {
      return;
    }
    try {
      if (works) {
        checkpoint(logs);
      }
      if (works && !(complete && unverified.isEmpty())) {
        LOGGER.warn(
            "{} is not closed in order, for not all could be written or opened: the next start"
                + " verifies the logs",
            path);
      } else if (works) {
        disk.replace(
            path.resolve(CLEAN),
            "{\"version\":0,\"brokerEpoch\":-1}".getBytes(StandardCharsets.UTF_8),
            true);
      }
    } catch (IOException e) {
      LOGGER.warn("{} could not be closed in order: the next start verifies the logs", path, e);
    } finally {
      try {
        lock.close();
      } catch (IOException e) {
        LOGGER.warn("giving up the lock of {}", path, e);
      }
      lock = null;
    }
  }
}
