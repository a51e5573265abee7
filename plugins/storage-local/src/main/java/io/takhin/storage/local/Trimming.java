package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.io.IOException;
import java.util.Arrays;

/// What a log lets go: at its start by DeleteRecords and retention, at its end by truncation.
///
/// A crash may come between any two removals, and what is left must be one log without a hole,
/// none of whose segments holds what others hold again later. So files go in the order that keeps
/// what stays in one piece, and none goes once one before it could not be removed:
///
/// ```
/// at the start   oldest first                         [0] [1] 2 3 4
/// at the end     newest first, then the cut           0 1 2| [3] [4]
/// all            newest first, then the new segment   [0] [1] [2] [3] [4] -> 5
/// ```
///
/// What went from the end, or altogether, is gone on disk too before anything is written in its
/// place: a power cut would bring it back otherwise, behind batches that took its offsets. Before
/// it goes, the recovery point on disk goes back: what takes its place is not forced yet.
///
/// Threading: any thread asks; the work is done in the log's gate, truncation with no fsync under
/// way.
final class Trimming {
  private final LocalLog log;
  private final LogContext context;
  private final ProducerStates producers;
  private final ProducerSnapshots snapshots;

  Trimming(LocalLog log, ProducerStates producers, ProducerSnapshots snapshots) {
    this.log = log;
    this.context = log.context();
    this.producers = producers;
    this.snapshots = snapshots;
  }

  void deleteRecordsBefore(long offset) {
    log.inGate(() -> advanceStart(offset, "DeleteRecords"));
  }

  /// Raises the log start and lets go of segments wholly below it. In the gate.
  private void advanceStart(long offset, String why) {
    if (log.closed() || offset <= log.logStartOffset() || offset > log.end().offset()) {
      return;
    }
    Segment[] now = log.segments();
    int keep = 0;
    while (keep + 1 < now.length && now[keep + 1].baseOffset <= offset) {
      keep++;
    }
    log.startAt(offset, keep == 0 ? now : Arrays.copyOfRange(now, keep, now.length));
    // One that stays keeps those behind it: a start would take what is missing between for lost.
    boolean removed = true;
    for (int i = 0; i < keep && removed; i++) {
      LocalLog.LOGGER.info("{}: segment {} goes: {}", log.partition(), now[i].file.path(), why);
      removed = remove(now[i]);
    }
    log.tellStart(offset);
  }

  private boolean remove(Segment segment) {
    try {
      segment.retire();
      context.directory().removeLater(segment::removeRetired, log.config().fileDeleteDelayMs());
      return true;
    } catch (IOException e) {
      LocalLog.LOGGER.warn(
          "{} could not be removed and stays: {}", segment.file.path(), e.toString());
      return false;
    }
  }

  /// Applies retention by time and size, and forgets idle producers.
  ///
  /// @param producerExpiryMs producers that were idle for so long are forgotten
  void clean(long nowMs, long producerExpiryMs) {
    if (log.closed() || context.directory().offline() != null) {
      return;
    }
    log.inGate(() -> producers.expire(nowMs - producerExpiryMs));
    if (!log.config().delete()) {
      return;
    }
    try {
      Retention.Cut cut = Retention.cut(log, log.config(), nowMs);
      if (cut != null) {
        log.inGate(() -> apply(cut));
      }
    } catch (IOException e) {
      LocalLog.LOGGER.warn("{}: retention: {}", log.partition(), e.toString());
    }
  }

  private void apply(Retention.Cut cut) {
    try {
      LogEnd end = log.end();
      if (cut.offset() == end.offset() && end.position() > 0 && !log.closed()) {
        log.roll(end.offset());
      }
      if (cut.offset() <= log.highWatermark()) {
        advanceStart(cut.offset(), cut.reason());
      }
    } catch (IOException e) {
      LocalLog.LOGGER.warn("{}: retention: {}", log.partition(), e.toString());
    }
  }

