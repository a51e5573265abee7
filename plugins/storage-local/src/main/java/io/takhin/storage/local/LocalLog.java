package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.PartitionLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
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
/// readers see is published by volatile writes in the order sizes, segments, end. `flushLock`
/// keeps fsync and truncation apart; no append and no reader takes it.
///
/// Threading: any thread.
final class LocalLog implements PartitionLog {
  static final Logger LOGGER = LoggerFactory.getLogger(LocalLog.class);

  private static final int RECENT_ENDS = 8;
  private static final long SNAPSHOT_EVERY_BYTES = 64L << 20;

  private final LogContext context;
  private final TopicPartition partition;
  private final LogListener listener;
  private final LeaderEpochs epochs;
  private final ProducerStates producers;
  private final Gate gate = new Gate(this::round);
  private final ReentrantLock flushLock = new ReentrantLock();
  private final Object progress = new Object();

  private volatile Path path;
  private volatile LogConfig config;
  private volatile Segment[] segments;
  private volatile LogEnd end;
  private volatile long logStartOffset;
  private volatile long highWatermark;
  private volatile int truncations;
  private volatile @Nullable String closed;
  private LogEnd @Nullable [] recentEnds;
  private int recentEnd;

  private volatile long committableEndOffset;
  private long committableBytes;
  private volatile boolean commitQueued;

