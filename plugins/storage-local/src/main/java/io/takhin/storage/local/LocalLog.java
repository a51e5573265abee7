package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.PartitionLog;
import io.takhin.storage.local.Transactions.Aborted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The log of one partition.
///
/// ```
/// append -> validate (no lock) -> gate: check producer, assign offsets, gather -> one write
///        -> publish the end -> committable (page cache) or ask the committer -> callbacks
/// ```
///
/// What the gate protects: producer state, the last segment, the list of segments, the end. What
/// readers see is published by volatile writes in the order sizes, segments, end. [Durability]
/// keeps fsync and truncation apart; no append and no reader waits for either.
///
/// Threading: any thread.
final class LocalLog implements PartitionLog {
  static final Logger LOGGER = LoggerFactory.getLogger(LocalLog.class);

  private final LogContext context;
  private final TopicPartition partition;
  private final LogListener listener;
  private final LeaderEpochs epochs;
  private final ProducerStates producers;
  private final ProducerSnapshots snapshots;
  private final LogTransactions transactions;
  private final RecentEnds recentEnds = new RecentEnds();
  private final Gate gate = new Gate(this::round);
  private final ReentrantLock progress = new ReentrantLock();
  private final Durability durability;
  private final Trimming trimming;

  private volatile Path path;
  private volatile LogConfig config;
  private volatile Segment[] segments;
  private volatile LogEnd end;
  private volatile long logStartOffset;
  private volatile long highWatermark;
  private volatile int truncations;
  private volatile @Nullable String closed;

  private volatile long committableEndOffset;
  private long committableBytes;

  private long rollJitterMs;

  /// A log as recovery found it.
  LocalLog(
      LogContext context,
      TopicPartition partition,
      LogConfig config,
      LogListener listener,
      RecoveredLog found) {
    this.context = context;
    this.partition = partition;
    this.config = config;
    this.listener = listener;
    this.path = found.path();
    this.segments = found.segments().toArray(new Segment[0]);
    this.epochs = found.epochs();
    this.producers = found.producers();
    this.logStartOffset = found.logStartOffset();
    Segment last = segments[segments.length - 1];
    this.end = new LogEnd(found.logEndOffset(), last, last.sizeBytes(), 0);
    this.highWatermark = found.highWatermark();
    this.durability =
        new Durability(this, Math.min(found.recoveryPoint(), found.logEndOffset()), found.fresh());
    this.committableEndOffset = found.logEndOffset();
    this.snapshots =
        new ProducerSnapshots(this, producers, found.snapshotOffset(), found.logEndOffset());
    this.transactions = new LogTransactions(this, found.aborts());
    this.trimming = new Trimming(this, producers, snapshots);
    producers.transactions().highWatermark(highWatermark);
    drawJitter();
    if (found.logEndOffset() > durability.recoveryPoint() || (found.fresh() && end.offset() > 0)) {
      durability.markInherited();
    }
  }

  @Override
  public TopicPartition partition() {
    return partition;
  }

  @Override
  public Path directory() {
    return context.directory().path();
  }

  Path path() {
    return path;
  }

  boolean closed() {
    return closed != null;
  }

  LogContext context() {
    return context;
  }

  @Override
  public long logStartOffset() {
    return logStartOffset;
  }

  @Override
  public long logEndOffset() {
    return end.offset();
  }

  @Override
  public long committableEndOffset() {
    return committableEndOffset;
  }

  @Override
  public void highWatermark(long offset) {
    highWatermark = offset;
    producers.transactions().highWatermark(offset);
    context.directory().noteChange();
  }

  @Override
  public long highWatermark() {
    return Math.clamp(highWatermark, logStartOffset, Math.max(logStartOffset, end.offset()));
  }

  long recoveryPoint() {
    return durability.recoveryPoint();
  }

  LogEnd end() {
    return end;
  }

  Segment[] segments() {
    return segments;
  }

  int truncations() {
    return truncations;
  }

  LeaderEpochs epochs() {
    return epochs;
  }

