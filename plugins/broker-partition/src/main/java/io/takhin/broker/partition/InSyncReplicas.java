package io.takhin.broker.partition;

import java.util.List;

/// How far each in-sync replica is, as the leader knows it: the high watermark is the least of
/// them. The leader's own end is what its log may promise; a follower's will be what it says when
/// it fetches, and is unknown until then. With one replica the least is the leader's end.
///
/// Threading: under the lock of its [HighWatermark].
final class InSyncReplicas {
  private final int[] ids;
  private final long[] ends;

  /// @param inSync broker ids
  InSyncReplicas(List<Integer> inSync) {
    ids = inSync.stream().mapToInt(Integer::intValue).toArray();
    ends = new long[ids.length];
  }

  /// The same ends for another set: who joins begins unknown.
  InSyncReplicas with(List<Integer> inSync) {
    InSyncReplicas next = new InSyncReplicas(inSync);
    for (int i = 0; i < ids.length; i++) {
      next.reached(ids[i], ends[i]);
    }
    return next;
  }

  /// Replica `id` has all below `endOffset`.
  void reached(int id, long endOffset) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == id) {
        ends[i] = Math.max(ends[i], endOffset);
      }
    }
  }

  /// The end of the slowest; 0 while one is unknown, or the set is empty.
  long least() {
    long least = ids.length == 0 ? 0 : Long.MAX_VALUE;
    for (long end : ends) {
      least = Math.min(least, end);
    }
    return least;
  }
}
