package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.codec.Codecs;
import io.takhin.api.metrics.Metrics;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The logs of one data directory.
///
/// Threading: any thread. Opening and deleting exclude each other for one partition, not for
/// different ones: logs can be opened in parallel.
final class LocalLogStorage implements LogStorage {
  private static final Logger LOGGER = LoggerFactory.getLogger(LocalLogStorage.class);
  private static final UUID UNKNOWN_TOPIC = new UUID(0, 0);
  private static final long INDEX_CACHE_ENTRIES = 2L << 20;
  private static final int SCAN_BYTES = 256 << 10;
  private static final int MAX_NAME = 255;

  private final LocalStorageConfig config;
  private final PluginContext plugin;
  private final Disk disk;
  private final DirectoryState directory;
  private final DataDirectory data;
  private final Removals removals;
  private final LogContext context;
  private final Committer committer;
  private final Housekeeping housekeeping;
  private final Map<String, LocalLog> logs = new ConcurrentHashMap<>();
  private final Map<String, Object> locks = new ConcurrentHashMap<>();
  private final Set<String> unopened = ConcurrentHashMap.newKeySet();
  private volatile boolean started;
  private volatile boolean closing;

  LocalLogStorage(LocalStorageConfig config, PluginContext plugin, Disk disk) {
    this.config = config;
    this.plugin = plugin;
    this.disk = disk;
    this.removals = new Removals(plugin.clock());
    this.directory = new DirectoryState(config.dataDir().toAbsolutePath().normalize(), removals);
    this.data = new DataDirectory(disk, directory.path(), plugin.random());
    directory.recoveryPoints(
        (log, offset) ->
            data.lowerRecoveryPoint(log.partition().toString(), offset, this.logs.values()));
    this.committer = new Committer(plugin.threads("commit"));
    Metrics.Histogram flushes =
        plugin
            .metrics()
            .histogram("takhin_storage_flush_duration_seconds", "How long fsync of a log took.");
    this.context =
        new LogContext(
            disk,
            directory,
            new FileCache(config.openFiles()),
            new IndexCache(INDEX_CACHE_ENTRIES),
            new Scratch<>(() -> ByteBuffer.allocateDirect(SCAN_BYTES)),
            new Gather.Pool(),
            new BatchValidator(() -> plugin.service(Codecs.class)),
            committer,
            new DirtyLogs(),
            plugin.blocking(),
            plugin.clock(),
            plugin::nanoTime,
            plugin.random(),
            flushes,
            config.logDefaults().indexIntervalBytes());
    this.housekeeping = new Housekeeping(config, plugin, this);
  }

  @Override
  public void start() {
    data.start();
    started = true;
    directory.onFailure(this::failed);
    plugin.health(new Health());
    registerGauges();
    housekeeping.start();
  }

  private void registerGauges() {
    Metrics metrics = plugin.metrics();
    metrics.gauges(
        "takhin_storage_bytes_total",
        "Bytes of a partition's log on this broker.",
        sink ->
            logs.values()
                .forEach(
                    log ->
                        sink.value(
                            log.sizeBytes(),
                            "topic",
                            log.partition().topic(),
                            "partition",
                            Integer.toString(log.partition().partition()))));
    metrics.gauges(
        "takhin_storage_log_dir_usable_bytes",
        "Bytes that may still be written to a log directory.",
        sink ->
            directories()
                .forEach(found -> sink.value(found.usableBytes(), "path", found.path() + "")));
    metrics.gauges(
        "takhin_storage_log_dir_offline",
        "1 for a log directory that was taken out of service.",
        sink -> sink.value(directory.offline() == null ? 0 : 1, "path", directory.path() + ""));
  }

  private void failed(String reason) {
    data.distrust();
    logs.values().forEach(log -> log.offline(reason));
  }

  LogContext context() {
    return context;
  }

  Removals removals() {
    return removals;
  }

  DataDirectory data() {
    return data;
  }

  Collection<LocalLog> logs() {
    return logs.values();
  }

  @Override
  public LogConfig defaults() {
    return config.logDefaults();
  }

