package io.takhin.broker.partition;

import java.util.List;

/// The high watermark of a replica and how many bytes each step of it makes visible.
///
/// It only rises. While this broker leads, it follows the slowest in-sync replica; otherwise it
/// stands until the leader tells a greater one.
///
/// Threading: [#offset] is one volatile read from any thread; everything else takes the lock of
/// this object, for a few instructions.
final class HighWatermark {
  private final int self;
  private volatile long offset;
  // Guarded by this.
  private InSyncReplicas inSync = new InSyncReplicas(List.of());
  private long leaderEnd;
  private long hiddenBytes;

  /// @param self this broker's id
  HighWatermark(int self) {
    this.self = self;
  }

  /// Where the log's checkpoint has it.
  synchronized void opened(long checkpoint) {
    offset = Math.max(offset, checkpoint);
    leaderEnd = Math.max(leaderEnd, offset);
  }

  /// Exclusive: all below is visible.
  long offset() {
    return offset;
  }

  /// This broker leads these in-sync replicas, and its own log may promise all below `logEnd`.
  ///
  /// @param newEpoch whether the leadership is a new one: what other replicas had said is forgotten
  /// @return bytes that this makes visible; 0 if the high watermark stands
  synchronized long lead(List<Integer> inSyncIds, long logEnd, boolean newEpoch) {
    inSync = newEpoch ? new InSyncReplicas(inSyncIds) : inSync.with(inSyncIds);
    return reached(self, Math.max(logEnd, leaderEnd), 0);
  }

  /// This broker no longer leads: the high watermark stands.
  synchronized void follow() {
    inSync = new InSyncReplicas(List.of());
  }

  /// This broker's log may promise all below `end`, `bytes` more than before.
  ///
  /// @return bytes that this makes visible; 0 if the high watermark stands
  synchronized long logReached(long end, long bytes) {
    return reached(self, end, bytes);
  }

  /// Another replica has all below `end`.
  ///
  /// @return bytes that this makes visible; 0 if the high watermark stands
  synchronized long replicaReached(int id, long end) {
    return reached(id, end, 0);
  }

  private long reached(int id, long end, long bytes) {
    if (id == self) {
      leaderEnd = Math.max(leaderEnd, end);
      hiddenBytes += bytes;
    }
    inSync.reached(id, end);
    long next = inSync.least();
    long before = offset;
    if (next <= before) {
      return 0;
    }
    // Bytes are known at the leader's end only; between, offsets stand for them. At least one, so
    // that no step goes unnoticed by who waits for a byte.
    long hiddenOffsets = leaderEnd - before;
    long visible =
        next >= leaderEnd
            ? hiddenBytes
            : (long) ((double) hiddenBytes * (next - before) / hiddenOffsets);
    hiddenBytes -= visible;
    offset = next;
    return Math.max(1, visible);
  }
}
