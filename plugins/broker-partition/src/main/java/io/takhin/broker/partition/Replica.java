package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionWatcher;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import io.takhin.api.storage.PartitionLog.EpochEndOffset;
import io.takhin.broker.partition.ReplicaState.Following;
import io.takhin.broker.partition.ReplicaState.Gone;
import io.takhin.broker.partition.ReplicaState.Leading;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A replica on this broker: joins the log with what is known of leadership, visibility and who
/// waits.
///
/// Every wait here follows one protocol, so that no wake-up is lost and no lock is held while
/// others are told:
///
/// ```
///   who waits:   add to the waiting set   -> then read the state again -> then really wait
///   who changes: write the new state      -> then look at the waiting set -> then tell it
/// ```
///
/// Threading: any thread. The lock of this object orders changes of [ReplicaState]; nothing outside
/// is called under it.
final class Replica implements Partition, LogListener, PendingAppend.Owner {
  private static final Logger log = LoggerFactory.getLogger(Replica.class);

  private static final long NO_OFFSET = -1;
  private static final int NO_EPOCH = -1;

  private final TopicPartition id;
  private final LogStorage storage;
  private final ParkedSweep sweep;
  private final int self;
  private final HighWatermark highWatermark;
  private final ParkedAppends parked = new ParkedAppends();
  private final Watchers watchers = new Watchers();
  private final HeldBytes heldBytes = new HeldBytes();
  private final CoordinatorQuestions questions;
  private final Verifications verifications;
  private volatile ReplicaState state = new Following(NO_EPOCH, -1);
  private volatile @Nullable PartitionLog partitionLog;

  /// @param self this broker's id
  Replica(
      TopicPartition id,
      LogStorage storage,
      ParkedSweep sweep,
      CoordinatorQuestions questions,
      int self) {
    this.id = id;
    this.storage = storage;
    this.sweep = sweep;
    this.questions = questions;
    this.verifications = new Verifications(id, questions, this::appendVerified);
    this.self = self;
    this.highWatermark = new HighWatermark(self);
  }

  /// Opens the log. If there is no room for that, the replica is unopened, and it may be tried
  /// again; if its directory fails, it is offline.
  /// Blocking: recovery of the log.
  ///
  /// @return whether it need not be tried again
  boolean open(TopicSettings settings) {
    try {
      PartitionLog opened = storage.open(id, settings.log(), this);
      highWatermark.opened(opened.highWatermark());
      partitionLog = opened;
      synchronized (this) {
        state = state.opened();
      }
      return true;
    } catch (TakhinException e) {
      String why = e.getMessage() == null ? e.code().name() : e.getMessage();
      if (storage.mayOpenLater(id)) {
        log.debug("{} is offline for want of room", id, e);
        synchronized (this) {
          state = state.unopened(why);
        }
        return false;
      }
      log.error("{} is offline: {}", id, why, e);
      offline(why);
      return true;
    }
  }

  /// Takes what the metadata says of this partition. Only the metadata's thread calls it.
  void apply(PartitionState metadata, TopicSettings settings) {
    PartitionLog current = partitionLog;
    if (current != null && !current.config().equals(settings.log())) {
      current.reconfigure(settings.log());
    }
    ReplicaState before;
    ReplicaState after;
    synchronized (this) {
      before = state;
      after = before.applied(metadata, self, settings.minInSyncReplicas());
      state = after;
    }
    boolean newEpoch = before.leaderEpoch() != after.leaderEpoch();
    long visible = 0;
    if (after instanceof Leading && current != null) {
      boolean fresh = newEpoch || !(before instanceof Leading);
      visible = highWatermark.lead(metadata.isr(), current.committableEndOffset(), fresh);
    } else {
      highWatermark.follow();
    }
    if (before instanceof Leading && !(after instanceof Leading)) {
      failParked(after);
    }
    advanced(visible);
    if (newEpoch || before.error() != after.error()) {
      watchers.changed(this);
    }
  }

  /// Ends the replica: who waits is answered with `error`, and so is everything later.
  void gone(ErrorCode error, String message) {
    Gone after;
    synchronized (this) {
      after = new Gone(state.leaderEpoch(), error, message);
      state = after;
    }
    highWatermark.follow();
    failParked(after);
    watchers.changed(this);
  }

  /// Writes to disk what somebody waits for. Blocking: fsync.
  void flushForParked() {
    PartitionLog current = partitionLog;
    if (current != null && !parked.isEmpty()) {
      current.flush();
    }
  }

