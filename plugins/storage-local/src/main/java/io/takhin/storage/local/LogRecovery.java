package io.takhin.storage.local;

import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.LogConfig;
import io.takhin.storage.local.Transactions.Aborted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens the directory of a log: finds the last whole batch, cuts what a crash tore, and rebuilds
/// what is missing.
///
/// ```
/// closed, or same boot   the last index entry on is verified, the rest believed
/// another boot           all from the recovery point on is verified: every checksum
/// the disk failed        likewise, and what was verified is written once more
/// damage                 the segment is cut there; later segments are set aside (*.quarantined)
/// ```
///
/// Threading: one thread for each log.
final class LogRecovery {
  private static final Logger LOGGER = LoggerFactory.getLogger(LogRecovery.class);

  private final LogContext context;
  private final Disk disk;
  private final TopicPartition partition;
  private final LogConfig config;
  private boolean controlSeen;
  private boolean aborts;
  private int verifiedFrom;

  LogRecovery(LogContext context, TopicPartition partition, LogConfig config) {
    this.context = context;
    this.disk = context.disk();
    this.partition = partition;
    this.config = config;
  }

  /// Where a segment ends.
  record Tail(int position, long endOffset) {}

  /// Errors: IOException; with one for want of room nothing is lost, and it may be tried again.
  RecoveredLog open(Path path, LastRun known, boolean fresh) throws IOException {
    List<Segment> segments = new ArrayList<>();
    try {
      return recover(path, known, fresh, segments);
    } catch (IOException | RuntimeException e) {
      segments.forEach(segment -> context.files().drop(segment.file));
      context.indexes().forget(segments);
      throw e;
    }
  }

  private RecoveredLog recover(Path path, LastRun known, boolean fresh, List<Segment> segments)
      throws IOException {
    if (!fresh) {
      findSegments(path, segments);
    }
    LeaderEpochs epochs = new LeaderEpochs(disk, path.resolve(LogFiles.EPOCHS));
    boolean epochsKnown = !fresh && epochs.load();
    long endOffset;
    if (segments.isEmpty()) {
      endOffset = known.logStartOffset();
      segments.add(Segment.create(context, path, endOffset));
      if (known.recoveryPoint() > endOffset) {
        LOGGER.error(
            "{}: no segment in {}, though {} offsets were there",
            partition,
            path,
            known.recoveryPoint());
      }
    } else {
      endOffset = verify(segments, known, epochs);
    }
    if (known.logStartOffset() > endOffset) {
      LOGGER.error(
          "{}: ends at {} below its start {}: begins anew there",
          partition,
          endOffset,
          known.logStartOffset());
      quarantineFrom(segments, 0);
      endOffset = known.logStartOffset();
      segments.add(Segment.create(context, path, endOffset));
      epochs.clear();
    }
    long start = Math.max(known.logStartOffset(), segments.getFirst().baseOffset);
    if (!epochsKnown && endOffset > start) {
      LOGGER.warn(
          "{}: {} is missing or damaged: rebuilt", partition, path.resolve(LogFiles.EPOCHS));
      rebuildEpochs(segments, epochs);
    }
    boolean changed = epochs.truncateEnd(endOffset);
    changed |= epochs.truncateStart(start);
    if (changed || (!epochsKnown && !fresh)) { // a fresh log has none to save
      epochs.save();
    }
    ProducerStates producers = new ProducerStates();
    Segment[] all = segments.toArray(new Segment[0]);
    long snapshot = fresh ? -1 : reloadProducers(path, all, start, endOffset, producers);
    if (!known.trusted() && (controlSeen || aborts)) {
      List<Aborted> found = new ArrayList<>();
      ProducerStates scratch = new ProducerStates();
      long sound = loadSnapshot(path, all[0].baseOffset, known.recoveryPoint(), scratch);
      long from = sound < 0 ? start : sound;
      learn(all, from, endOffset, scratch, found);
      replaceTransactions(all, from, endOffset, found);
      aborts |= !found.isEmpty();
    }
    if (known.recoveryPoint() > endOffset && !segments.isEmpty()) {
      LOGGER.error(
          "{}: ends at {}, though {} was on disk: records are lost",
          partition,
          endOffset,
          known.recoveryPoint());
    }
    return new RecoveredLog(
        path,
        segments,
        epochs,
        producers,
        start,
        endOffset,
        Math.clamp(known.highWatermark(), start, Math.max(start, endOffset)),
        known.closed() ? endOffset : Math.min(known.recoveryPoint(), endOffset),
        snapshot,
        aborts,
        // An empty log is closed without forcing its names.
        fresh || !known.closed() || endOffset == 0);
  }

