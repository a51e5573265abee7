package io.takhin.testkit.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionWatcher;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A replica, as plain as can be: one lock for who is parked, the log for all else.
final class InMemoryPartition implements Partition, LogListener {
  private final PluginContext context;
  private final PartitionLog log;
  private final List<PartitionWatcher> watchers = new CopyOnWriteArrayList<>();
  private final List<Parked> parked = new ArrayList<>();
  private volatile long highWatermark;
  private volatile boolean leader;
  private volatile int leaderEpoch;
  private volatile int inSync;
  private volatile int minInSync;
  private volatile boolean deleted;
  private volatile @Nullable String offline;

  InMemoryPartition(
      PluginContext context, LogStorage storage, TopicPartition id, LogConfig config) {
    this.context = context;
    this.log = storage.open(id, config, this);
    this.highWatermark = log.committableEndOffset();
  }

  void state(boolean nowLeader, int epoch, int isr, int minIsr) {
    boolean lost = leaderEpoch != epoch || leader != nowLeader;
    leader = nowLeader;
    leaderEpoch = epoch;
    inSync = isr;
    minInSync = minIsr;
    if (lost) {
      if (!nowLeader) {
        answer(each -> true, ErrorCode.NOT_LEADER_OR_FOLLOWER, "leader changed");
      }
      watchers.forEach(watcher -> watcher.changed(this));
    }
  }

  void delete() {
    deleted = true;
    answer(each -> true, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "deleted");
    watchers.forEach(watcher -> watcher.changed(this));
  }

  void close() {
    leader = false;
    answer(each -> true, ErrorCode.NOT_LEADER_OR_FOLLOWER, "closing");
  }

  PartitionLog log() {
    return log;
  }

  @Override
  public void committable(long endOffset, long bytes) {
    highWatermark = Math.max(highWatermark, endOffset);
    log.highWatermark(endOffset);
    answerVisible();
    watchers.forEach(watcher -> watcher.advanced(this, bytes));
  }

  @Override
  public void logStartAdvanced(long logStartOffset) {}

  @Override
  public void offline(String reason) {
    offline = reason;
    answer(each -> true, ErrorCode.KAFKA_STORAGE_ERROR, reason);
    watchers.forEach(watcher -> watcher.changed(this));
  }

  private void answerVisible() {
    ErrorCode late =
        inSync < minInSync ? ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND : ErrorCode.NONE;
    answer(each -> each.lastOffset < highWatermark && each.produce.acks() == -1, late, late.name());
    answer(each -> each.lastOffset < highWatermark, ErrorCode.NONE, null);
  }

  private void answer(Predicate<Parked> which, ErrorCode error, @Nullable String message) {
    List<Parked> ready = new ArrayList<>();
    synchronized (parked) {
      parked.removeIf(each -> which.test(each) && ready.add(each));
    }
    ready.forEach(each -> each.answer(error, message));
  }

  @Override
  public TopicPartition id() {
    return log.partition();
  }

  @Override
  public int leaderEpoch() {
    return leaderEpoch;
  }

  @Override
  public boolean leader() {
    return leader;
  }

  @Override
  public long logStartOffset() {
    return log.logStartOffset();
  }

  @Override
  public long highWatermark() {
    return highWatermark;
  }

  @Override
  public long lastStableOffset() {
    return highWatermark;
  }

  @Override
  public long logEndOffset() {
    return log.logEndOffset();
  }

  @Override
  public long sizeBytes() {
    return log.sizeBytes();
  }

  @Override
  public @Nullable String offline() {
    return offline;
  }

  @Override
  public Path directory() {
    return log.directory();
  }

  @Override
  public void append(PartitionAppend append) {
    ErrorCode error = check(-1);
    if (append.acks() < -1 || append.acks() > 1) {
      error = ErrorCode.INVALID_REQUIRED_ACKS;
    } else if (error == ErrorCode.NONE && append.acks() == -1 && inSync < minInSync) {
      error = ErrorCode.NOT_ENOUGH_REPLICAS;
    }
    if (error != ErrorCode.NONE) {
      append.done(error, -1, -1, -1, error.name());
      return;
    }
    log.append(new Append(append, leaderEpoch));
  }

  @Override
  public PartitionReader reader() {
    LogReader reader = log.reader();
    return (offset, currentEpoch, lastFetchedEpoch, maxBytes, atLeastOne, isolation) ->
        read(reader, offset, currentEpoch, lastFetchedEpoch, maxBytes, atLeastOne);
  }

  private PartitionRead read(
      LogReader reader, long offset, int epoch, int lastFetched, int maxBytes, boolean atLeastOne) {
    ErrorCode error = check(epoch);
    if (error != ErrorCode.NONE) {
      return new PartitionRead(error, -1, -1, -1, null, java.util.List.of(), null);
    }
    long end = highWatermark;
    long start = log.logStartOffset();
    if (lastFetched >= 0) {
      EpochLookup known = endOffsetForEpoch(lastFetched, epoch);
      if (known.epoch() < 0) {
        return new PartitionRead(
            ErrorCode.OFFSET_OUT_OF_RANGE, end, end, start, null, java.util.List.of(), null);
      }
      if (known.epoch() < lastFetched || known.endOffset() < offset) {
        return new PartitionRead(ErrorCode.NONE, end, end, start, known, java.util.List.of(), null);
      }
    }
    try {
      LogSlice slice = reader.read(offset, end, maxBytes, atLeastOne);
      ErrorCode outcome = slice == null ? ErrorCode.OFFSET_OUT_OF_RANGE : ErrorCode.NONE;
      return new PartitionRead(outcome, end, end, start, null, java.util.List.of(), slice);
    } catch (TakhinException e) {
      return new PartitionRead(e.code(), -1, -1, -1, null, java.util.List.of(), null);
    }
  }

