package io.takhin.storage.local;

import io.takhin.api.record.RecordBatch;
import io.takhin.storage.local.Transactions.Aborted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One file of a log and its sparse index. Only the last segment of a log grows.
///
/// Threading: the thread in the log's gate changes it; any thread reads. `sizeBytes` is published
/// after the bytes and index entries are there.
final class Segment {
  private static final Logger LOGGER = LoggerFactory.getLogger(Segment.class);
  private static final long UNKNOWN = Long.MIN_VALUE;

  final long baseOffset;
  final SegmentFile file;
  private final LogContext context;
  private volatile Path directory;
  private volatile int sizeBytes;
  private volatile @Nullable SegmentIndex index;
  private volatile long maxTimestamp = UNKNOWN;
  private int maxTimestampOffset;
  private volatile long firstTimestamp = UNKNOWN;
  private volatile @Nullable TransactionIndex transactions;
  private volatile boolean growing;
  private volatile boolean inherited = true;
  private volatile boolean indexForced;
  private int bytesSinceEntry;

  Segment(LogContext context, Path directory, long baseOffset, int sizeBytes) {
    this.context = context;
    this.directory = directory;
    this.baseOffset = baseOffset;
    this.sizeBytes = sizeBytes;
    this.file =
        new SegmentFile(
            context.disk(), context.files(), LogFiles.of(directory, baseOffset, LogFiles.LOG));
  }

  /// A new empty segment, ready to grow.
  static Segment create(LogContext context, Path directory, long baseOffset) throws IOException {
    Segment segment = new Segment(context, directory, baseOffset, 0);
    SegmentIndex index = new SegmentIndex();
    segment.grow(index, -1, 0);
    segment.transactions = new TransactionIndex();
    segment.inherited = false;
    Disk.File open = segment.file.acquire();
    boolean made = false;
    try {
      if (open.size() > 0) {
        throw new IOException(segment.file.path() + " exists already");
      }
      segment.saveWholeIndex();
      made = true;
    } finally {
      segment.file.release();
      if (!made) {
        context.files().drop(segment.file);
      }
    }
    return segment;
  }

  long lastModifiedMs() throws IOException {
    return context.disk().lastModifiedMs(file.path());
  }

  int sizeBytes() {
    return sizeBytes;
  }

  void sizeBytes(int size) {
    sizeBytes = size;
  }

  Path directory() {
    return directory;
  }

  Path path(String suffix) {
    return LogFiles.of(directory, baseOffset, suffix);
  }

  /// Starts to grow with an index that was rebuilt or is empty.
  void grow(SegmentIndex with, long greatestTimestamp, int itsOffset) {
    index = with;
    maxTimestamp = greatestTimestamp;
    maxTimestampOffset = itsOffset;
    bytesSinceEntry = 0;
    growing = true;
  }

