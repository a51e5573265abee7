package io.takhin.storage.local;

import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.LogAppend;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A combining gate: whoever comes first does the work of all who come meanwhile. Nobody waits to
/// append; tasks that need the log to themselves go through the same queue.
///
/// ```
/// enter: push, count 0 -> 1: do rounds until the queue is empty and the count is back at 0
///        push, count n -> n + 1: the one inside will see it
/// ```
///
/// Threading: any thread enters; the round runs on one at a time.
final class Gate {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
  private static final VarHandle HEAD;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      HEAD = lookup.findVarHandle(Gate.class, "head", LogAppend.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Consumer<LogAppend> round;
  private volatile @Nullable LogAppend head;
  private final AtomicInteger waiting = new AtomicInteger();
  private volatile @Nullable Thread inside;

  /// @param round takes a chain of appends and tasks in the order in which they came
  Gate(Consumer<LogAppend> round) {
    this.round = round;
  }

  /// Has the append done: here and now, or by the thread inside.
  void enter(LogAppend append) {
    LogAppend before;
    do {
      before = head;
      append.next = before;
    } while (!HEAD.compareAndSet(this, before, append));
    if (waiting.getAndIncrement() == 0) {
      serve();
    }
  }

  private void serve() {
    inside = Thread.currentThread();
    int served = 1;
    while (true) {
      LogAppend newest = (LogAppend) HEAD.getAndSet(this, null);
      if (newest != null) {
        try {
          round.accept(reversed(newest));
        } catch (RuntimeException e) {
          // whoever comes later must not find the gate shut for ever
          LocalLog.LOGGER.error("a round of appends failed: a defect", e);
        }
        continue;
      }
      inside = null;
      int left = waiting.addAndGet(-served);
      if (left == 0) {
        return;
      }
      inside = Thread.currentThread();
      served = left;
    }
  }

  private static LogAppend reversed(LogAppend newest) {
    LogAppend reversed = null;
    LogAppend rest = newest;
    while (rest != null) {
      LogAppend next = rest.next;
      rest.next = reversed;
      reversed = rest;
      rest = next;
    }
    return java.util.Objects.requireNonNull(reversed);
  }

  /// Runs `action` alone in the gate, after all that came before, and waits for it. A callback that
  /// is already inside runs it at once.
  void run(Runnable action) {
    if (inside == Thread.currentThread()) {
      action.run();
      return;
    }
    Task task = new Task(action);
    enter(task);
    task.await();
  }

  /// Something else than an append that needs the log to itself.
  static final class Task extends LogAppend {
    private final Runnable action;
    private final CountDownLatch done = new CountDownLatch(1);
    private @Nullable RuntimeException failure;

    Task(Runnable action) {
      super(NOTHING, 0, Origin.REPLICA);
      this.action = action;
    }

    void execute() {
      try {
        action.run();
      } catch (RuntimeException e) {
        failure = e;
      } finally {
        done.countDown();
      }
    }

    private void await() {
      boolean interrupted = false;
      while (true) {
        try {
          done.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (failure != null) {
        throw failure;
      }
    }

    @Override
    public void appended(AppendResult result) {
      throw new IllegalStateException("a task has no outcome");
    }
  }
}