  /// Removes what is left of deletions and unfinished work, and lists the segments.
  private void findSegments(Path path, List<Segment> segments) throws IOException {
    for (Path file : disk.list(path)) {
      String name = LogFiles.name(file);
      if (name.endsWith(LogFiles.DELETED)
          || name.endsWith(LogFiles.CLEANED)
          || name.endsWith(LogFiles.TEMPORARY)) {
        disk.delete(file);
      } else if (name.endsWith(LogFiles.SWAP)) {
        takeSwap(file, name);
      }
    }
    for (Path file : disk.list(path)) {
      removeOrphan(path, file);
      if (LogFiles.name(file).endsWith(LogFiles.LOG)) {
        long base = LogFiles.offset(file, LogFiles.LOG);
        long size = disk.size(file);
        if (base < 0 || size > Integer.MAX_VALUE || disk.isDirectory(file)) {
          quarantine(file, base < 0 ? "its name is no offset" : "it cannot be a segment");
        } else {
          segments.add(new Segment(context, path, base, (int) size));
        }
      }
    }
  }

  /// An index whose log is gone would be taken for that of a later segment of the same offset.
  private void removeOrphan(Path path, Path file) throws IOException {
    for (String suffix : List.of(LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX)) {
      long base = LogFiles.offset(file, suffix);
      if (base >= 0 && !disk.exists(LogFiles.of(path, base, LogFiles.LOG))) {
        disk.delete(file);
      }
    }
  }

  /// A compaction of Kafka's that was complete, but for its name.
  private void takeSwap(Path file, String name) throws IOException {
    Path final_ = file.resolveSibling(name.substring(0, name.length() - LogFiles.SWAP.length()));
    if (disk.exists(final_)) {
      quarantine(file, "its segment is there");
    } else {
      LOGGER.warn("{}: takes the place of {}", file, final_);
      disk.rename(file, final_);
    }
  }

  private void quarantine(Path file, String why) throws IOException {
    Path aside = file.resolveSibling(LogFiles.name(file) + LogFiles.QUARANTINED);
    LOGGER.warn("{} is set aside as {}: {}", file, LogFiles.name(aside), why);
    disk.rename(file, aside);
  }

  private void quarantineFrom(List<Segment> segments, int first) throws IOException {
    Path directory = segments.getFirst().directory();
    boolean moved = segments.size() > first;
    while (segments.size() > first) {
      Segment segment = segments.removeLast();
      segment.file.tryClose();
      quarantine(segment.path(LogFiles.LOG), "the log has a hole before it");
      disk.delete(segment.path(LogFiles.INDEX));
      disk.delete(segment.path(LogFiles.TIME_INDEX));
      disk.delete(segment.path(LogFiles.TXN_INDEX));
    }
    if (moved) {
      disk.forceDirectory(
          directory); // else they may be back when the log has reached their offsets
    }
  }

  /// Verifies as much as the last run's end asks for.
  ///
  /// @return the log's end
  private long verify(List<Segment> segments, LastRun known, LeaderEpochs epochs)
      throws IOException {
    for (int i = 0; i + 1 < segments.size(); i++) {
      Segment segment = segments.get(i);
      long next = segments.get(i + 1).baseOffset;
      // One that ends at the recovery point may have been closed after it got there: its records
      // are on disk, and perhaps not the end of its indexes.
      boolean onDisk = next < known.recoveryPoint();
      if (known.trusted() || onDisk) {
        if (onDisk) {
          segment.believeIndex();
        }
        i = removeEmpty(segments, i);
        continue;
      }
      Tail tail = verifySegment(segment, known.recoveryPoint(), epochs);
      segment.seal();
      rewriteIfSuspect(segment, tail, known);
      // Compaction makes gaps; above where it got to, what a segment lacks before the next was
      // written and never reached the disk.
      boolean gap = tail.endOffset() < next && next > known.cleanedOffset();
      if (tail.position() < segment.sizeBytes() || tail.endOffset() > next || gap) {
        cutFile(segment, tail, gap ? "and batches behind it are lost" : "damaged before its end");
        quarantineFrom(segments, i + 1);
        return tail.endOffset();
      }
      segment.sealed();
      i = removeEmpty(segments, i);
    }
    Segment last = segments.getLast();
    if (known.closed()) {
      last.believeIndex();
    }
    Tail tail =
        verifySegment(last, known.trusted() ? Long.MAX_VALUE : known.recoveryPoint(), epochs);
    if (tail.position() < last.sizeBytes()) {
      cutFile(last, tail, "torn by a crash");
    }
    rewriteIfSuspect(last, tail, known);
    return tail.endOffset();
  }

