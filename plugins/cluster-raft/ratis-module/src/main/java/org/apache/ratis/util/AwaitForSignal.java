package org.apache.ratis.util;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// How threads of Ratis wait for work; takes the place of Ratis' own class of this name, with its
/// methods.
///
/// The original forgets a signal that comes just before the wait, so its users wait a tenth of a
/// second at most and look again: the updater of the state machine wakes ten times a second for
/// nothing, the greatest part of what an idle broker spends. This one keeps a signal until somebody
/// has waited for it, so the updater can sleep until there is something to do.
///
/// ```
///            signal()                      await()
///   QUIET -------------> SIGNALLED --------------------> QUIET, and await returns at once
/// ```
///
/// Threading: any thread signals; one thread waits.
///
/// @see "docs/adr/0166-small-at-rest.md"
public class AwaitForSignal {
  /// Whose polling is not needed any more. Others, such as the appenders of a leader with
  /// followers, do something when their time is over.
  private static final String UPDATER = "StateMachineUpdater";

  /// The shortest wait of the updater. Every change is signalled; should one not be, it is seen
  /// after so long.
  private static final long UPDATER_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final String name;
  private final long shortestNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean signalled; // guarded by lock

  /// Without a signal yet.
  ///
  /// @param name who waits, as Ratis names its threads
  public AwaitForSignal(Object name) {
    this.name = String.valueOf(name);
    shortestNanos = this.name.endsWith(UPDATER) ? UPDATER_WAIT_NANOS : 0;
  }

  /// Waits for a signal.
  public void await() throws InterruptedException {
    lock.lock();
    try {
      while (!signalled) {
        changed.await();
      }
      signalled = false;
    } finally {
      lock.unlock();
    }
  }

  /// Waits for a signal, or for so long; the updater for longer than it asks.
  ///
  /// @return whether there was a signal
  public boolean await(long time, TimeUnit unit) throws InterruptedException {
    long nanos = Math.max(unit.toNanos(time), shortestNanos);
    lock.lock();
    try {
      while (!signalled) {
        if (nanos <= 0) {
          return false;
        }
        nanos = changed.awaitNanos(nanos);
      }
      signalled = false;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Ends the wait, or the next one.
  public void signal() {
    lock.lock();
    try {
      signalled = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