  /// The position of an end that was published lately, if it is in this segment; else -1.
  int recentPosition(long offset, Segment segment) {
    return recentEnds.position(offset, segment);
  }

  @Override
  public long sizeBytes() {
    long sum = 0;
    for (Segment segment : segments) {
      sum += segment.sizeBytes();
    }
    return sum;
  }

  @Override
  public LogConfig config() {
    return config;
  }

  @Override
  public void reconfigure(LogConfig newConfig) {
    boolean wasDurable = config.durableBeforeAck();
    config = newConfig;
    drawJitter();
    if (wasDurable && !newConfig.durableBeforeAck()) {
      durability.queueCommit();
    }
  }

  private void drawJitter() {
    long most = Math.min(config.segmentJitterMs(), config.segmentMs());
    rollJitterMs = most <= 0 ? 0 : context.random().nextLong(most);
  }

  void checkOpen() {
    String why = closed;
    if (why != null) {
      throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, partition + " is " + why);
    }
    context.directory().check();
  }

  @Override
  public void append(LogAppend append) {
    LogAppend prepared = context.validator().prepare(append, config, context.clock().millis());
    if (prepared != null) {
      gate.enter(prepared);
    }
  }

  /// One round of the gate.
  private void round(LogAppend chain) {
    Gather gather = context.gathers().take();
    LogAppend rest = chain;
    while (rest != null) {
      LogAppend append = rest;
      rest = append.next;
      append.next = null;
      if (append instanceof Gate.Task task) {
        write(gather);
        task.execute();
      } else {
        admit(append, gather);
      }
    }
    write(gather);
    context.gathers().give(gather);
  }

  private void admit(LogAppend append, Gather gather) {
    String why = closed == null ? context.directory().offline() : closed;
    if (why != null) {
      answer(append, new Rejected(ErrorCode.KAFKA_STORAGE_ERROR, partition + " is " + why));
      return;
    }
    ByteBuffer in = append.records();
    int at = in.position();
    boolean tracked =
        append.origin() != Origin.REPLICA
            && RecordBatch.producerId(in, at) != RecordBatch.NO_PRODUCER_ID;
    TransactionMarker marker = null;
    Producer producer = null;
    if (tracked) {
      marker = TransactionMarker.read(in, at);
      producer = producers.find(RecordBatch.producerId(in, at));
      if (producer != null && producer.staged()) {
        write(gather);
      }
      boolean stamped = config.timestampType() == TimestampType.LOG_APPEND_TIME;
      AppendResult refused = producers.refusal(producer, marker, append, stamped, logStartOffset);
      if (refused != null) {
        write(gather);
        answer(append, refused);
        return;
      }
    }
    if (gather.count() == Gather.MAX_APPENDS) {
      write(gather);
    }
    Rejected wrong = makeRoom(append, gather);
    if (wrong == null) {
      wrong = Placement.assignOffsets(append, nextOffset(gather));
    }
    if (wrong != null) {
      write(gather);
      answer(append, wrong);
      return;
    }
    long base = RecordBatch.baseOffset(in, at);
    if (tracked) {
      producer = producer == null ? producers.findOrAdd(RecordBatch.producerId(in, at)) : producer;
      producer.stage(in, at, marker);
    }
    gather.add(append, base, Placement.lastOffset(in), producer);
  }

  /// Rolls to a new segment if this append must not go into the one that grows.
  private @Nullable Rejected makeRoom(LogAppend append, Gather gather) {
    ByteBuffer in = append.records();
    int at = in.position();
    long next = nextOffset(gather);
    long base = append.origin() == Origin.REPLICA ? RecordBatch.baseOffset(in, at) : next;
    if (base < next) {
      return new Rejected(
          ErrorCode.INVALID_RECORD, "offset " + base + " where " + next + " is expected");
    }
    Segment active = end.segment();
    long size = (long) end.position() + gather.bytes();
    LogConfig settings = config;
    if (size == 0
        || !Placement.mustRoll(
            active, size, base, in, settings, settings.segmentMs() - rollJitterMs)) {
      return null;
    }
    write(gather);
    if (end.position() == 0) {
      return null; // the write failed: the segment is still empty
    }
    try {
      roll(base);
      return null;
    } catch (IOException e) {
      return storageFailure("starting a segment of " + partition, e);
    }
  }

  private long nextOffset(Gather gather) {
    return gather.count() == 0 ? end.offset() : gather.lastOffset(gather.count() - 1) + 1;
  }

  /// Writes what was gathered, publishes it and answers; empties the gather.
  private void write(Gather gather) {
    if (gather.count() == 0) {
      return;
    }
    LogEnd before = end;
    Segment segment = before.segment();
    try {
      Disk.File file = segment.file.acquire();
      try {
        file.write(gather.buffers(), gather.count(), before.position());
      } finally {
        segment.file.release();
      }
    } catch (IOException e) {
      gather.restorePositions();
      writeFailed(gather, before, e);
      return;
    }
    gather.restorePositions();
    if (context.directory().full() != null) {
      context.directory().noteRoom();
    }
    LogConfig settings = config;
    int position = before.position();
    for (int i = 0; i < gather.count(); i++) {
      position = noteWritten(gather, i, segment, position, settings);
    }
    segment.sizeBytes(position);
    long bytes = before.bytes() + gather.bytes();
    LogEnd after = new LogEnd(nextOffset(gather), segment, position, bytes);
    recentEnds.add(after);
    end = after;
    durability.markDirty();
    if (settings.durableBeforeAck()) {
      durability.queueCommit();
    } else {
      committable(end);
    }
    for (int i = 0; i < gather.count(); i++) {
      ByteBuffer in = gather.buffers()[i];
      int at = gather.position(i);
      long stamp = RecordBatch.logAppendTime(in, at) ? RecordBatch.maxTimestamp(in, at) : -1;
      answer(
          gather.append(i),
          new Appended(gather.baseOffset(i), gather.lastOffset(i), stamp, logStartOffset));
    }
    gather.clear();
  }

  private int noteWritten(Gather gather, int i, Segment segment, int position, LogConfig settings) {
    ByteBuffer in = gather.buffers()[i];
    Producer producer = gather.producer(i);
    int at = gather.position(i);
    int written = position;
    while (at < in.limit()) {
      segment.note(in, at, written, settings.indexIntervalBytes());
      int epoch = RecordBatch.leaderEpoch(in, at);
      if (epochs.note(epoch, RecordBatch.baseOffset(in, at))) {
        saveEpochs();
      }
      Aborted aborted =
          producer == null
              ? producers.learn(in, at, TransactionMarker.read(in, at))
              : producer.commitStaged(producers.transactions());
      if (aborted != null) {
        transactions.note(segment, aborted);
      }
      int size = (int) RecordBatch.sizeBytes(in, at);
      written += size;
      at += size;
    }
    return written;
  }

  private void writeFailed(Gather gather, LogEnd before, IOException e) {
    for (int i = 0; i < gather.count(); i++) {
      Producer producer = gather.producer(i);
      if (producer != null) {
        producer.dropStaged();
      }
    }
    Rejected result = storageFailure("writing " + before.segment().file.path(), e);
    try {
      Disk.File file = before.segment().file.acquire();
      try {
        file.truncate(before.position());
      } finally {
        before.segment().file.release();
      }
    } catch (IOException cutFailed) {
      cutFailed.addSuppressed(e);
      context.directory().fail("cutting back " + before.segment().file.path(), cutFailed);
    }
    for (int i = 0; i < gather.count(); i++) {
      answer(gather.append(i), result);
    }
    gather.clear();
  }

  private Rejected storageFailure(String doing, IOException e) {
    if (e instanceof Disk.FullException) {
      context.directory().noteFull(String.valueOf(e.getMessage()));
      return new Rejected(ErrorCode.KAFKA_STORAGE_ERROR, "no room in " + directory());
    }
    TakhinException failure = context.directory().fail(doing, e);
    return new Rejected(failure.code(), String.valueOf(failure.getMessage()));
  }

  private void saveEpochs() {
    try {
      epochs.save();
    } catch (IOException e) {
      // the batch is written and carries its epoch: recovery finds it there
      LOGGER.warn("{}: saving {}: {}", partition, LogFiles.EPOCHS, e.toString());
      durability.noteNames();
    }
  }

  private static void answer(LogAppend append, AppendResult result) {
    try {
      append.appended(result);
    } catch (RuntimeException e) {
      LOGGER.error("a callback of an append failed: a defect of its caller", e);
    }
  }

  /// Closes the segment that grows and starts the next one at `base`. In the gate.
  void roll(long base) throws IOException {
    Segment old = end.segment();
    old.seal();
    snapshots.take(base);
    Segment next = Segment.create(context, path, base);
    Segment[] now = segments;
    Segment[] more = java.util.Arrays.copyOf(now, now.length + 1);
    more[now.length] = next;
    durability.noteNames();
    segments = more;
    end = new LogEnd(end.offset(), next, 0, end.bytes());
    old.sealed();
    drawJitter();
    context.blocking().execute(durability::flushQuietly);
  }

  /// Tells the listener that all up to `to` is as durable as an acknowledgement asks.
  void committable(LogEnd to) {
    progress.lock();
    try {
      if (to.offset() > committableEndOffset && to.offset() <= end.offset()) {
        long bytes = to.bytes() - committableBytes;
        committableEndOffset = to.offset();
        committableBytes = to.bytes();
        listener.committable(to.offset(), bytes);
      }
    } finally {
      progress.unlock();
    }
  }

  @Override
  public void flush() {
    checkOpen();
    LogEnd written = end;
    durability.flush(written);
    if (config.durableBeforeAck()) {
      committable(written);
    }
  }

  /// Forces what was written and tells the listener. On the committer's thread.
  void commit() {
    durability.commit();
  }

  Durability durability() {
    return durability;
  }

  /// Takes a snapshot of the producers if much was written since the last one: a restart reads no
  /// more than that, and snapshots are a small share of what is written.
  void snapshotIfDue() {
    if (snapshots.due()) {
      gate.run(snapshots::takeAtEnd);
    }
  }

  @Override
  public LogReader reader() {
    return new LocalReader(this);
  }

  @Override
  public OffsetAtTimestamp offsetAtOrAfter(long timestampMs) {
    checkOpen();
    return TimestampLookup.atOrAfter(this, timestampMs);
  }

  @Override
  public OffsetAtTimestamp offsetOfMaxTimestamp() {
    checkOpen();
    return TimestampLookup.greatest(this);
  }

  @Override
  public int latestEpoch() {
    return epochs.latest();
  }

  @Override
  public EpochEndOffset endOffsetForEpoch(int epoch) {
    return epochs.end(epoch, end.offset());
  }

  @Override
  public List<ActiveProducer> activeProducers() {
    List<ActiveProducer> active = new ArrayList<>();
    gate.run(() -> active.addAll(producers.active()));
    return active;
  }

  @Override
  public long firstUnstableOffset() {
    long first = producers.transactions().firstUnstable();
    return first == Long.MAX_VALUE ? -1 : Math.max(first, logStartOffset);
  }

  @Override
  public List<AbortedTransaction> abortedTransactions(long from, long until) {
    checkOpen();
    return transactions.find(from, until);
  }

  @Override
  public boolean transactionOpen(long producerId, short producerEpoch) {
    return producers.transactions().open(producerId, producerEpoch);
  }

  @Override
  public long beginVerification(long producerId, short producerEpoch) {
    return producers.transactions().beginVerification(producerId, producerEpoch);
  }

  @Override
  public void endVerification(long producerId, long token) {
    producers.transactions().endVerification(producerId, token);
  }

  @Override
  public void deleteRecordsBefore(long offset) {
    checkOpen();
    trimming.deleteRecordsBefore(offset);
  }

  @Override
  public void truncateTo(long offset) {
    checkOpen();
    trimming.truncateTo(offset);
  }

  @Override
  public void truncateFullyAndStartAt(long offset) {
    checkOpen();
    trimming.truncateFullyAndStartAt(offset);
  }

  /// Applies retention and forgets idle producers: see [Trimming#clean].
  void clean(long nowMs, long producerExpiryMs) {
    trimming.clean(nowMs, producerExpiryMs);
  }

  // What Trimming does to the log, in the gate.

  void inGate(Runnable work) {
    gate.run(work);
  }

  /// The log begins at `offset` now, in the first of these segments.
  void startAt(long offset, Segment[] kept) {
    logStartOffset = offset;
    context.directory().noteChange();
    segments = kept;
  }

  /// Tells everybody where the log begins.
  void tellStart(long offset) {
    if (epochs.truncateStart(offset)) {
      saveEpochs();
    }
    progress.lock();
    try {
      listener.logStartAdvanced(offset);
    } finally {
      progress.unlock();
    }
  }

  /// The log ends here now; the segments behind are about to go, or are gone.
  void cutBack(LogEnd to, Segment[] kept) {
    truncations++;
    segments = kept;
    end = to;
  }

  /// After [#cutBack]: nothing points beyond the end any more.
  void truncated() throws IOException {
    long offset = end.offset();
    recentEnds.clear();
    highWatermark = Math.min(highWatermark, offset);
    durability.truncated(offset);
    logStartOffset = Math.min(logStartOffset, offset);
    progress.lock();
    try {
      committableEndOffset = Math.min(committableEndOffset, offset);
      committableBytes = end.bytes();
    } finally {
      progress.unlock();
    }
    epochs.truncateEnd(offset);
    epochs.save();
  }

  /// Tells the listener that the directory failed.
  void offline(String reason) {
    progress.lock();
    try {
      listener.offline(reason);
    } finally {
      progress.unlock();
    }
  }

  /// Ends a log that could not be opened after all.
  void abandon() {
    gate.run(() -> closed = "not open");
    for (Segment segment : segments) {
      context.files().drop(segment.file);
    }
  }

  /// Ends appends and reads; with everything on disk, if the directory works and has room.
  ///
  /// @return whether everything is on disk, so that the next start may believe it
  boolean close() {
    boolean[] sealed = {false};
    if (context.directory().offline() == null) {
      durability.flushQuietly();
    }
    gate.run(
        () -> {
          if (closed != null) {
            return;
          }
          if (context.directory().offline() == null) {
            try {
              end.segment().seal();
              end.segment().saveWholeIndex();
              forceIndex();
              if (end.offset() > 0 || snapshots.offset() >= 0) {
                snapshots.takeAtEnd();
              }
              sealed[0] = true;
            } catch (IOException e) {
              LOGGER.warn("{}: closing: {}", partition, e.toString());
            }
          }
          closed = "closed";
        });
    for (Segment segment : segments) {
      try {
        segment.file.tryClose();
      } catch (IOException e) {
        LOGGER.debug("{}: closing {}: {}", partition, segment.file.path(), e.toString());
      }
    }
    return sealed[0] && durability.complete();
  }

  private void forceIndex() {
    try {
      end.segment().forceIndex();
    } catch (IOException e) {
      context.directory().fail("fsync of the indexes of " + path, e);
    }
  }

  /// Ends appends and reads and renames the directory, so that the files go later.
  ///
  /// @return where the files are now
  Path delete(Path renamed) throws IOException {
    IOException[] failure = new IOException[1];
    durability.exclude(
        () ->
            gate.run(
                () -> {
                  closed = "deleted";
                  try {
                    context.disk().rename(path, renamed);
                    path = renamed;
                    for (Segment segment : segments) {
                      segment.moved(renamed);
                    }
                  } catch (IOException e) {
                    failure[0] = e;
                  }
                }));
    if (failure[0] != null) {
      throw failure[0];
    }
    return renamed;
  }
}