  /// Cuts the log before the batch that reaches `offset`.
  ///
  /// Errors: TakhinException, and the directory offline, if the disk refuses any part of it: the
  /// next start finds a whole log that reaches at least so far. TakhinException alone if there is
  /// no room to say so first.
  void truncateTo(long offset) {
    log.durability().exclude(() -> log.inGate(() -> truncate(offset)));
  }

  /// Empties the log, which goes on at `offset`.
  ///
  /// Errors: as of [#truncateTo]; the next start finds what is left from the start on.
  void truncateFullyAndStartAt(long offset) {
    log.durability().exclude(() -> log.inGate(() -> truncateFully(offset)));
  }

  private void truncate(long offset) {
    if (log.closed() || offset >= log.end().offset()) {
      return;
    }
    Segment[] now = log.segments();
    if (offset <= now[0].baseOffset) {
      truncateFully(offset);
      return;
    }
    int last = now.length - 1;
    while (now[last].baseOffset > offset || (now[last].baseOffset == offset && last > 0)) {
      last--;
    }
    lowerRecoveryPoint(now[last], offset);
    try {
      Segment[] kept = now;
      if (last + 1 < now.length) {
        kept = Arrays.copyOf(now, last + 1);
        long endOffset = now[last + 1].baseOffset;
        log.cutBack(
            new LogEnd(endOffset, now[last], now[last].sizeBytes(), log.end().bytes()), kept);
        removeNewestFirst(now, last + 1, false);
      }
      LogRecovery recovery = new LogRecovery(context, log.partition(), log.config());
      LogRecovery.Tail tail = recovery.cut(now[last], offset);
      log.cutBack(
          new LogEnd(tail.endOffset(), now[last], tail.position(), log.end().bytes()), kept);
      log.truncated();
      snapshots.offset(
          recovery.reloadProducers(
              log.path(), kept, log.logStartOffset(), tail.endOffset(), producers));
      producers.transactions().highWatermark(log.highWatermark());
    } catch (IOException e) {
      throw context.directory().fail("truncating " + log.path(), e);
    }
  }

  /// Nothing counts as forced any more that the cut of this segment may take away.
  ///
  /// Errors: TakhinException, without room for that; the log is as it was then.
  private void lowerRecoveryPoint(Segment segment, long offset) {
    try {
      long within = Math.min(Integer.MAX_VALUE, offset - segment.baseOffset - 1);
      SegmentIndex index = segment.index();
      int entry = within < 0 ? -1 : index.floor((int) within);
      // The batch of that entry stays for certain; the cut may come right behind it.
      long stays = entry < 0 ? 0 : index.offset(entry) + 1L;
      log.durability().lower(Math.min(offset, segment.baseOffset + stays));
    } catch (Disk.FullException e) {
      context.directory().noteFull(String.valueOf(e.getMessage()));
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR, "no room to truncate " + log.path(), e);
    } catch (IOException e) {
      throw context.directory().fail("truncating " + log.path(), e);
    }
  }

  private void truncateFully(long offset) {
    if (log.closed()) {
      return;
    }
    Segment first = log.segments()[0];
    lowerRecoveryPoint(first, Math.min(offset, first.baseOffset));
    try {
      removeNewestFirst(log.segments(), 0, true);
      LogRecovery.deleteSnapshots(context.disk(), log.path(), Long.MIN_VALUE);
      snapshots.offset(-1);
      Segment fresh = Segment.create(context, log.path(), offset);
      Segment[] all = {fresh};
      log.startAt(offset, all);
      log.cutBack(new LogEnd(offset, fresh, 0, log.end().bytes()), all);
      producers.clear();
      log.durability().noteNames();
      log.epochs().clear();
      log.truncated();
      log.highWatermark(offset);
    } catch (IOException e) {
      throw context.directory().fail("emptying " + log.path(), e);
    }
  }

  private void removeNewestFirst(Segment[] all, int first, boolean atOnce) throws IOException {
    for (int i = all.length - 1; i >= first; i--) {
      all[i].retire();
      if (atOnce) {
        all[i].removeRetired();
      } else {
        context.directory().removeLater(all[i]::removeRetired, log.config().fileDeleteDelayMs());
      }
    }
    context.disk().forceDirectory(log.path());
  }
}
