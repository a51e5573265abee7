package io.takhin.storage.local;

import java.util.ArrayDeque;

/// Bounds the memory of indexes of segments that no longer grow: the ones loaded longest ago go.
///
/// Threading: any thread; the lock is held for queue work.
final class IndexCache {
  private final long maxEntries;
  private final ArrayDeque<Segment> loaded = new ArrayDeque<>();
  private long entries;

  IndexCache(long maxEntries) {
    this.maxEntries = maxEntries;
  }

  synchronized void loaded(Segment segment) {
    loaded.add(segment);
    entries += segment.loadedEntries();
    while (entries > maxEntries && loaded.size() > 1) {
      Segment oldest = loaded.remove();
      entries -= oldest.loadedEntries();
      oldest.dropIndex();
    }
    if (loaded.size() == 1) {
      entries = segment.loadedEntries();
    }
  }
}
