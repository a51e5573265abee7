package io.takhin.storage.local;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

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

  /// Forgets segments of a log that could not be opened after all.
  synchronized void forget(Collection<Segment> segments) {
    Set<Segment> gone = Collections.newSetFromMap(new IdentityHashMap<>());
    gone.addAll(segments);
    loaded.removeIf(
        segment -> {
          boolean goes = gone.contains(segment);
          entries -= goes ? segment.loadedEntries() : 0;
          return goes;
        });
  }
}
