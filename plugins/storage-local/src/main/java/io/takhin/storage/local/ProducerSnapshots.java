package io.takhin.storage.local;

import java.io.IOException;

/// When a log writes snapshots of its producers, and which of them stay: those at the base offset
/// of a segment as long as the segment, and the newest one.
///
/// Threading: the thread in the log's gate.
final class ProducerSnapshots {
  private static final long EVERY_BYTES = 4L << 20;
  private static final int SHARE = 16;

  private final LocalLog log;
  private final ProducerStates producers;
  private long offset;
  private long bytes;
  private int size;

  /// @param offset of the newest; -1 for none
  /// @param endOffset of the log
  ProducerSnapshots(LocalLog log, ProducerStates producers, long offset, long endOffset) {
    this.log = log;
    this.producers = producers;
    this.offset = offset;
    // What a crash left without a snapshot must not add up over several crashes.
    this.bytes = offset == endOffset ? 0 : -EVERY_BYTES;
  }

  /// Of the newest; -1 for none.
  long offset() {
    return offset;
  }

  /// The log was cut: the newest is this one now, or -1.
  void offset(long newest) {
    offset = newest;
  }

  /// Whether much was written since the last one: a restart reads no more than that, and snapshots
  /// are a small share of what is written.
  boolean due() {
    return log.end().bytes() - bytes > Math.max(EVERY_BYTES, (long) size * SHARE);
  }

  /// Writes one, which has all below `at`, the end of the log.
  void take(long at) throws IOException {
    if (at == offset) {
      return;
    }
    Disk disk = log.context().disk();
    log.end().segment().saveTransactions();
    byte[] content = ProducerSnapshot.write(producers);
    disk.replace(LogFiles.of(log.path(), at, LogFiles.SNAPSHOT), content, false);
    size = content.length;
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
