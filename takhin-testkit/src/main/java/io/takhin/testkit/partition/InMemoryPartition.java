package io.takhin.testkit.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionWatcher;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
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
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

  /// Ends what [#offline] began, as when a log that found no room is open at last.
  void online() {
    offline = null;
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
    long visible = highWatermark;
    long unstable = log.firstUnstableOffset();
    return unstable < 0 ? visible : Math.min(visible, unstable);
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
    ByteBuffer records = append.records();
    int at = records.position();
    boolean verify =
        append.origin() == LogAppend.Origin.CLIENT
            && records.remaining() >= RecordBatch.HEADER_BYTES
            && RecordBatch.transactional(records, at)
            && !transactionOpen(
                RecordBatch.producerId(records, at), RecordBatch.producerEpoch(records, at));
    if (verify) {
      verify(append);
    } else {
      log.append(new Append(append, leaderEpoch, 0));
    }
  }

  /// As plain as can be: waits for the coordinator.
  private void verify(PartitionAppend append) {
    ByteBuffer records = append.records();
    long producerId = RecordBatch.producerId(records, records.position());
    short epoch = RecordBatch.producerEpoch(records, records.position());
    String transactionalId = append.transactionalId();
    if (transactionalId == null) {
      append.done(ErrorCode.INVALID_TXN_STATE, -1, -1, -1, "no transactional id");
      return;
    }
    long token = log.beginVerification(producerId, epoch);
    TransactionCoordinator coordinator = context.service(TransactionCoordinator.class);
    List<TxnPartition> here = List.of(new TxnPartition(id().topic(), id().partition()));
    var unused =
        (append.joinsTransaction()
                ? coordinator.addPartitions(transactionalId, producerId, epoch, here)
                : coordinator.verify(transactionalId, producerId, epoch, here))
            .thenAccept(
                errors -> {
                  if (errors.getFirst() == ErrorCode.NONE) {
                    log.append(new Append(append, leaderEpoch, token));
                  } else {
                    append.done(errors.getFirst(), -1, -1, -1, errors.getFirst().name());
                  }
                });
  }

  @Override
  public CompletableFuture<ErrorCode> endTransaction(
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {
    CompletableFuture<ErrorCode> outcome = new CompletableFuture<>();
    ByteBuffer marker =
        TransactionMarker.batch(
            producerId, producerEpoch, coordinatorEpoch, commit, context.clock().millis());
    append(
        new PartitionAppend(marker, (short) -1, 30_000, LogAppend.Origin.COORDINATOR) {
          @Override
          public int transactionVersion() {
            return transactionVersion;
          }

          @Override
          public void done(
              ErrorCode error, long base, long timeMs, long start, @Nullable String message) {
            outcome.complete(error);
          }
        });
    return outcome;
  }

  @Override
  public boolean transactionOpen(long producerId, short producerEpoch) {
    return log.transactionOpen(producerId, producerEpoch);
  }

  @Override
  public PartitionReader reader() {
    LogReader reader = log.reader();
    return (offset, currentEpoch, lastFetchedEpoch, maxBytes, atLeastOne, isolation) ->
        read(reader, offset, currentEpoch, lastFetchedEpoch, maxBytes, atLeastOne, isolation);
  }

  private PartitionRead read(
      LogReader reader,
      long offset,
      int epoch,
      int lastFetched,
      int maxBytes,
      boolean atLeastOne,
      Isolation isolation) {
    ErrorCode error = check(epoch);
    if (error != ErrorCode.NONE) {
      return new PartitionRead(error, -1, -1, -1, null, List.of(), null);
    }
    long end = highWatermark;
    long stable = Math.min(end, lastStableOffset());
    long start = log.logStartOffset();
    if (lastFetched >= 0) {
      EpochLookup known = endOffsetForEpoch(lastFetched, epoch);
      if (known.epoch() < 0) {
        return new PartitionRead(
            ErrorCode.OFFSET_OUT_OF_RANGE, end, stable, start, null, List.of(), null);
      }
      if (known.epoch() < lastFetched || known.endOffset() < offset) {
        return new PartitionRead(ErrorCode.NONE, end, stable, start, known, List.of(), null);
      }
    }
    try {
      boolean committed = isolation == Isolation.READ_COMMITTED;
      LogSlice slice = reader.read(offset, committed ? stable : end, maxBytes, atLeastOne);
      ErrorCode outcome = slice == null ? ErrorCode.OFFSET_OUT_OF_RANGE : ErrorCode.NONE;
      List<PartitionLog.AbortedTransaction> aborted =
          committed && slice != null && slice.sizeBytes() > 0
              ? log.abortedTransactions(offset, slice.endOffset())
              : List.of();
      return new PartitionRead(outcome, end, stable, start, null, aborted, slice);
    } catch (TakhinException e) {
      return new PartitionRead(e.code(), -1, -1, -1, null, List.of(), null);
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
    long end = isolation == Isolation.READ_COMMITTED ? lastStableOffset() : highWatermark;
    if (timestampMs == -1) {
      return new OffsetLookup(ErrorCode.NONE, end, -1, leaderEpoch);
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
    return found.offset() >= end
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
    private final long verification;

    Append(PartitionAppend produce, int epoch, long verification) {
      super(produce.records(), epoch, produce.origin());
      this.produce = produce;
      this.verification = verification;
    }

    @Override
    public long verification() {
      return verification;
    }

    @Override
    public int transactionVersion() {
      return produce.transactionVersion();
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