  /// Answers who waited too long.
  ///
  /// @return whether the partition must be looked at again
  boolean expire(long nowNanos) {
    PendingAppend expired = parked.takeExpired(nowNanos);
    while (expired != null) {
      PendingAppend append = expired;
      expired = take(append);
      append.fail(
          ErrorCode.REQUEST_TIMED_OUT,
          "written, but not acknowledged within " + append.timeoutMs() + " ms");
    }
    return parked.swept();
  }

  /// What the replica is now.
  ReplicaState state() {
    return state;
  }

  @Override
  public void committable(long endOffset, long bytes) {
    advanced(highWatermark.logReached(endOffset, bytes));
  }

  /// Tells who waits, after the high watermark has moved.
  private void advanced(long visibleBytes) {
    if (visibleBytes == 0) {
      return;
    }
    PartitionLog current = partitionLog;
    long told = visibleBytes;
    if (current != null) {
      checkpoint(current);
      long visible = highWatermark.offset();
      told = heldBytes.advanced(visibleBytes, stable(current, visible), visible);
    }
    answerVisible();
    watchers.advanced(this, told);
  }

  /// Tells the log, and again if another thread has raised it meanwhile: the greatest one stays.
  private void checkpoint(PartitionLog current) {
    long told;
    do {
      told = highWatermark.offset();
      current.highWatermark(told);
    } while (told != highWatermark.offset());
  }

  @Override
  public void logStartAdvanced(long logStartOffset) {
    // Readers below it find out with their next read; who waits, waits at the end.
  }

  @Override
  public void offline(String reason) {
    ReplicaState after;
    synchronized (this) {
      after = state.failed(reason);
      state = after;
    }
    highWatermark.follow();
    failParked(after);
    watchers.changed(this);
  }

  @Override
  public void append(PartitionAppend produce) {
    ReplicaState now = state;
    PartitionLog current = partitionLog;
    if (!(now instanceof Leading leading) || current == null) {
      produce.done(now.error(), -1, -1, -1, id + ": " + now.message());
      return;
    }
    short acks = produce.acks();
    if (acks < -1 || acks > 1) {
      produce.done(
          ErrorCode.INVALID_REQUIRED_ACKS, -1, -1, -1, "acks must be -1, 0 or 1, not " + acks);
      return;
    }
    if (acks == -1 && !leading.enoughInSync()) {
      produce.done(ErrorCode.NOT_ENOUGH_REPLICAS, -1, -1, -1, tooFewInSync(leading));
      return;
    }
    PendingAppend append = new PendingAppend(this, produce, leading.leaderEpoch());
    if (produce.origin() == Origin.CLIENT && transactional(produce.records())) {
      verifications.append(current, append);
    } else {
      current.append(append);
    }
  }

  /// What is no batch at all is the log's to refuse.
  private static boolean transactional(ByteBuffer records) {
    int at = records.position();
    return records.remaining() >= RecordBatch.HEADER_BYTES
        && RecordBatch.transactional(records, at)
        && RecordBatch.producerId(records, at) >= 0;
  }

  /// The coordinator may have taken its time.
  private void appendVerified(PendingAppend append) {
    ReplicaState now = state;
    PartitionLog current = partitionLog;
    if (now.error() != ErrorCode.NONE || current == null) {
      append.refuse(now.error(), id + ": " + now.message());
    } else if (now.leaderEpoch() != append.leaderEpoch()) {
      append.refuse(ErrorCode.NOT_LEADER_OR_FOLLOWER, id + " has another leader epoch");
    } else {
      current.append(append);
    }
  }