  /// Notes a batch that was written at `position`.
  void note(ByteBuffer in, int at, int position, int indexIntervalBytes) {
    int size = (int) RecordBatch.sizeBytes(in, at);
    int lastOffset = (int) (RecordBatch.lastOffset(in, at) - baseOffset);
    long timestamp = RecordBatch.maxTimestamp(in, at);
    if (firstTimestamp == UNKNOWN) {
      firstTimestamp = timestamp;
    }
    if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp;
      maxTimestampOffset = lastOffset;
    }
    SegmentIndex to = index;
    if (bytesSinceEntry > indexIntervalBytes && to != null) {
      to.add(lastOffset, position);
      to.addTime(maxTimestamp, maxTimestampOffset);
      bytesSinceEntry = 0;
    }
    bytesSinceEntry += size;
  }

  boolean indexFull(int maxBytes) {
    SegmentIndex now = index;
    return now != null && now.full(maxBytes);
  }

  /// The timestamp of the first batch since the segment was opened; null if there is none.
  @Nullable Long firstTimestamp() {
    long first = firstTimestamp;
    return first == UNKNOWN ? null : first;
  }

  void firstTimestamp(long timestampMs) {
    firstTimestamp = timestampMs;
  }

  /// No more batches come: completes the index files.
  void seal() throws IOException {
    SegmentIndex now = index;
    if (now != null) {
      now.addTime(maxTimestamp, maxTimestampOffset);
      saveIndex();
    }
  }

  /// After [#seal], when another segment has taken over.
  void sealed() {
    growing = false;
    context.indexes().loaded(this);
  }

  void saveIndex() throws IOException {
    SegmentIndex now = index;
    if (now != null && now.unsaved()) {
      saveWholeIndex();
    }
  }

  /// Makes the index files of a segment that grows no more durable, once: a power cut that took
  /// their tails would leave a segment below the recovery point, where nobody looks, that seems to
  /// end earlier and to be older than it is.
  void forceSealedIndex() throws IOException {
    if (!growing) {
      forceIndex();
    }
  }

  /// Makes the index files durable as they are, unless nothing was written to them since. A log
  /// that is closed needs it too: the next start believes them, also after a power cut.
  void forceIndex() throws IOException {
    if (indexForced) {
      return;
    }
    for (String suffix : new String[] {LogFiles.INDEX, LogFiles.TIME_INDEX}) {
      Path made = path(suffix);
      if (context.disk().exists(made)) {
        try (Disk.File open = context.disk().open(made, true)) {
          open.force();
        }
      }
    }
    indexForced = true;
  }

  /// What [#forceIndex] does was done by a broker before this one.
  void believeIndex() {
    indexForced = true;
  }

  /// Writes the index files even if nothing is new, so that they are there and of the right size.
  void saveWholeIndex() throws IOException {
    SegmentIndex now = index;
    if (now != null && now.save(context.disk(), path(LogFiles.INDEX), path(LogFiles.TIME_INDEX))) {
      indexForced = false;
    }
  }

  /// The index, loaded if need be, and rebuilt if its files are missing or damaged.
  SegmentIndex index() throws IOException {
    SegmentIndex now = index;
    if (now != null) {
      return now;
    }
    synchronized (this) {
      now = index;
      if (now == null) {
        now =
            SegmentIndex.load(
                context.disk(), path(LogFiles.INDEX), path(LogFiles.TIME_INDEX), sizeBytes);
        if (now == null) {
          now = rebuild();
        }
        index = now;
        context.indexes().loaded(this);
      }
      return now;
    }
  }

  /// The aborted transactions whose markers lie here, loaded if need be; null if the file is
  /// damaged.
  ///
  /// @param endOffset where the segment ends
  @Nullable TransactionIndex transactions(long endOffset) throws IOException {
    TransactionIndex now = transactions;
    if (now != null) {
      return now;
    }
    synchronized (this) {
      now = transactions;
      if (now == null) {
        Path from = path(LogFiles.TXN_INDEX);
        now = TransactionIndex.load(context.disk(), from, baseOffset, endOffset);
        if (now == null) {
          LOGGER.warn("{} is damaged: rebuilt from the batches", from);
        }
        transactions = now;
        if (now != null && !growing) {
          context.indexes().loaded(this);
        }
      }
      return now;
    }
  }

  /// Replaces the entries whose markers are at `from` or after it.
  ///
  /// @param base what is there; null if that is damaged, and all of it replaced
  TransactionIndex replaceTransactions(
      @Nullable TransactionIndex base, long from, List<Aborted> entries) throws IOException {
    synchronized (this) {
      TransactionIndex now = base == null ? new TransactionIndex() : base;
      now.replaceFrom(from, entries, context.disk(), path(LogFiles.TXN_INDEX));
      transactions = now;
      return now;
    }
  }

  /// Puts into the file what is not there yet.
  void saveTransactions() throws IOException {
    TransactionIndex now = transactions;
    if (now != null) {
      now.save(context.disk(), path(LogFiles.TXN_INDEX));
    }
  }

  /// Makes that durable, and what a broker that was killed left in the file.
  void forceTransactions() throws IOException {
    if (inherited) {
      Path left = path(LogFiles.TXN_INDEX);
      if (context.disk().exists(left)) {
        try (Disk.File open = context.disk().open(left, true)) {
          open.force();
        }
      }
      inherited = false;
    }
    TransactionIndex now = transactions;
    if (now != null) {
      now.save(context.disk(), path(LogFiles.TXN_INDEX));
      now.force(context.disk(), path(LogFiles.TXN_INDEX));
    }
  }

  /// Throws the index away and makes it anew from the log.
  SegmentIndex rebuildIndex(String why) throws IOException {
    synchronized (this) {
      LOGGER.warn("{} is damaged ({}): rebuilt", path(LogFiles.INDEX), why);
      SegmentIndex now = rebuild();
      index = now;
      return now;
    }
  }

  private SegmentIndex rebuild() throws IOException {
    SegmentIndex made = new SegmentIndex();
    ByteBuffer chunk = context.scratch().take().clear();
    Disk.File open = file.acquire();
    try {
      BatchScanner scanner = new BatchScanner(open, 0, sizeBytes, baseOffset, false, chunk);
      long greatest = -1;
      int greatestOffset = 0;
      int since = 0;
      while (scanner.next()) {
        long timestamp = RecordBatch.maxTimestamp(scanner.header(), scanner.headerAt());
        int lastOffset = (int) (scanner.lastOffset() - baseOffset);
        if (timestamp > greatest) {
          greatest = timestamp;
          greatestOffset = lastOffset;
        }
        if (since > context.indexIntervalBytes()) {
          made.add(lastOffset, (int) scanner.position());
          made.addTime(greatest, greatestOffset);
          since = 0;
        }
        since += scanner.sizeBytes();
      }
      made.addTime(greatest, greatestOffset);
      made.save(context.disk(), path(LogFiles.INDEX), path(LogFiles.TIME_INDEX));
      return made;
    } finally {
      file.release();
      context.scratch().give(chunk);
    }
  }

  /// Lets go of the index of a segment that does not grow; it is loaded again when wanted.
  ///
  /// @return whether there was one to let go
  boolean dropIndex() {
    if (growing) {
      return false;
    }
    index = null;
    TransactionIndex aborted = transactions;
    if (aborted != null && aborted.clean()) {
      transactions = null;
    }
    return true;
  }

  int loadedEntries() {
    SegmentIndex now = index;
    TransactionIndex aborted = transactions;
    return now == null || growing
        ? 0
        : now.entries() + now.timeEntries() + (aborted == null ? 0 : aborted.entries());
  }

  /// The greatest timestamp of its batches; -1 if none has one.
  long maxTimestamp() throws IOException {
    long known = maxTimestamp;
    if (known == UNKNOWN) {
      known = index().lastTimestamp();
      maxTimestamp = known;
    }
    return known;
  }

  /// Renames the files so that a restart removes them, and closes what nobody uses. The log goes
  /// first: wherever a crash interrupts this, a log that is there has its indexes, and a start
  /// removes indexes without a log.
  void retire() throws IOException {
    Path log = path(LogFiles.LOG);
    Path renamed = log.resolveSibling(log.getFileName() + LogFiles.DELETED);
    file.retire(renamed);
    context.disk().rename(log, renamed);
    for (String suffix :
        new String[] {LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX, LogFiles.SNAPSHOT}) {
      Path from = path(suffix);
      if (context.disk().exists(from)) {
        context.disk().rename(from, from.resolveSibling(from.getFileName() + LogFiles.DELETED));
      }
    }
  }

  /// Removes the files that [#retire] renamed.
  void removeRetired() throws IOException {
    for (String suffix :
        new String[] {
          LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX, LogFiles.SNAPSHOT, LogFiles.LOG
        }) {
      Path from = path(suffix);
      context.disk().delete(from.resolveSibling(from.getFileName() + LogFiles.DELETED));
    }
  }

  /// The directory was renamed: a deleted log.
  void moved(Path to) throws IOException {
    directory = to;
    file.retire(LogFiles.of(to, baseOffset, LogFiles.LOG));
  }
}