  @Override
  public PartitionLog open(TopicPartition partition, LogConfig settings, LogListener listener) {
    directory.check();
    String name = checkedName(partition);
    synchronized (locks.computeIfAbsent(name, key -> new Object())) {
      LocalLog known = logs.get(name);
      if (known != null) {
        throw new IllegalStateException(partition + " is open already");
      }
      Path path = directory.path().resolve(name);
      boolean again = unopened.remove(name);
      try {
        LocalLog log = openDirectory(partition, settings, listener, path);
        add(name, log);
        if (again) {
          directory.noteRoom();
        }
        return log;
      } catch (Disk.FullException e) {
        unopened.add(name);
        directory.noteFull(String.valueOf(e.getMessage()));
        throw new TakhinException(
            ErrorCode.KAFKA_STORAGE_ERROR,
            "no room to open " + path + ": " + e.getMessage() + ". Free space or raise the limit.",
            e);
      } catch (IOException e) {
        throw new TakhinException(
            ErrorCode.KAFKA_STORAGE_ERROR, "opening " + path + ": " + e.getMessage(), e);
      }
    }
  }

  @Override
  public boolean mayOpenLater(TopicPartition partition) {
    return unopened.contains(partition.toString());
  }

  /// From here on [#close] closes the log, or it is not opened.
  private void add(String name, LocalLog log) {
    logs.put(name, log);
    if (closing) {
      logs.remove(name);
      log.abandon();
      throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, directory.path() + " is closing");
    }
    try {
      data.verified(name);
    } catch (IOException e) {
      throw directory.fail("noting the boot", e);
    }
    directory.noteChange();
  }

  /// Opens a log. Without room it is as it was before: it can be opened another time.
  private LocalLog openDirectory(
      TopicPartition partition, LogConfig settings, LogListener listener, Path path)
      throws IOException {
    boolean fresh = !disk.exists(path);
    if (!fresh) {
      UUID found = PartitionMetadata.read(disk, path);
      if (found != null && !found.equals(partition.topicId())) {
        Path aside = aside(partition, LogFiles.STRAY_DIRECTORY);
        LOGGER.warn(
            "{} belongs to an older topic of that name ({}): set aside as {}; remove it if nobody"
                + " needs it",
            path,
            found,
            aside.getFileName());
        disk.rename(path, aside);
        data.forget(partition.toString());
        fresh = true;
      } else if (found == null) {
        if (data.holdsLog(path)) { // else there was no room to make it
          LOGGER.warn(
              "{} is missing or damaged: written anew, for topic id {}",
              path.resolve(LogFiles.METADATA),
              partition.topicId());
        }
        PartitionMetadata.write(disk, path, partition.topicId());
      }
    }
    LastRun known =
        fresh ? new LastRun(true, true, false, 0, 0, 0, 0) : data.lastRun(partition.toString());
    RecoveredLog found;
    try {
      if (fresh) {
        disk.createDirectories(path);
        PartitionMetadata.write(disk, path, partition.topicId());
      }
      found = new LogRecovery(context, partition, settings).open(path, known, fresh);
    } catch (Disk.FullException e) {
      if (fresh) {
        removeUnfinished(path);
      }
      throw e;
    }
    return inUse(new LocalLog(context, partition, settings, listener, found), known);
  }

  private void removeUnfinished(Path path) {
    try {
      for (Path file : disk.list(path)) {
        if (LogFiles.offset(file, LogFiles.LOG) >= 0 && disk.size(file) > 0) {
          return; // it was there before, though the system did not say so
        }
      }
      data.deleteTree(path);
    } catch (IOException e) {
      LOGGER.debug("{} is not finished and stays for now: {}", path, e.toString());
    }
  }

  /// Makes true what is assumed of a log that is written to.
  private LocalLog inUse(LocalLog log, LastRun known) throws IOException {
    try {
      if (known.recoveryPoint() > log.recoveryPoint()) {
        directory.lowerRecoveryPoint(log, log.recoveryPoint()); // its end was lost
      }
      if (log.config().durableBeforeAck()) {
        // A killed process may have left its last records in the cache alone: they count only on
        // disk.
        log.durability().flush(log.end());
      }
      return log;
    } catch (TakhinException e) {
      log.abandon();
      if (e.getCause() instanceof Disk.FullException full) {
        throw full;
      }
      throw e;
    } catch (IOException e) {
      log.abandon();
      throw e;
    }
  }

  private static String checkedName(TopicPartition partition) {
    String topic = partition.topic();
    boolean legal =
        !topic.isEmpty() && topic.length() <= 249 && !topic.equals(".") && !topic.equals("..");
    for (int i = 0; legal && i < topic.length(); i++) {
      char c = topic.charAt(i);
      legal =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || c == '.'
              || c == '_'
              || c == '-';
    }
    if (!legal || partition.partition() < 0) {
      throw new TakhinException(
          ErrorCode.INVALID_TOPIC_EXCEPTION, "no directory can be named " + partition);
    }
    return partition.toString();
  }

  /// A name that nobody uses, for a directory that must go out of the way.
  private Path aside(TopicPartition partition, String suffix) {
    String unique =
        String.format("%016x%016x", plugin.random().nextLong(), plugin.random().nextLong());
    String end = "-" + partition.partition() + "." + unique + suffix;
    String topic = partition.topic();
    int length = Math.min(topic.length(), MAX_NAME - end.length());
    return directory.path().resolve(topic.substring(0, length) + end);
  }

  @Override
  public List<TopicPartition> existing() {
    List<TopicPartition> found = new ArrayList<>();
    try {
      for (Path path : disk.list(directory.path())) {
        TopicPartition partition = parse(path);
        if (partition != null) {
          found.add(partition);
        }
      }
    } catch (IOException e) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR, "listing " + directory.path() + ": " + e.getMessage(), e);
    }
    return found;
  }

  private @Nullable TopicPartition parse(Path path) throws IOException {
    String name = LogFiles.name(path);
    LocalLog open = logs.get(name);
    if (open != null) {
      return open.partition();
    }
    int dash = name.lastIndexOf('-');
    if (dash <= 0 || dash == name.length() - 1 || name.length() - dash > 10) {
      return null;
    }
    for (int i = dash + 1; i < name.length(); i++) {
      if (name.charAt(i) < '0' || name.charAt(i) > '9') {
        return null;
      }
    }
    if (!disk.isDirectory(path)) {
      return null;
    }
    UUID id = PartitionMetadata.read(disk, path);
    if (id == null && !data.holdsLog(path)) {
      return null; // somebody else's directory
    }
    return new TopicPartition(
        id == null ? UNKNOWN_TOPIC : id,
        name.substring(0, dash),
        Integer.parseInt(name.substring(dash + 1)));
  }

  @Override
  public void delete(TopicPartition partition) {
    String name = checkedName(partition);
    synchronized (locks.computeIfAbsent(name, key -> new Object())) {
      LocalLog log = logs.get(name);
      unopened.remove(name);
      Path path = directory.path().resolve(name);
      Path renamed = aside(partition, LogFiles.DELETED_DIRECTORY);
      try {
        if (log != null) {
          if (!log.partition().topicId().equals(partition.topicId())) {
            return;
          }
          logs.remove(name);
          log.delete(renamed);
        } else {
          if (!disk.exists(path)
              || !partition.topicId().equals(PartitionMetadata.read(disk, path))) {
            return;
          }
          disk.rename(path, renamed);
        }
        data.forget(name);
        data.verified(name);
        directory.noteChange();
        long delayMs = log == null ? 0 : log.config().fileDeleteDelayMs();
        removals.add(() -> data.deleteTree(renamed), delayMs);
      } catch (IOException e) {
        throw new TakhinException(
            ErrorCode.KAFKA_STORAGE_ERROR, "deleting " + path + ": " + e.getMessage(), e);
      } finally {
        locks.remove(name);
      }
    }
  }

  @Override
  public List<LogStorage.LogDirectory> directories() {
    String offline = directory.offline();
    long total = -1;
    long usable = -1;
    try {
      total = disk.totalBytes(directory.path());
      usable = disk.usableBytes(directory.path());
    } catch (IOException e) {
      if (offline == null) {
        offline = "its size is unknown: " + e.getMessage();
      }
    }
    return List.of(new LogStorage.LogDirectory(directory.path(), total, usable, offline));
  }

  @Override
  public void close() {
    closing = true;
    if (!started) {
      data.close(false, false, List.of());
      return;
    }
    housekeeping.close();
    try {
      committer.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    boolean complete = true;
    for (LocalLog log : logs.values()) {
      complete = log.close() && complete;
    }
    data.close(directory.offline() == null, complete, List.copyOf(logs.values()));
  }

  private final class Health implements HealthCheck {
    @Override
    public String name() {
      return "storage";
    }

    @Override
    public HealthCheck.Health check() {
      String offline = directory.offline();
      if (offline != null) {
        return new HealthCheck.Health(
            Status.UNHEALTHY,
            "log directory "
                + directory.path()
                + " is offline: "
                + offline
                + ". Check the disk,"
                + " then restart.");
      }
      String full = directory.full();
      return full == null
          ? HealthCheck.Health.healthy()
          : new HealthCheck.Health(
              Status.DEGRADED, "no room in " + directory.path() + ": " + full + ". Free space.");
    }
  }
}
