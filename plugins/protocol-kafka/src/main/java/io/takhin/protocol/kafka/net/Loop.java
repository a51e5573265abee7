package io.takhin.protocol.kafka.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One event loop and what its connections share: the receive buffer, the timers, the work to do at
/// the end of a tick, and the queue by which other threads reach it.
///
/// ```
///  epoll_wait -> read, parse, handle (many connections) -> end of tick -> flush -> epoll_wait
///                                   ^ timers              ^ woken fetches, cross-thread answers
/// ```
///
/// Threading: the loop's own thread, but for [#submit], [#index] and [#inLoop]. Blocking: never.
public final class Loop {
  /// What one recv can take; fits a core's second-level cache.
  public static final int RECEIVE_BYTES = 256 * 1024;

  private static final Logger log = LoggerFactory.getLogger(Loop.class);
  private static final long FINE_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long COARSE_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final int index;
  private final EventLoop eventLoop;
  private final ByteBufAllocator allocator;
  private final LongSupplier clock;
  private final TimerWheel fine;
  private final TimerWheel coarse;
  private final AtomicReference<@Nullable LoopTask> inbox = new AtomicReference<>();
  private final Runnable drainInbox = this::drainInbox;
  private final Runnable endOfTick = this::endOfTick;
  private final Runnable timersDue = this::timersDue;

  private @Nullable ByteBuf receive;
  private @Nullable ByteBuffer receiveView;
  private @Nullable LoopTask lastOfTick;
  private @Nullable Connection toFlush;
  private boolean tickEndQueued;
  private boolean advancing;
  private long wakeNanos = Long.MAX_VALUE;
  private long nowNanos;

  Loop(int index, EventLoop eventLoop, ByteBufAllocator allocator, LongSupplier clock) {
    this.index = index;
    this.eventLoop = eventLoop;
    this.allocator = allocator;
    this.clock = clock;
    nowNanos = clock.getAsLong();
    fine = new TimerWheel(FINE_TICK_NANOS, 512, nowNanos);
    coarse = new TimerWheel(COARSE_TICK_NANOS, 2048, nowNanos);
  }

  /// From 0: for state that is kept per loop elsewhere.
  public int index() {
    return index;
  }

  /// Pooled direct buffers.
  public ByteBufAllocator allocator() {
    return allocator;
  }

  /// Whether the caller is the loop's thread.
  public boolean inLoop() {
    return eventLoop.inEventLoop();
  }

  /// Monotonic time as of the last read of the clock: good enough for timeouts.
  public long nowNanos() {
    return nowNanos;
  }

  /// Reads the clock.
  public long readClock() {
    nowNanos = clock.getAsLong();
    return nowNanos;
  }

  /// Runs a task on the loop soon. Threading: any thread; a task must not be submitted again before
  /// it runs. The loop is woken once, however many tasks gather meanwhile.
  public void submit(LoopTask task) {
    LoopTask head;
    do {
      head = inbox.get();
      task.nextTask = head;
    } while (!inbox.compareAndSet(head, task));
    if (head == null) {
      try {
        eventLoop.execute(drainInbox);
      } catch (java.util.concurrent.RejectedExecutionException e) {
        log.debug("Work for a loop that has stopped is dropped");
      }
    }
  }

  private void drainInbox() {
    LoopTask stack = inbox.getAndSet(null);
    LoopTask ordered = null;
    while (stack != null) {
      LoopTask following = stack.nextTask;
      stack.nextTask = ordered;
      ordered = stack;
      stack = following;
    }
    readClock();
    while (ordered != null) {
      LoopTask following = ordered.nextTask;
      ordered.nextTask = null;
      run(ordered);
      ordered = following;
    }
  }

  /// Runs a task after everything that is ready now was read and handled: what happens meanwhile
  /// is taken along. Threading: the loop.
  public void atEndOfTick(LoopTask task) {
    task.nextTask = lastOfTick;
    lastOfTick = task;
    queueTickEnd();
  }

  void flushAtEndOfTick(Connection connection) {
    connection.nextToFlush = toFlush;
    toFlush = connection;
    queueTickEnd();
  }

  private void queueTickEnd() {
    if (!tickEndQueued) {
      tickEndQueued = true;
      eventLoop.execute(endOfTick);
    }
  }

  private void endOfTick() {
    LoopTask task = lastOfTick;
    lastOfTick = null;
    readClock();
    while (task != null) {
      LoopTask following = task.nextTask;
      task.nextTask = null;
      run(task);
      task = following;
    }
    Connection connection = toFlush;
    toFlush = null;
    while (connection != null) {
      Connection following = connection.nextToFlush;
      connection.nextToFlush = null;
      connection.flushNow();
      connection = following;
    }
    tickEndQueued = false;
    if (lastOfTick != null || toFlush != null) {
      queueTickEnd();
    }
  }

  private static void run(LoopTask task) {
    try {
      task.runOnLoop();
    } catch (RuntimeException e) {
      log.error("A defect in the work of a loop; the loop goes on", e);
    }
  }

  /// Lets a timer expire within 5 ms after a time.
  public void schedule(TimerWheel.Timer timer, long deadlineNanos) {
    schedule(fine, timer, deadlineNanos);
  }

  /// Lets a timer expire within half a second after a time: for timeouts of minutes.
  public void scheduleCoarse(TimerWheel.Timer timer, long deadlineNanos) {
    schedule(coarse, timer, deadlineNanos);
  }

  private void schedule(TimerWheel wheel, TimerWheel.Timer timer, long deadlineNanos) {
    if (wheel.size() == 0) {
      wheel.advance(nowNanos);
    }
    wakeAt(wheel.schedule(timer, deadlineNanos));
  }

  /// Takes a timer out, if it waits.
  public void cancel(TimerWheel.Timer timer) {
    fine.cancel(timer);
    coarse.cancel(timer);
  }

  private void wakeAt(long nanos) {
    if (!advancing && nanos < wakeNanos) {
      wakeNanos = nanos;
      eventLoop.schedule(timersDue, Math.max(nanos - nowNanos, 0), TimeUnit.NANOSECONDS);
    }
  }

  private void timersDue() {
    wakeNanos = Long.MAX_VALUE;
    long now = readClock();
    advancing = true;
    try {
      fine.advance(now);
      coarse.advance(now);
    } catch (RuntimeException e) {
      log.error("A defect in a timer; the loop goes on", e);
    } finally {
      advancing = false;
    }
    wakeAt(Math.min(fine.nextNanos(), coarse.nextNanos()));
  }

  /// The receive buffer, empty; the caller's reference is to be released.
  ByteBuf takeReceiveBuffer() {
    ByteBuf buffer = receive;
    if (buffer != null && buffer.refCnt() > 1) {
      // Somebody keeps a frame in it: theirs now.
      buffer.release();
      buffer = null;
    }
    if (buffer == null) {
      buffer = allocator.directBuffer(RECEIVE_BYTES, RECEIVE_BYTES);
      receive = buffer;
      receiveView = null;
    }
    return buffer.clear().retain();
  }

  /// The whole of a buffer as NIO sees it.
  ByteBuffer view(ByteBuf buffer) {
    if (buffer != receive) {
      return buffer.nioBuffer(0, buffer.capacity());
    }
    ByteBuffer view = receiveView;
    if (view == null) {
      view = buffer.nioBuffer(0, buffer.capacity());
      receiveView = view;
    }
    return view;
  }

  void release() {
    ByteBuf buffer = receive;
    receive = null;
    receiveView = null;
    if (buffer != null) {
      buffer.release();
    }
  }
}
