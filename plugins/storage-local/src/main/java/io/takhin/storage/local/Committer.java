package io.takhin.storage.local;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Group commit for logs with `flush.messages=1`: forces all logs that were written since its last
/// round, then tells their listeners. The next round's appends gather while the disk works, so the
/// batch grows with the load by itself.
///
/// Threading: one thread, made with the first such append; any thread adds.
final class Committer {
  private final ThreadFactory threads;
  private final ConcurrentLinkedQueue<LocalLog> queue = new ConcurrentLinkedQueue<>();
  private volatile @Nullable Thread thread;
  private volatile boolean closed;

  Committer(ThreadFactory threads) {
    this.threads = threads;
  }

  /// Asks for a log to be forced; the log sees to it that it is queued once.
  void add(LocalLog log) {
    queue.add(log);
    Thread runs = thread;
    if (runs == null) {
      runs = start();
    }
    LockSupport.unpark(runs);
  }

  private synchronized Thread start() {
    Thread runs = thread;
    if (runs == null) {
      runs = threads.newThread(this::run);
      runs.start();
      thread = runs;
    }
    return runs;
  }

  private void run() {
    while (true) {
      LocalLog log = queue.poll();
      if (log != null) {
        try {
          log.commit();
        } catch (RuntimeException e) {
          // the others' acknowledgements must not end with a defect of one listener
          LocalLog.LOGGER.error("{}: telling what is committable failed", log.partition(), e);
        }
      } else if (closed) {
        return;
      } else {
        LockSupport.park(this);
      }
    }
  }

  /// Commits what is queued and ends the thread.
  void close() throws InterruptedException {
    closed = true;
    Thread runs = thread;
    if (runs != null) {
      LockSupport.unpark(runs);
      runs.join();
    }
  }
}
