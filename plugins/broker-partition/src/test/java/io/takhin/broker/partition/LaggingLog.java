package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A log without bytes whose callbacks really run at the same time: appends are answered by the
/// appending threads, progress comes from whoever calls [#commit], as with a group commit. Each
/// append is one record of one byte.
final class LaggingLog implements PartitionLog {
  private final TopicPartition partition;
  private final LogConfig config;
  private final LogListener listener;
  private final AtomicLong end = new AtomicLong();
  private volatile long committable;
  private volatile long highWatermark;
  private volatile boolean closed;

  LaggingLog(TopicPartition partition, LogConfig config, LogListener listener) {
    this.partition = partition;
    this.config = config;
    this.listener = listener;
  }

  /// Makes all that is written now committable. One thread at a time.
  void commit() {
    long now = end.get();
    long bytes = now - committable;
    if (bytes > 0) {
      committable = now;
      listener.committable(now, bytes);
    }
  }

  @Override
  public void append(LogAppend append) {
    if (closed) {
      append.appended(new Rejected(ErrorCode.KAFKA_STORAGE_ERROR, "closed"));
      return;
    }
    long offset = end.getAndIncrement();
    append.appended(new Appended(offset, offset, -1, 0));
  }

  @Override
  public LogReader reader() {
    return (offset, until, maxBytes, atLeastOne) -> {
      long visible = Math.max(0, Math.min(until, end.get()) - offset);
      return new Bytes((int) Math.min(maxBytes, visible));
    };
  }

  @Override
  public TopicPartition partition() {
    return partition;
  }

  @Override
  public Path directory() {
    return Path.of("lagging");
  }

  @Override
  public long logStartOffset() {
    return 0;
  }

  @Override
  public long logEndOffset() {
    return end.get();
  }

  @Override
  public long committableEndOffset() {
    return committable;
  }

  @Override
  public void highWatermark(long offset) {
    highWatermark = offset;
  }

  @Override
  public long highWatermark() {
    return highWatermark;
  }

  @Override
  public long sizeBytes() {
    return end.get();
  }

  @Override
  public LogConfig config() {
    return config;
  }

  @Override
  public void reconfigure(LogConfig settings) {}

  @Override
  public OffsetAtTimestamp offsetAtOrAfter(long timestampMs) {
    return OffsetAtTimestamp.NONE;
  }

  @Override
  public OffsetAtTimestamp offsetOfMaxTimestamp() {
    return OffsetAtTimestamp.NONE;
  }

  @Override
  public int latestEpoch() {
    return -1;
  }

  @Override
  public EpochEndOffset endOffsetForEpoch(int epoch) {
    return new EpochEndOffset(-1, -1);
  }

  @Override
  public void deleteRecordsBefore(long offset) {}

  @Override
  public void truncateTo(long offset) {}

  @Override
  public void truncateFullyAndStartAt(long offset) {}

  @Override
  public void flush() {
    commit();
  }

  @Override
  public List<ActiveProducer> activeProducers() {
    return List.of();
  }

  private record Bytes(int sizeBytes) implements LogSlice {
    @Override
    public long endOffset() {
      return -1;
    }

    @Override
    public @Nullable FileChannel file() {
      return null;
    }

    @Override
    public long filePosition() {
      return 0;
    }

    @Override
    public boolean inMemory() {
      return true;
    }

    @Override
    public void copyTo(int from, ByteBuffer target) {}

    @Override
    public void close() {}
  }

  /// Makes such logs, and keeps the last.
  static final class Storage implements LogStorage {
    private volatile @Nullable LaggingLog last;

    /// The log that was opened last.
    LaggingLog log() {
      LaggingLog opened = last;
      if (opened == null) {
        throw new IllegalStateException("no log was opened");
      }
      return opened;
    }

    @Override
    public LogConfig defaults() {
      return LogConfigBuilder.defaults();
    }

    @Override
    public PartitionLog open(TopicPartition partition, LogConfig config, LogListener listener) {
      LaggingLog opened = new LaggingLog(partition, config, listener);
      last = opened;
      return opened;
    }

    @Override
    public List<TopicPartition> existing() {
      return List.of();
    }

    @Override
    public void delete(TopicPartition partition) {
      log().closed = true;
    }

    @Override
    public List<LogDirectory> directories() {
      return List.of(new LogDirectory(Path.of("lagging"), 1, 1, null));
    }

    @Override
    public void close() {}
  }

  @Override
  public long firstUnstableOffset() {
    return -1;
  }

  @Override
  public List<AbortedTransaction> abortedTransactions(long from, long until) {
    return List.of();
  }

  @Override
  public boolean transactionOpen(long producerId, short producerEpoch) {
    return false;
  }

  @Override
  public long beginVerification(long producerId, short producerEpoch) {
    return 1;
  }

  @Override
  public void endVerification(long producerId, long token) {}
}