  private volatile long recoveryPoint;
  private volatile boolean namesDirty;
  private volatile boolean flushQueued;
  private volatile long dirtySinceMs;
  private long snapshotOffset;
  private long snapshotBytes;
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
    this.recoveryPoint = Math.min(found.recoveryPoint(), found.logEndOffset());
    this.committableEndOffset = found.logEndOffset();
    this.snapshotOffset = found.snapshotOffset();
    this.namesDirty = found.fresh();
    drawJitter();
  }

  // ---- what is known ----

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
    context.directory().noteChange();
  }

  @Override
  public long highWatermark() {
    return Math.clamp(highWatermark, logStartOffset, Math.max(logStartOffset, end.offset()));
  }

  long recoveryPoint() {
    return recoveryPoint;
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
    LogEnd[] recent = recentEnds;
    if (recent != null) {
      for (LogEnd candidate : recent) {
        if (candidate != null && candidate.offset() == offset && candidate.segment() == segment) {
          return candidate.position();
        }
      }
    }
    return -1;
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
      queueCommit();
    }
  }

  private void drawJitter() {
    long most = Math.min(config.segmentJitterMs(), config.segmentMs());
    rollJitterMs = most <= 0 ? 0 : ThreadLocalRandom.current().nextLong(most);
  }

  void checkOpen() {
    String why = closed;
    if (why != null) {
      throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, partition + " is " + why);
    }
    context.directory().check();
  }

  // ---- append ----

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
    Producer producer = null;
    if (append.origin() != Origin.REPLICA
        && RecordBatch.producerId(in, at) != RecordBatch.NO_PRODUCER_ID
        && !RecordBatch.control(in, at)) {
      producer = producers.find(RecordBatch.producerId(in, at));
      if (producer != null && producer.staged()) {
        write(gather);
      }
      AppendResult refused =
          append.origin() == Origin.CLIENT ? checkProducer(producer, in, at) : null;
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
      wrong = assignOffsets(append, gather);
    }
    if (wrong != null) {
      write(gather);
      answer(append, wrong);
      return;
    }
    long base = RecordBatch.baseOffset(in, at);
    if (append.origin() != Origin.REPLICA
        && RecordBatch.producerId(in, at) != RecordBatch.NO_PRODUCER_ID
        && !RecordBatch.control(in, at)) {
      producer = producer == null ? producers.findOrAdd(RecordBatch.producerId(in, at)) : producer;
      producer.stage(in, at);
    }
    gather.add(append, base, lastOffset(in), producer);
  }

  private @Nullable AppendResult checkProducer(@Nullable Producer producer, ByteBuffer in, int at) {
    ErrorCode code = producers.check(producer, in, at);
    if (code == ErrorCode.NONE || producer == null) {
      return null;
    }
    if (code == ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      int i = producer.find(RecordBatch.baseSequence(in, at), RecordBatch.lastOffsetDelta(in, at));
      long last = producer.lastOffset(i);
      boolean stamped = config.timestampType() == TimestampType.LOG_APPEND_TIME;
      return new Duplicate(
          last - producer.delta(i), last, stamped ? producer.timestampMs(i) : -1, logStartOffset);
    }
    return new Rejected(
        code,
        "producer "
            + producer.id
            + ": epoch "
            + RecordBatch.producerEpoch(in, at)
            + " sequence "
            + RecordBatch.baseSequence(in, at)
            + " after epoch "
            + producer.epoch
            + " sequence "
            + producer.lastSequence());
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
    if (size == 0 || !mustRoll(active, size, base, in, at, settings)) {
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

  private boolean mustRoll(
      Segment active, long size, long base, ByteBuffer in, int at, LogConfig settings) {
    if (size + in.remaining() > settings.segmentBytes()
        || base + in.remaining() - active.baseOffset > Integer.MAX_VALUE
        || active.indexFull(settings.segmentIndexBytes())) {
      return true;
    }
    Long first = active.firstTimestamp();
    return first != null
        && RecordBatch.maxTimestamp(in, at) - first > settings.segmentMs() - rollJitterMs;
  }

  private long nextOffset(Gather gather) {
    return gather.count() == 0 ? end.offset() : gather.lastOffset(gather.count() - 1) + 1;
  }

  private @Nullable Rejected assignOffsets(LogAppend append, Gather gather) {
    ByteBuffer in = append.records();
    long next = nextOffset(gather);
    int at = in.position();
    while (at < in.limit()) {
      if (append.origin() != Origin.REPLICA) {
        RecordBatch.baseOffset(in, at, next);
        RecordBatch.leaderEpoch(in, at, append.leaderEpoch());
      } else if (RecordBatch.baseOffset(in, at) < next) {
        return new Rejected(
            ErrorCode.INVALID_RECORD,
            "offset " + RecordBatch.baseOffset(in, at) + " where " + next + " is expected");
      }
      next = RecordBatch.lastOffset(in, at) + 1;
      at += (int) RecordBatch.sizeBytes(in, at);
    }
    return null;
  }

  private static long lastOffset(ByteBuffer in) {
    int at = in.position();
    long last = -1;
    while (at < in.limit()) {
      last = RecordBatch.lastOffset(in, at);
      at += (int) RecordBatch.sizeBytes(in, at);
    }
    return last;
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
    publish(new LogEnd(nextOffset(gather), segment, position, bytes));
    markDirty();
    if (settings.durableBeforeAck()) {
      queueCommit();
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
      if (producer == null) {
        producers.learn(in, at);
      }
      int size = (int) RecordBatch.sizeBytes(in, at);
      written += size;
      at += size;
    }
    if (producer != null) {
      producer.commitStaged();
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
      namesDirty = true;
    }
  }

  private void publish(LogEnd next) {
    LogEnd[] recent = recentEnds;
    if (recent == null) {
      recent = new LogEnd[RECENT_ENDS];
      recentEnds = recent;
    }
    recent[recentEnd++ & (RECENT_ENDS - 1)] = next;
    end = next;
  }

  private static void answer(LogAppend append, AppendResult result) {
    try {
      append.appended(result);
    } catch (RuntimeException e) {
      LOGGER.error("a callback of an append failed: a defect of its caller", e);
    }
  }

  /// Closes the segment that grows and starts the next one at `base`. In the gate.
  private void roll(long base) throws IOException {
    Segment old = end.segment();
    old.seal();
    snapshotProducers(base);
    Segment next = Segment.create(context, path, base);
    Segment[] now = segments;
    Segment[] more = java.util.Arrays.copyOf(now, now.length + 1);
    more[now.length] = next;
    namesDirty = true;
    segments = more;
    end = new LogEnd(end.offset(), next, 0, end.bytes());
    old.sealed();
    drawJitter();
    context.blocking().execute(this::flushQuietly);
  }

  private void snapshotProducers(long offset) throws IOException {
    if (offset == snapshotOffset) {
      return;
    }
    context
        .disk()
        .replace(
            LogFiles.of(path, offset, LogFiles.SNAPSHOT), ProducerSnapshot.write(producers), false);
    snapshotOffset = offset;
    snapshotBytes = end.bytes();
  }

  // ---- progress and durability ----

  private void queueCommit() {
    if (!commitQueued) {
      commitQueued = true;
      context.committer().add(this);
    }
  }

  /// Forces what was written and tells the listener. On the committer's thread.
  void commit() {
    commitQueued = false;
    LogEnd written = end;
    try {
      flush(written);
      committable(written);
    } catch (TakhinException e) {
      LOGGER.debug("{} was not committed: {}", partition, e.getMessage());
    }
  }

  private void committable(LogEnd to) {
    synchronized (progress) {
      if (to.offset() > committableEndOffset) {
        long bytes = to.bytes() - committableBytes;
        committableEndOffset = to.offset();
        committableBytes = to.bytes();
        listener.committable(to.offset(), bytes);
      }
    }
  }

  private void markDirty() {
    if (!flushQueued) {
      flushQueued = true;
      dirtySinceMs = context.clock().millis();
      context.dirty().add(this);
    }
  }

  /// Whether a background flush is due; asked by housekeeping, which took the log off the list.
  ///
  /// @return whether the log stays dirty and belongs on the list again
  boolean flushIfDue(long nowMs) {
    LogConfig settings = config;
    long waitedMs = nowMs - dirtySinceMs;
    boolean due =
        waitedMs >= settings.flushMs()
            || waitedMs < 0
            || end.offset() - recoveryPoint >= settings.flushMessages();
    if (!due) {
      return true;
    }
    flushQueued = false;
    flushQuietly();
    return false;
  }

  private void flushQuietly() {
    try {
      flush();
      if (end.bytes() - snapshotBytes > SNAPSHOT_EVERY_BYTES) {
        gate.run(this::snapshotAtEnd);
      }
    } catch (TakhinException e) {
      LOGGER.debug("{}: flush: {}", partition, e.getMessage());
    }
  }

  private void snapshotAtEnd() {
    if (closed == null) {
      try {
        long old = snapshotOffset;
        boolean oldIsExtra = isExtraSnapshot(old);
        snapshotProducers(end.offset());
        if (oldIsExtra && old != snapshotOffset) {
          context.disk().delete(LogFiles.of(path, old, LogFiles.SNAPSHOT));
        }
      } catch (IOException e) {
        LOGGER.warn("{}: producer snapshot: {}", partition, e.toString());
      }
    }
  }

  /// Whether a snapshot is not that of a segment's base offset, which stays as long as the segment.
  private boolean isExtraSnapshot(long offset) {
    for (Segment segment : segments) {
      if (segment.baseOffset == offset) {
        return false;
      }
    }
    return offset >= 0;
  }

  @Override
  public void flush() {
    checkOpen();
    LogEnd written = end;
    flush(written);
    if (config.durableBeforeAck()) {
      committable(written);
    }
  }

  private void flush(LogEnd written) {
    flushLock.lock();
    try {
      context.directory().check();
      if (recoveryPoint >= written.offset() && !namesDirty) {
        return;
      }
      long begin = System.nanoTime();
      Segment[] now = segments;
      for (int i = 0; i < now.length; i++) {
        long until = i + 1 < now.length ? now[i + 1].baseOffset : Long.MAX_VALUE;
        if (until > recoveryPoint) {
          forceSegment(now[i]);
        }
      }
      if (namesDirty) {
        namesDirty = false;
        epochs.save();
        context.disk().forceDirectory(path);
        context.disk().forceDirectory(directory());
      }
      recoveryPoint = Math.max(recoveryPoint, Math.min(written.offset(), end.offset()));
      context.directory().noteChange();
      context.flushes().record(System.nanoTime() - begin);
    } catch (Disk.FullException e) {
      context.directory().noteFull(String.valueOf(e.getMessage()));
      throw new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, e.getMessage() + "", e);
    } catch (IOException e) {
      if (closed == null) {
        throw context.directory().fail("fsync of " + path, e);
      }
    } finally {
      flushLock.unlock();
    }
  }

  private void forceSegment(Segment segment) throws IOException {
    Disk.File file = segment.file.acquire();
    try {
      file.force();
    } finally {
      segment.file.release();
    }
    segment.saveIndex();
  }

  // ---- reading ----

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

  // ---- removing ----

  @Override
  public void deleteRecordsBefore(long offset) {
    checkOpen();
    gate.run(() -> advanceStart(offset, "DeleteRecords"));
  }

  /// Raises the log start and lets go of segments wholly below it. In the gate.
  private void advanceStart(long offset, String why) {
    if (closed != null || offset <= logStartOffset || offset > end.offset()) {
      return;
    }
    logStartOffset = offset;
    context.directory().noteChange();
    Segment[] now = segments;
    int keep = 0;
    while (keep + 1 < now.length && now[keep + 1].baseOffset <= offset) {
      keep++;
    }
    if (keep > 0) {
      segments = java.util.Arrays.copyOfRange(now, keep, now.length);
      for (int i = 0; i < keep; i++) {
        LOGGER.info("{}: segment {} goes: {}", partition, now[i].file.path(), why);
        remove(now[i]);
      }
    }
    if (epochs.truncateStart(offset)) {
      saveEpochs();
    }
    synchronized (progress) {
      listener.logStartAdvanced(offset);
    }
  }

  private void remove(Segment segment) {
    try {
      segment.retire();
      context.directory().removeLater(segment::removeRetired, config.fileDeleteDelayMs());
    } catch (IOException e) {
      LOGGER.warn("{} could not be removed and stays: {}", segment.file.path(), e.toString());
    }
  }

  /// Applies retention by time and size, and forgets idle producers.
  ///
  /// @param producerExpiryMs producers that were idle for so long are forgotten
  void clean(long nowMs, long producerExpiryMs) {
    if (closed != null || context.directory().offline() != null) {
      return;
    }
    gate.run(() -> producers.expire(nowMs - producerExpiryMs));
    if (!config.delete()) {
      return;
    }
    try {
      Retention.Cut cut = Retention.cut(this, config, nowMs);
      if (cut != null) {
        gate.run(() -> applyRetention(cut));
      }
    } catch (IOException e) {
      LOGGER.warn("{}: retention: {}", partition, e.toString());
    }
  }

  private void applyRetention(Retention.Cut cut) {
    try {
      if (cut.offset() == end.offset() && end.position() > 0 && closed == null) {
        roll(end.offset());
      }
      if (cut.offset() <= highWatermark()) {
        advanceStart(cut.offset(), cut.reason());
      }
    } catch (IOException e) {
      LOGGER.warn("{}: retention: {}", partition, e.toString());
    }
  }

  @Override
  public void truncateTo(long offset) {
    checkOpen();
    flushLock.lock();
    try {
      gate.run(() -> truncate(offset));
    } finally {
      flushLock.unlock();
    }
  }

  @Override
  public void truncateFullyAndStartAt(long offset) {
    checkOpen();
    flushLock.lock();
    try {
      gate.run(() -> truncateFully(offset));
    } finally {
      flushLock.unlock();
    }
  }

  private void truncate(long offset) {
    if (closed != null || offset >= end.offset()) {
      return;
    }
    Segment[] now = segments;
    if (offset <= now[0].baseOffset) {
      truncateFully(offset);
      return;
    }
    int last = now.length - 1;
    while (now[last].baseOffset > offset || (now[last].baseOffset == offset && last > 0)) {
      last--;
    }
    try {
      LogRecovery recovery = new LogRecovery(context, partition, config);
      LogRecovery.Tail tail = recovery.cut(now[last], offset);
      Segment[] kept = java.util.Arrays.copyOf(now, last + 1);
      truncations++;
      segments = kept;
      end = new LogEnd(tail.endOffset(), now[last], tail.position(), end.bytes());
      for (int i = last + 1; i < now.length; i++) {
        remove(now[i]);
      }
      afterTruncation();
      snapshotOffset =
          recovery.reloadProducers(path, kept, logStartOffset, tail.endOffset(), producers);
    } catch (IOException e) {
      throw context.directory().fail("truncating " + path, e);
    }
  }

  private void truncateFully(long offset) {
    if (closed != null) {
      return;
    }
    try {
      Segment[] now = segments;
      truncations++;
      for (Segment segment : now) {
        segment.retire();
        segment.removeRetired();
      }
      Segment fresh = Segment.create(context, path, offset);
      logStartOffset = offset;
      context.directory().noteChange();
      segments = new Segment[] {fresh};
      end = new LogEnd(offset, fresh, 0, end.bytes());
      producers.clear();
      LogRecovery.deleteSnapshots(context.disk(), path, Long.MIN_VALUE);
      snapshotOffset = -1;
      namesDirty = true;
      epochs.clear();
      afterTruncation();
      highWatermark = offset;
    } catch (IOException e) {
      throw context.directory().fail("emptying " + path, e);
    }
  }

  private void afterTruncation() throws IOException {
    long offset = end.offset();
    recentEnds = null;
    highWatermark = Math.min(highWatermark, offset);
    recoveryPoint = Math.min(recoveryPoint, offset);
    logStartOffset = Math.min(logStartOffset, offset);
    synchronized (progress) {
      committableEndOffset = Math.min(committableEndOffset, offset);
      committableBytes = end.bytes();
    }
    epochs.truncateEnd(offset);
    epochs.save();
  }

  // ---- the end ----

  /// Tells the listener that the directory failed.
  void offline(String reason) {
    synchronized (progress) {
      listener.offline(reason);
    }
  }

  /// Ends appends and reads; with everything on disk, if the directory works.
  void close() {
    if (context.directory().offline() == null) {
      flushQuietly();
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
              if (end.offset() > 0 || snapshotOffset >= 0) {
                snapshotAtEnd();
              }
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
  }

  /// Ends appends and reads and renames the directory, so that the files go later.
  ///
  /// @return where the files are now
  Path delete(Path renamed) throws IOException {
    IOException[] failure = new IOException[1];
    flushLock.lock();
    try {
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
          });
    } finally {
      flushLock.unlock();
    }
    if (failure[0] != null) {
      throw failure[0];
    }
    return renamed;
  }
}
