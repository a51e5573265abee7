package io.takhin.storage.local;

import java.io.IOException;
import java.util.ArrayDeque;

/// Keeps the number of open segment files bounded: when it is passed, files that were not touched
/// for a round and are not in use are closed; they open again by themselves.
///
/// Threading: any thread; the lock is held for queue work and close(2) alone.
final class FileCache {
  private static final int LEAST = 16;

  private final ArrayDeque<SegmentFile> open = new ArrayDeque<>();
  private int limit;

  FileCache(int limit) {
    this.limit = Math.max(LEAST, limit);
  }

  /// Counts a file that was opened, and closes others if there are too many.
  synchronized void opened(SegmentFile file) throws IOException {
    open.add(file);
    evict();
  }

  /// Closes the file of a segment that nobody uses any more.
  void drop(SegmentFile file) {
    synchronized (this) {
      open.remove(file);
    }
    try {
      file.tryClose();
    } catch (IOException e) {
      LocalLog.LOGGER.debug("closing {}: {}", file.path(), e.toString());
    }
  }

  /// The process has no file handles left: keeps fewer from now on.
  synchronized void shrink() throws IOException {
    limit = Math.max(LEAST, open.size() / 2);
    evict();
  }

  synchronized int size() {
    return open.size();
  }

  private void evict() throws IOException {
    for (int tries = 2 * open.size(); open.size() > limit && tries > 0; tries--) {
      SegmentFile candidate = open.remove();
      if (!candidate.retired() && (candidate.forgetTouch() || !candidate.tryClose())) {
        open.add(candidate);
      }
    }
  }
}
