package io.takhin.testkit.storage;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Logs in memory, for tests of what stands above them. It keeps the whole contract but durability;
/// a test can hold commits back, refuse appends, fill and fail the directory.
///
/// Threading: any thread; one lock for each log. Nothing runs in the background, so that a test
/// sees every effect when a call returns.
public final class InMemoryLogStorage implements LogStorage {
  private static final Path DIRECTORY = Path.of("in-memory");

  private final InstantSource clock;
  private final LogConfig defaults;
  private final Map<String, InMemoryLog> logs;
  private volatile @Nullable ErrorCode refusal;
  private volatile boolean holdCommits;
  private volatile @Nullable String offline;
  private volatile boolean full;
  private final AtomicInteger opens = new AtomicInteger();

  /// Empty, with the system's clock and Kafka's defaults.
  public InMemoryLogStorage() {
    this(InstantSource.system(), LogConfigBuilder.defaults());
  }

  /// Empty.
  public InMemoryLogStorage(InstantSource clock, LogConfig defaults) {
    this(clock, defaults, new TreeMap<>());
  }

  private InMemoryLogStorage(InstantSource clock, LogConfig defaults, Map<String, InMemoryLog> of) {
    this.clock = clock;
    this.defaults = defaults;
    this.logs = of;
  }

  /// A new storage that finds what this one left behind, as after a restart.
  public InMemoryLogStorage restarted() {
    Map<String, InMemoryLog> found = new TreeMap<>();
    InMemoryLogStorage next = new InMemoryLogStorage(clock, defaults, found);
    synchronized (logs) {
      logs.forEach((name, log) -> found.put(name, log.restarted(next)));
    }
    return next;
  }

  /// Appends are rejected with `code` from now on; null ends that.
  public void refuseAppends(@Nullable ErrorCode code) {
    refusal = code;
  }

  /// While true, appended records do not become committable; false lets all of them.
  public void holdCommits(boolean hold) {
    holdCommits = hold;
    if (!hold) {
      synchronized (logs) {
        logs.values().forEach(InMemoryLog::commit);
      }
    }
  }

  /// While true, no log can be opened, for want of room.
  public void full(boolean now) {
    full = now;
  }

  /// How often [#open] was called.
  public int opens() {
    return opens.get();
  }

  /// Takes the directory out of service for good; every listener is told.
  public void failDirectory(String reason) {
    offline = reason;
    synchronized (logs) {
      logs.values().forEach(log -> log.fail(reason));
    }
  }

  @Override
  public LogConfig defaults() {
    return defaults;
  }

  @Override
  public PartitionLog open(TopicPartition partition, LogConfig config, LogListener listener) {
    opens.incrementAndGet();
    checkOnline();
    if (full) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR, "no room to open " + DIRECTORY.resolve(partition + ""));
    }
    synchronized (logs) {
      InMemoryLog found = logs.get(partition.toString());
      if (found != null && !found.partition().topicId().equals(partition.topicId())) {
        found = null;
      }
      if (found == null) {
        found = new InMemoryLog(this, partition);
        logs.put(partition.toString(), found);
      }
      found.open(config, listener);
      return found;
    }
  }

  @Override
  public boolean mayOpenLater(TopicPartition partition) {
    return full && offline == null;
  }

  @Override
  public List<TopicPartition> existing() {
    synchronized (logs) {
      List<TopicPartition> partitions = new ArrayList<>();
      logs.values().forEach(log -> partitions.add(log.partition()));
      return partitions;
    }
  }

  @Override
  public void delete(TopicPartition partition) {
    synchronized (logs) {
      InMemoryLog log = logs.get(partition.toString());
      if (log != null && log.partition().topicId().equals(partition.topicId())) {
        logs.remove(partition.toString());
        log.fail(null);
      }
    }
  }

  @Override
  public List<LogDirectory> directories() {
    return List.of(new LogDirectory(DIRECTORY, 1L << 40, 1L << 39, offline));
  }

  @Override
  public void close() {}

  Path directory() {
    return DIRECTORY;
  }

  long nowMs() {
    return clock.millis();
  }

  boolean commitsHeld() {
    return holdCommits;
  }

  @Nullable ErrorCode refusal() {
    return refusal;
  }

  void checkOnline() {
    String reason = offline;
    if (reason != null) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR, DIRECTORY + " is offline: " + reason);
    }
  }
}
