package io.takhin.storage.local;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;

/// Group commit for logs with `flush.messages=1`: forces each log that was written since its last
/// round, then tells its listener. A log's next appends gather while the disk works, so its batch
/// grows with the load by itself; what it gathered goes to the end of the queue, behind the others.
///
/// Several logs are forced at the same time: one whose fsync takes long holds up nobody else, and
/// the file system makes several into one write of its journal.
///
/// Threading: any thread adds. Up to [#MOST_THREADS] commit, one log each; another one is made when
/// all are busy.
final class Committer {
  /// Logs that are forced at once. An fsync that hangs takes one of these.
  static final int MOST_THREADS = 8;

  private final ThreadFactory factory;
  private final ConcurrentLinkedQueue<LocalLog> queue = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Thread> idle = new ConcurrentLinkedQueue<>();
  // Guarded by this, and only ever added to.
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean all;
  private volatile boolean closed;

  Committer(ThreadFactory factory) {
    this.factory = factory;
  }

  /// Asks for a log to be forced; the log sees to it that it is queued once.
  void add(LocalLog log) {
    queue.add(log);
    wake();
  }

  private void wake() {
    Thread waiting = idle.poll();
    if (waiting != null) {
      LockSupport.unpark(waiting);
    } else if (!all) {
      another();
    }
  }

  /// Asks for it once more, on the thread that has just committed it: that one looks into the queue
  /// next, and need wake nobody.
  void again(LocalLog log) {
    queue.add(log);
  }

  private synchronized void another() {
    if (!closed && threads.size() < MOST_THREADS) {
      Thread made = factory.newThread(this::run);
      try {
        made.start();
      } catch (OutOfMemoryError e) {
        if (threads.isEmpty()) {
          throw e;
        }
        LocalLog.LOGGER.debug("the system has no more threads: those there commit", e);
        return;
      }
      threads.add(made);
      all = threads.size() == MOST_THREADS;
    }
  }

  private void run() {
    Thread self = Thread.currentThread();
    while (true) {
      LocalLog log = queue.poll();
      if (log != null) {
        if (!queue.isEmpty()) {
          wake(); // this one may take long, and whoever was woken for the next may be this thread
        }
        commit(log);
      } else if (closed) {
        return;
      } else {
        await(self);
      }
    }
  }

  private static void commit(LocalLog log) {
    try {
      log.commit();
    } catch (RuntimeException e) {
      // the others' acknowledgements must not end with a defect of one listener
      LocalLog.LOGGER.error("{}: telling what is committable failed", log.partition(), e);
    }
  }

  /// Who adds after this thread is among the idle ones wakes it; who added before is seen here.
  private void await(Thread self) {
    idle.add(self);
    if (queue.isEmpty() && !closed) {
      LockSupport.park(this);
    }
    idle.remove(self);
  }

  /// Commits what is queued and ends the threads.
  void close() throws InterruptedException {
    List<Thread> ending;
    synchronized (this) {
      closed = true;
      ending = List.copyOf(threads);
    }
    ending.forEach(LockSupport::unpark);
    for (Thread thread : ending) {
      thread.join();
    }
  }
}
