package io.takhin.storage.local;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Files that go after a while, so that readers that are late still find them.
///
/// Threading: any thread.
final class Removals {
  private static final Logger LOGGER = LoggerFactory.getLogger(Removals.class);

  private final InstantSource clock;
  private final ArrayDeque<Due> waiting = new ArrayDeque<>();

  Removals(InstantSource clock) {
    this.clock = clock;
  }

  /// Deletes something.
  interface Removal {
    void run() throws IOException;
  }

  private record Due(long atMs, Removal removal) {}

  synchronized void add(Removal removal, long delayMs) {
    waiting.add(new Due(clock.millis() + Math.max(0, delayMs), removal));
  }

  /// Whether nothing waits.
  synchronized boolean isEmpty() {
    return waiting.isEmpty();
  }

  /// Runs what is due, or everything.
  void run(boolean everything) {
    List<Due> due = new ArrayList<>();
    long nowMs = clock.millis();
    synchronized (this) {
      if (waiting.isEmpty()) {
        return;
      }
      waiting.removeIf(entry -> (everything || entry.atMs() <= nowMs) && due.add(entry));
    }
    for (Due entry : due) {
      try {
        entry.removal().run();
      } catch (IOException e) {
        LOGGER.warn("a deleted file could not be removed; the next start tries again", e);
      }
    }
  }
}