  /// Writes once more what was verified, and forces it, if the disk has failed: else it may be in
  /// the page cache alone, and no fsync would write it.
  private void rewriteIfSuspect(Segment segment, Tail tail, LastRun known) throws IOException {
    if (!known.suspect()) {
      return;
    }
    ByteBuffer chunk = context.scratch().take().clear();
    Disk.File file = segment.file.acquire();
    try {
      for (int at = verifiedFrom; at < tail.position(); ) {
        chunk.clear().limit(Math.min(chunk.capacity(), tail.position() - at));
        int read = file.read(chunk, at);
        if (read <= 0) {
          throw new IOException(segment.file.path() + " ends at " + at);
        }
        file.write(new ByteBuffer[] {chunk.flip()}, 1, at);
        at += read;
      }
      file.force();
    } finally {
      segment.file.release();
      context.scratch().give(chunk);
    }
    Path aborted = segment.path(LogFiles.TXN_INDEX);
    if (disk.exists(aborted) && disk.size(aborted) <= Integer.MAX_VALUE) {
      disk.replace(aborted, disk.readAll(aborted, Integer.MAX_VALUE), true);
    }
  }

  /// Removes a segment without batches that is not the last.
  ///
  /// @return the index of the segment before the next one to look at
  private static int removeEmpty(List<Segment> segments, int i) throws IOException {
    Segment segment = segments.get(i);
    if (segment.sizeBytes() > 0) {
      return i;
    }
    LOGGER.warn("{} is empty, though not the last: removed", segment.file.path());
    segment.retire();
    segment.removeRetired();
    segments.remove(i);
    return i - 1;
  }

  private void cutFile(Segment segment, Tail tail, String why) throws IOException {
    LOGGER.warn(
        "{}: {} bytes from position {} on are cut, {}; the log goes on at offset {}",
        segment.file.path(),
        segment.sizeBytes() - tail.position(),
        tail.position(),
        why,
        tail.endOffset());
    truncateDurably(segment, tail);
  }

  /// Cuts the file on disk too, before anything is written behind: a power cut would bring back
  /// what was cut otherwise, perhaps behind batches that took its offsets.
  private static void truncateDurably(Segment segment, Tail tail) throws IOException {
    Disk.File file = segment.file.acquire();
    try {
      file.truncate(tail.position());
      file.force();
    } finally {
      segment.file.release();
    }
    segment.sizeBytes(tail.position());
  }

  /// Verifies a segment from the last index entry below `fromOffset` on and makes it ready to grow.
  private Tail verifySegment(Segment segment, long fromOffset, LeaderEpochs epochs)
      throws IOException {
    SegmentIndex index =
        SegmentIndex.load(
            disk,
            segment.path(LogFiles.INDEX),
            segment.path(LogFiles.TIME_INDEX),
            segment.sizeBytes());
    if (index != null) {
      long below = fromOffset - segment.baseOffset;
      if (below < Integer.MAX_VALUE) {
        // Each of the two files may have lost a tail of its own: the greatest timestamp is known
        // only up to the last entry of the time index.
        int timed = index.timeEntries() == 0 ? 0 : index.lastTimeOffset() + 1;
        index.truncate(Math.clamp(below, 0, timed));
      }
      int entry = index.entries() - 1;
      if (entry >= 0) {
        int from = index.position(entry);
        Tail tail = walk(segment, index, from, Long.MAX_VALUE, true, epochs, index.offset(entry));
        if (tail != null) {
          return tail;
        }
        LOGGER.warn("{} points to no batch: rebuilt", segment.path(LogFiles.INDEX));
      }
    }
    Tail tail = walk(segment, new SegmentIndex(), 0, Long.MAX_VALUE, true, epochs, -1);
    segment.saveWholeIndex();
    return java.util.Objects.requireNonNull(tail);
  }

  /// Cuts a segment before the batch that reaches `offset`.
  Tail cut(Segment segment, long offset) throws IOException {
    SegmentIndex index = segment.index();
    index.truncate((int) Math.min(Integer.MAX_VALUE, offset - segment.baseOffset));
    int entry = index.entries() - 1;
    int from = entry < 0 ? 0 : index.position(entry);
    Tail tail =
        java.util.Objects.requireNonNull(walk(segment, index, from, offset, false, null, -1));
    truncateDurably(segment, tail);
    segment.saveWholeIndex();
    return tail;
  }

