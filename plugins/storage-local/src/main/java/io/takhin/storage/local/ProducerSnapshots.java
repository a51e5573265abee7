package io.takhin.storage.local;

import java.io.IOException;

/// When a log writes snapshots of its producers, and which of them stay: those at the base offset
/// of a segment as long as the segment, and the newest one.
///
/// Threading: the thread in the log's gate.
final class ProducerSnapshots {
  private static final long EVERY_BYTES = 64L << 20;

  private final LocalLog log;
  private final ProducerStates producers;
  private long offset;
  private long bytes;

  /// @param offset of the newest; -1 for none
  ProducerSnapshots(LocalLog log, ProducerStates producers, long offset) {
    this.log = log;
    this.producers = producers;
    this.offset = offset;
  }

  /// Of the newest; -1 for none.
  long offset() {
    return offset;
  }

  /// The log was cut: the newest is this one now, or -1.
  void offset(long newest) {
    offset = newest;
  }

  /// Whether much was written since the last one.
  boolean due() {
    return log.end().bytes() - bytes > EVERY_BYTES;
  }

  /// Writes one, which has all below `at`, the end of the log.
  void take(long at) throws IOException {
    if (at == offset) {
      return;
    }
    Disk disk = log.context().disk();
    log.end().segment().saveTransactions();
    disk.replace(
        LogFiles.of(log.path(), at, LogFiles.SNAPSHOT), ProducerSnapshot.write(producers), false);
    offset = at;
    bytes = log.end().bytes();
  }

  /// Writes one at the end of an open log, and removes the last one if no segment begins there.
  void takeAtEnd() {
    if (log.closed()) {
      return;
    }
    try {
      long old = offset;
      boolean oldIsExtra = isExtra(old);
      take(log.end().offset());
      if (oldIsExtra && old != offset) {
        log.context().disk().delete(LogFiles.of(log.path(), old, LogFiles.SNAPSHOT));
      }
    } catch (IOException e) {
      LocalLog.LOGGER.warn("{}: producer snapshot: {}", log.partition(), e.toString());
    }
  }

  private boolean isExtra(long at) {
    for (Segment segment : log.segments()) {
      if (segment.baseOffset == at) {
        return false;
      }
    }
    return at >= 0;
  }
}