  @Override
  public CompletableFuture<ErrorCode> endTransaction(
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {
    ByteBuffer marker =
        TransactionMarker.batch(
            producerId, producerEpoch, coordinatorEpoch, commit, questions.nowMs());
    MarkerAppend append = new MarkerAppend(marker, transactionVersion);
    append(append);
    return append
        .outcome()
        .thenApply(
            error -> {
              if (error == ErrorCode.NONE) {
                verifications.ended(producerId, producerEpoch, transactionVersion);
              }
              return error;
            });
  }

  @Override
  public boolean transactionOpen(long producerId, short producerEpoch) {
    PartitionLog current = partitionLog;
    return current != null && current.transactionOpen(producerId, producerEpoch);
  }

  private String tooFewInSync(Leading leading) {
    return id
        + " has "
        + leading.inSync()
        + " replicas in sync, and acks=all needs "
        + leading.minInSync();
  }

  @Override
  public void written(PendingAppend append) {
    if (!waits(append.acks()) || append.lastOffset() < highWatermark.offset()) {
      answer(append);
      return;
    }
    long deadline = sweep.deadlineNanos(append.timeoutMs());
    if (parked.add(append, deadline)) {
      sweep.add(this);
    }
    // It may have become visible, or the replica have ended, before it was parked.
    answerVisible();
    ReplicaState now = state;
    if (!(now instanceof Leading)) {
      failParked(now);
    }
  }

  /// `acks=1` stands for the leader's own log, and waits only if that counts on disk alone.
  private boolean waits(short acks) {
    PartitionLog current = partitionLog;
    return acks == -1 || (acks == 1 && current != null && current.config().durableBeforeAck());
  }

  private void answerVisible() {
    if (parked.isEmpty()) {
      return;
    }
    PendingAppend visible = parked.takeBelow(highWatermark.offset());
    while (visible != null) {
      PendingAppend append = visible;
      visible = take(append);
      answer(append);
    }
  }

  private void answer(PendingAppend append) {
    if (append.acks() == -1 && state instanceof Leading leading && !leading.enoughInSync()) {
      append.fail(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, tooFewInSync(leading));
    } else {
      append.succeed();
    }
  }

  private void failParked(ReplicaState why) {
    PendingAppend left = parked.takeAll();
    while (left != null) {
      PendingAppend append = left;
      left = take(append);
      append.fail(why.error(), id + ": " + why.message());
    }
  }

  /// Unlinks the head of a chain and returns the rest.
  private static @Nullable PendingAppend take(PendingAppend head) {
    PendingAppend rest = head.nextParked;
    head.nextParked = null;
    return rest;
  }

  @Override
  public TopicPartition id() {
    return id;
  }

  // Each replica is itself alone; the hash follows from the id so that sets of replicas are walked
  // in the same order in every run of a simulation.
  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  @Override
  public int leaderEpoch() {
    return state.leaderEpoch();
  }

  @Override
  public boolean leader() {
    return state instanceof Leading;
  }

  @Override
  public long logStartOffset() {
    PartitionLog current = partitionLog;
    return current == null ? 0 : current.logStartOffset();
  }

  @Override
  public long highWatermark() {
    return highWatermark.offset();
  }

  @Override
  public long lastStableOffset() {
    long visible = highWatermark.offset();
    PartitionLog current = partitionLog;
    return current == null ? visible : stable(current, visible);
  }

  /// The last stable offset, of a high watermark that was read before.
  private static long stable(PartitionLog log, long visible) {
    long unstable = log.firstUnstableOffset();
    return unstable < 0 ? visible : Math.min(visible, unstable);
  }

  @Override
  public long logEndOffset() {
    PartitionLog current = partitionLog;
    return current == null ? 0 : current.logEndOffset();
  }

  @Override
  public long sizeBytes() {
    PartitionLog current = partitionLog;
    return current == null ? 0 : current.sizeBytes();
  }

  @Override
  public @Nullable String offline() {
    return switch (state) {
      case ReplicaState.Offline failed -> failed.message();
      case ReplicaState.Unopened full -> full.message();
      case Leading ignored -> null;
      case Following ignored -> null;
      case Gone ignored -> null;
    };
  }

  @Override
  public Path directory() {
    PartitionLog current = partitionLog;
    return current == null ? storage.directories().getFirst().path() : current.directory();
  }

  @Override
  public PartitionReader reader() {
    return new ReplicaReader(this);
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
    ReplicaState now = state;
    ErrorCode error = now.check(currentLeaderEpoch);
    PartitionLog current = partitionLog;
    if (error != ErrorCode.NONE || current == null) {
      return new OffsetLookup(error, NO_OFFSET, -1, NO_EPOCH);
    }
    try {
      return OffsetLookups.lookup(current, timestampMs, visibleEnd(isolation), now.leaderEpoch());
    } catch (TakhinException e) {
      return new OffsetLookup(e.code(), NO_OFFSET, -1, NO_EPOCH);
    }
  }

  @Override
  public EpochLookup endOffsetForEpoch(int epoch, int currentLeaderEpoch) {
    ReplicaState now = state;
    ErrorCode error = now.check(currentLeaderEpoch);
    PartitionLog current = partitionLog;
    if (error != ErrorCode.NONE || current == null) {
      return new EpochLookup(error, NO_EPOCH, NO_OFFSET);
    }
    EpochEndOffset end = OffsetLookups.endOffsetForEpoch(current, epoch, now.leaderEpoch());
    return new EpochLookup(ErrorCode.NONE, end.epoch(), end.endOffset());
  }

  @Override
  public DeleteRecordsResult deleteRecords(long offset) {
    ErrorCode error = state.error();
    PartitionLog current = partitionLog;
    if (error != ErrorCode.NONE || current == null) {
      return new DeleteRecordsResult(error, NO_OFFSET);
    }
    if (current.config().compact() && !current.config().delete()) {
      return new DeleteRecordsResult(ErrorCode.POLICY_VIOLATION, NO_OFFSET);
    }
    long visible = highWatermark.offset();
    long until = offset == -1 ? visible : offset;
    if (until < 0 || until > visible) {
      return new DeleteRecordsResult(ErrorCode.OFFSET_OUT_OF_RANGE, NO_OFFSET);
    }
    try {
      current.deleteRecordsBefore(until);
      return new DeleteRecordsResult(ErrorCode.NONE, current.logStartOffset());
    } catch (TakhinException e) {
      return new DeleteRecordsResult(e.code(), NO_OFFSET);
    }
  }

  @Override
  public List<ActiveProducer> activeProducers() {
    PartitionLog current = partitionLog;
    return current == null ? List.of() : current.activeProducers();
  }

  /// How far a reader may see.
  private long visibleEnd(Isolation isolation) {
    return isolation == Isolation.READ_COMMITTED ? lastStableOffset() : highWatermark.offset();
  }

  /// A consumer's cursor. The log's own is made with the first read that gets so far.
  private static final class ReplicaReader implements PartitionReader {
    private final Replica replica;
    private @Nullable LogReader cursor;

    ReplicaReader(Replica replica) {
      this.replica = replica;
    }

    @Override
    public PartitionRead read(
        long offset,
        int currentLeaderEpoch,
        int lastFetchedEpoch,
        int maxBytes,
        boolean atLeastOneBatch,
        Isolation isolation) {
      ReplicaState now = replica.state;
      ErrorCode error = now.check(currentLeaderEpoch);
      PartitionLog current = replica.partitionLog;
      if (error != ErrorCode.NONE || current == null) {
        return failed(error);
      }
      long visible = replica.highWatermark.offset();
      long stable = stable(current, visible);
      long end = isolation == Isolation.READ_COMMITTED ? stable : visible;
      long start = current.logStartOffset();
      try {
        if (lastFetchedEpoch >= 0) {
          EpochEndOffset known =
              OffsetLookups.endOffsetForEpoch(current, lastFetchedEpoch, now.leaderEpoch());
          if (known.epoch() < 0 || known.endOffset() < 0 || offset < start) {
            return new PartitionRead(
                ErrorCode.OFFSET_OUT_OF_RANGE, visible, stable, start, null, List.of(), null);
          }
          if (known.epoch() < lastFetchedEpoch || known.endOffset() < offset) {
            EpochLookup diverging =
                new EpochLookup(ErrorCode.NONE, known.epoch(), known.endOffset());
            return new PartitionRead(
                ErrorCode.NONE, visible, stable, start, diverging, List.of(), null);
          }
        }
        LogReader reader = cursor;
        if (reader == null) {
          reader = current.reader();
          cursor = reader;
        }
        LogSlice slice = reader.read(offset, end, maxBytes, atLeastOneBatch);
        ErrorCode outcome = slice == null ? ErrorCode.OFFSET_OUT_OF_RANGE : ErrorCode.NONE;
        List<AbortedTransaction> aborted =
            slice != null && isolation == Isolation.READ_COMMITTED
                ? aborted(current, offset, slice)
                : List.of();
        return new PartitionRead(outcome, visible, stable, start, null, aborted, slice);
      } catch (TakhinException e) {
        // The log was deleted or failed while it was read: the state knows which by now.
        ErrorCode since = replica.state.error();
        return failed(since == ErrorCode.NONE ? e.code() : since);
      }
    }

    /// What the reader must skip in a slice, which is closed if that cannot be known.
    private static List<AbortedTransaction> aborted(PartitionLog log, long offset, LogSlice slice) {
      if (slice.sizeBytes() == 0) {
        return List.of();
      }
      try {
        return log.abortedTransactions(offset, slice.endOffset());
      } catch (RuntimeException e) {
        slice.close();
        throw e;
      }
    }

    private static PartitionRead failed(ErrorCode error) {
      return new PartitionRead(error, NO_OFFSET, NO_OFFSET, NO_OFFSET, null, List.of(), null);
    }
  }
}