  /// Walks batches, notes them in the index, and makes the segment ready to grow.
  ///
  /// @param until stops before the batch that reaches this offset
  /// @param firstLast the relative last offset that the first batch must have; -1 for any
  /// @return where it ends; null if the first batch is not the expected one
  private @Nullable Tail walk(
      Segment segment,
      SegmentIndex index,
      int from,
      long until,
      boolean verify,
      @Nullable LeaderEpochs epochs,
      int firstLast)
      throws IOException {
    ByteBuffer chunk = context.scratch().take().clear();
    Disk.File file = segment.file.acquire();
    verifiedFrom = from;
    try {
      BatchScanner scanner =
          new BatchScanner(file, from, segment.sizeBytes(), segment.baseOffset, verify, chunk);
      segment.grow(index, index.lastTimestamp(), index.lastTimeOffset());
      int position = from;
      long endOffset = segment.baseOffset;
      boolean first = true;
      int gapPosition = -1;
      long gapOffset = -1;
      while (scanner.next() && scanner.lastOffset() < until) {
        if (first && firstLast >= 0 && scanner.lastOffset() - segment.baseOffset != firstLast) {
          return null;
        }
        if (scanner.lastOffset() - segment.baseOffset > Integer.MAX_VALUE) {
          break;
        }
        if (RecordBatch.baseOffset(scanner.header(), scanner.headerAt()) > endOffset && !first) {
          gapPosition = position;
          gapOffset = endOffset;
        }
        first = false;
        controlSeen |= RecordBatch.control(scanner.header(), scanner.headerAt());
        segment.note(scanner.header(), scanner.headerAt(), position, config.indexIntervalBytes());
        if (epochs != null) {
          epochs.note(
              RecordBatch.leaderEpoch(scanner.header(), scanner.headerAt()),
              RecordBatch.baseOffset(scanner.header(), scanner.headerAt()));
        }
        position = (int) scanner.nextPosition();
        endOffset = scanner.lastOffset() + 1;
      }
      if (first && firstLast >= 0) {
        return null;
      }
      if (gapPosition >= 0 && scanner.outOfOrderOffset() >= gapOffset) {
        // The checksum does not cover the base offset: not this batch is wrong, but the one that
        // jumped ahead.
        index.truncate((int) (gapOffset - segment.baseOffset));
        position = gapPosition;
        endOffset = gapOffset;
      }
      noteFirstTimestamp(segment, file, position);
      return new Tail(position, endOffset);
    } finally {
      segment.file.release();
      context.scratch().give(chunk);
    }
  }

  private static void noteFirstTimestamp(Segment segment, Disk.File file, int size)
      throws IOException {
    if (size > 0) {
      ByteBuffer header = ByteBuffer.allocate(RecordBatch.HEADER_BYTES);
      if (file.read(header, 0) == RecordBatch.HEADER_BYTES) {
        segment.firstTimestamp(RecordBatch.maxTimestamp(header, 0));
      }
    }
  }

  private void rebuildEpochs(List<Segment> segments, LeaderEpochs epochs) throws IOException {
    epochs.clear();
    for (Segment segment : segments) {
      visit(
          segment,
          0,
          batch ->
              epochs.note(
                  RecordBatch.leaderEpoch(batch.header(), batch.headerAt()),
                  RecordBatch.baseOffset(batch.header(), batch.headerAt())));
    }
  }

  private interface BatchVisitor {
    void batch(BatchScanner at) throws IOException;
  }

  private void visit(Segment segment, int from, BatchVisitor visitor) throws IOException {
    ByteBuffer chunk = context.scratch().take().clear();
    Disk.File file = segment.file.acquire();
    try {
      BatchScanner scanner =
          new BatchScanner(file, from, segment.sizeBytes(), segment.baseOffset, false, chunk);
      while (scanner.next()) {
        visitor.batch(scanner);
      }
    } finally {
      segment.file.release();
      context.scratch().give(chunk);
    }
  }

  /// Fills `states` as of `endOffset` from the newest sound snapshot and the batches after it, and
  /// puts the transactions that were aborted since into their indexes.
  ///
  /// @return the snapshot's offset; -1 if there was none
  long reloadProducers(
      Path path, Segment[] segments, long start, long endOffset, ProducerStates states)
      throws IOException {
    states.clear();
    deleteSnapshots(disk, path, endOffset);
    for (Path file : disk.list(path)) {
      aborts |= LogFiles.name(file).endsWith(LogFiles.TXN_INDEX);
    }
    long snapshot = loadSnapshot(path, segments[0].baseOffset, Long.MAX_VALUE, states);
    // Below the start too: the end of a transaction that the snapshot has open may lie there.
    long from = snapshot < 0 ? start : snapshot;
    List<Aborted> found = new ArrayList<>();
    learn(segments, from, endOffset, states, found);
    aborts |= !found.isEmpty();
    if (aborts) {
      replaceTransactions(segments, from, endOffset, found);
    }
    return snapshot;
  }

