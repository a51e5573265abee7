package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.storage.local.Transactions.Aborted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The aborted transactions of one log: noted as their markers are written, found for readers.
///
/// Threading: the thread in the log's gate notes; any thread searches.
final class LogTransactions {
  private final LocalLog log;
  private volatile long lastMarker;

  /// @param any whether the log may have aborted transactions already
  LogTransactions(LocalLog log, boolean any) {
    this.log = log;
    this.lastMarker = any ? Long.MAX_VALUE : -1;
  }

  /// A marker that aborts was written to `segment`, which grows.
  void note(Segment segment, Aborted aborted) {
    lastMarker = Math.max(lastMarker, aborted.lastOffset());
    try {
      TransactionIndex index = index(segment, Long.MAX_VALUE);
      if (index.entries() == 0) {
        log.durability().noteNames();
      }
      index.add(aborted);
      segment.saveTransactions();
    } catch (IOException e) {
      // It is found in the log again, and the next flush, which must succeed, saves it.
      LocalLog.LOGGER.warn("{}: {}", segment.path(LogFiles.TXN_INDEX), e.toString());
    }
  }

  /// Those with records in `[from, until)`, by their first offsets.
  List<AbortedTransaction> find(long from, long until) {
    long last = lastMarker;
    if (last < from) {
      return List.of();
    }
    List<AbortedTransaction> found = new ArrayList<>();
    Segment[] segments = log.segments();
    try {
      for (int i = LocalReader.floor(segments, from); i < segments.length; i++) {
        long end = i + 1 < segments.length ? segments[i + 1].baseOffset : Long.MAX_VALUE;
        if (segments[i].baseOffset > last || index(segments[i], end).collect(from, until, found)) {
          break;
        }
      }
    } catch (IOException e) {
      checkStart(from);
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "aborted transactions of " + log.partition() + ": " + e.getMessage(),
          e);
    }
    checkStart(from);
    found.sort(Comparator.comparingLong(AbortedTransaction::firstOffset));
    return found;
  }

  /// Retention may take a segment's files while they are looked for.
  private void checkStart(long from) {
    if (from < log.logStartOffset()) {
      throw new TakhinException(
          ErrorCode.OFFSET_OUT_OF_RANGE, from + " is below the start of " + log.partition());
    }
  }

  private TransactionIndex index(Segment segment, long endOffset) throws IOException {
    TransactionIndex known = segment.transactions(endOffset);
    if (known != null) {
      return known;
    }
    LocalLog.LOGGER.warn("{} is damaged: rebuilt", segment.path(LogFiles.TXN_INDEX));
    return new LogRecovery(log.context(), log.partition(), log.config())
        .rebuildTransactions(log.path(), log.segments(), segment, endOffset);
  }
}
