package io.takhin.storage.local;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/// Logs with something that is not on disk yet, each at most once: what housekeeping looks at, so
/// that idle partitions cost nothing.
///
/// Threading: any thread adds and asks, one drains.
final class DirtyLogs {
  private final ConcurrentLinkedQueue<LocalLog> queue = new ConcurrentLinkedQueue<>();

  /// To be called by the log when it becomes dirty.
  void add(LocalLog log) {
    queue.add(log);
  }

  /// Whether there is none.
  boolean isEmpty() {
    return queue.isEmpty();
  }

  /// Passes on those that were added before the call; they may be added again meanwhile.
  void drain(Consumer<LocalLog> consumer) {
    for (int left = queue.size(); left > 0; left--) {
      LocalLog log = queue.poll();
      if (log == null) {
        return;
      }
      consumer.accept(log);
    }
  }
}