  /// Reads the newest sound snapshot not above `limit`.
  ///
  /// @param first where the batches begin that are there: what became of the producers of an older
  ///     snapshot until then is not known, and a transaction that it has open would never end
  /// @return its offset; -1 if there is none
  private long loadSnapshot(Path path, long first, long limit, ProducerStates states)
      throws IOException {
    for (Path file : disk.list(path).reversed()) {
      long offset = LogFiles.offset(file, LogFiles.SNAPSHOT);
      if (offset < first || offset > limit) {
        continue;
      }
      try {
        ProducerSnapshot.read(disk.readAll(file, 256 << 20), states);
        return offset;
      } catch (IOException e) {
        LOGGER.warn("{} is damaged ({}): producers are read from the log", file, e.getMessage());
        states.clear();
        disk.delete(file);
      }
    }
    return -1;
  }

  /// Learns from the batches of `[from, endOffset)`.
  private void learn(
      Segment[] segments, long from, long endOffset, ProducerStates states, List<Aborted> found)
      throws IOException {
    for (int i = 0; i < segments.length && segments[i].baseOffset < endOffset; i++) {
      long until = i + 1 < segments.length ? segments[i + 1].baseOffset : endOffset;
      if (until <= from || segments[i].sizeBytes() == 0) {
        continue;
      }
      SegmentIndex index = segments[i].index();
      int entry = index.floor((int) Math.min(Integer.MAX_VALUE, from - segments[i].baseOffset));
      int position = from <= segments[i].baseOffset || entry < 0 ? 0 : index.position(entry);
      visit(
          segments[i],
          position,
          batch -> {
            long base = RecordBatch.baseOffset(batch.header(), batch.headerAt());
            if (base >= from && base < endOffset) {
              TransactionMarker marker = batch.marker();
              Aborted aborted = states.learn(batch.header(), batch.headerAt(), marker);
              if (aborted != null) {
                found.add(aborted);
              }
            }
          });
    }
  }

  /// Makes the transaction indexes hold, from `from` on, these transactions.
  private void replaceTransactions(
      Segment[] segments, long from, long endOffset, List<Aborted> found) throws IOException {
    for (int i = 0; i < segments.length; i++) {
      boolean last = i + 1 == segments.length;
      long until = last ? endOffset : segments[i + 1].baseOffset;
      if (until <= from && !last) {
        continue;
      }
      Segment segment = segments[i];
      TransactionIndex known = segment.transactions(Long.MAX_VALUE);
      if (known == null && from > segment.baseOffset) {
        known = rebuildTransactions(segment.directory(), segments, segment, until);
      }
      List<Aborted> here = new ArrayList<>();
      for (Aborted aborted : found) {
        if (aborted.lastOffset() >= segment.baseOffset && (last || aborted.lastOffset() < until)) {
          here.add(aborted);
        }
      }
      segment.replaceTransactions(known, from, here);
    }
  }

  /// Makes the transaction index of one segment anew, from the newest snapshot before it and the
  /// batches after that.
  TransactionIndex rebuildTransactions(
      Path path, Segment[] segments, Segment segment, long endOffset) throws IOException {
    ProducerStates scratch = new ProducerStates();
    long snapshot = loadSnapshot(path, segments[0].baseOffset, segment.baseOffset, scratch);
    List<Aborted> found = new ArrayList<>();
    learn(segments, Math.max(0, snapshot), endOffset, scratch, found);
    found.removeIf(aborted -> aborted.lastOffset() < segment.baseOffset);
    return segment.replaceTransactions(null, segment.baseOffset, found);
  }

  /// Deletes producer snapshots beyond an offset, on disk too: a power cut would bring them back
  /// otherwise, when other batches have taken the offsets that they tell of.
  static void deleteSnapshots(Disk disk, Path path, long beyond) throws IOException {
    boolean deleted = false;
    for (Path file : disk.list(path)) {
      long offset = LogFiles.offset(file, LogFiles.SNAPSHOT);
      if (offset >= 0 && offset > beyond) {
        disk.delete(file);
        deleted = true;
      }
    }
    if (deleted) {
      disk.forceDirectory(path);
    }
  }
}
