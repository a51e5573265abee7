package io.takhin.storage.local;

import org.jspecify.annotations.Nullable;

/// The last few ends of a log: a high watermark that is a write or two behind needs no look into
/// the file.
///
/// Threading: the thread in the gate adds; any thread looks. A look may miss an end, never find a
/// wrong one, for ends are immutable.
final class RecentEnds {
  private static final int KEPT = 8;

  private volatile @Nullable LogEnd @Nullable [] ends;
  private int next;

  void add(LogEnd end) {
    @Nullable LogEnd[] to = ends;
    if (to == null) {
      to = new LogEnd[KEPT];
      ends = to;
    }
    to[next++ & (KEPT - 1)] = end;
  }

  void clear() {
    ends = null;
  }

  /// The position of an offset in a segment; -1 if it is not among them.
  int position(long offset, Segment segment) {
    @Nullable LogEnd[] in = ends;
    if (in != null) {
      for (LogEnd end : in) {
        if (end != null && end.offset() == offset && end.segment() == segment) {
          return end.position();
        }
      }
    }
    return -1;
  }
}