  @Override
  public void watch(PartitionWatcher watcher) {
    watchers.add(watcher);
  }

  @Override
  public void unwatch(PartitionWatcher watcher) {
    watchers.remove(watcher);
  }

  @Override
  public OffsetLookup lookup(long timestampMs, Isolation isolation, int currentLeaderEpoch) {
    ErrorCode error = check(currentLeaderEpoch);
    if (error == ErrorCode.NONE && timestampMs < -6) {
      error = ErrorCode.UNSUPPORTED_VERSION;
    }
    if (error != ErrorCode.NONE) {
      return new OffsetLookup(error, -1, -1, -1);
    }
    if (timestampMs == -1) {
      return new OffsetLookup(ErrorCode.NONE, highWatermark, -1, leaderEpoch);
    }
    if (timestampMs == -2 || timestampMs == -4) {
      return new OffsetLookup(ErrorCode.NONE, log.logStartOffset(), -1, leaderEpoch);
    }
    PartitionLog.OffsetAtTimestamp found = PartitionLog.OffsetAtTimestamp.NONE;
    if (timestampMs == -3) {
      found = log.offsetOfMaxTimestamp();
    } else if (timestampMs >= 0) {
      found = log.offsetAtOrAfter(timestampMs);
    }
    return found.offset() >= highWatermark
        ? new OffsetLookup(ErrorCode.NONE, -1, -1, -1)
        : new OffsetLookup(
            ErrorCode.NONE, found.offset(), found.timestampMs(), found.leaderEpoch());
  }

  @Override
  public EpochLookup endOffsetForEpoch(int epoch, int currentLeaderEpoch) {
    ErrorCode error = check(currentLeaderEpoch);
    if (error != ErrorCode.NONE) {
      return new EpochLookup(error, -1, -1);
    }
    if (epoch == leaderEpoch) {
      return new EpochLookup(ErrorCode.NONE, epoch, log.logEndOffset());
    }
    PartitionLog.EpochEndOffset end = log.endOffsetForEpoch(epoch);
    return new EpochLookup(ErrorCode.NONE, end.epoch(), end.endOffset());
  }

  @Override
  public DeleteRecordsResult deleteRecords(long offset) {
    ErrorCode error = check(-1);
    long until = offset == -1 ? highWatermark : offset;
    if (error == ErrorCode.NONE && log.config().compact() && !log.config().delete()) {
      error = ErrorCode.POLICY_VIOLATION;
    } else if (error == ErrorCode.NONE && (until < 0 || until > highWatermark)) {
      error = ErrorCode.OFFSET_OUT_OF_RANGE;
    }
    if (error != ErrorCode.NONE) {
      return new DeleteRecordsResult(error, -1);
    }
    log.deleteRecordsBefore(until);
    return new DeleteRecordsResult(ErrorCode.NONE, log.logStartOffset());
  }

  @Override
  public List<PartitionLog.ActiveProducer> activeProducers() {
    return log.activeProducers();
  }

  private ErrorCode check(int currentLeaderEpoch) {
    if (deleted) {
      return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (offline != null) {
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch != leaderEpoch) {
      return currentLeaderEpoch < leaderEpoch
          ? ErrorCode.FENCED_LEADER_EPOCH
          : ErrorCode.UNKNOWN_LEADER_EPOCH;
    }
    return leader ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  /// Waits for the log's answer, then for the high watermark.
  private final class Append extends LogAppend {
    private final PartitionAppend produce;

    Append(PartitionAppend produce, int epoch) {
      super(produce.records(), epoch, produce.origin());
      this.produce = produce;
    }

    @Override
    public void appended(AppendResult result) {
      switch (result) {
        case Rejected(ErrorCode code, String why) -> produce.done(code, -1, -1, -1, why);
        case Appended(long base, long last, long time, long start) ->
            written(new Parked(produce, base, last, time, start));
        case Duplicate(long base, long last, long time, long start) ->
            written(new Parked(produce, base, last, time, start));
      }
    }

    private void written(Parked written) {
      boolean waits =
          produce.acks() == -1 || (produce.acks() == 1 && log.config().durableBeforeAck());
      if (!waits) {
        written.answer(ErrorCode.NONE, null);
        return;
      }
      synchronized (parked) {
        parked.add(written);
      }
      answerVisible();
      if (!leader) {
        answer(each -> true, ErrorCode.NOT_LEADER_OR_FOLLOWER, "leader changed");
      }
      synchronized (parked) {
        if (!parked.contains(written)) {
          return;
        }
      }
      var unused =
          context
              .scheduler()
              .schedule(
                  () -> answer(each -> each == written, ErrorCode.REQUEST_TIMED_OUT, "timed out"),
                  produce.timeoutMs(),
                  TimeUnit.MILLISECONDS);
    }
  }

  /// Written, and waiting for its acknowledgement.
  private record Parked(
      PartitionAppend produce, long baseOffset, long lastOffset, long timeMs, long startOffset) {
    void answer(ErrorCode error, @Nullable String message) {
      if (error == ErrorCode.NONE) {
        produce.done(error, baseOffset, timeMs, startOffset, null);
      } else {
        produce.done(error, -1, -1, -1, message);
      }
    }
  }
}
