package io.takhin.testkit.simulation;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Runs threads one at a time, in an order that follows from a seed, on a clock that moves only
/// when nobody can run.
///
/// The threads are the JDK's virtual threads on a scheduler of ours: code under simulation parks,
/// locks and waits as it does in production, and at each such place the seed chooses who goes on.
/// A monitor is the exception: the JDK wakes who waits for one from a thread of its own, at a time
/// that no seed decides. So no simulated thread may ever find a monitor taken by another one, which
/// is to say that nobody pauses while holding one; a run in which it happens fails and shows where.
/// Monitors of the JDK's own that one of its threads holds for a moment are waited for, and nothing
/// else goes on meanwhile.
///
/// ```
/// ready: [a] [b] [c]  -- seed picks --> runs until it parks, pauses or ends --> event, invariants
///   none ready: the clock moves on to the next timer
/// ```
///
/// Needs `--add-opens java.base/java.lang=ALL-UNNAMED` (or of this module), and
/// `-Djdk.trackAllThreads=false` lest killed threads stay in memory.
///
/// Threading: the thread that calls [#run]; everything simulated runs on it.
public final class Simulation {
  private static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");
  private static final int MAX_STEP_NANOS = 20_000;
  private static final long MOST_MONITOR_WAIT_MS = 10_000;
  private static final long MOST_EVENTS_OF_A_STEP = 1_000_000;
  private static final Method NEW_THREAD = newThread();

  private final long seed;
  private final Random random;
  private final Trace trace = new Trace();
  private final List<Ready> ready = new ArrayList<>();
  private final BlockingQueue<Ready> fromOutside = new LinkedBlockingQueue<>();
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private Thread driver = Thread.currentThread();
  private long nanos = 3_600_000_000_000L; // above 0, so that "0 means never" mistakes show
  private long wallShiftNanos;
  private long sequence;
  private long eventsBefore;
  private volatile @Nullable Throwable failure;

  /// A simulation at its beginning.
  public Simulation(long seed) {
    this.seed = seed;
    this.random = new Random(seed * 0x9E3779B97F4A7C15L + 0x632BE59BD9B4E019L);
  }

  private static Method newThread() {
    try {
      Method method =
          Class.forName("java.lang.ThreadBuilders")
              .getDeclaredMethod(
                  "newVirtualThread", Executor.class, String.class, int.class, Runnable.class);
      method.setAccessible(true);
      return method;
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new IllegalStateException(
          "the simulation schedules virtual threads itself: start Java 25 with --add-opens"
              + " java.base/java.lang=ALL-UNNAMED",
          e);
    }
  }

  /// The seed that everything follows from.
  public long seed() {
    return seed;
  }

  /// The one source of randomness.
  public Random random() {
    return random;
  }

  /// Whether something of this chance happens now.
  public boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  /// What happened.
  public Trace trace() {
    return trace;
  }

  /// The monotonic clock.
  public long nanoTime() {
    return nanos;
  }

  /// The wall clock.
  public InstantSource clock() {
    return () -> EPOCH.plusNanos(nanos + wallShiftNanos);
  }

  /// Milliseconds of the wall clock.
  public long wallMs() {
    return EPOCH.toEpochMilli() + (nanos + wallShiftNanos) / 1_000_000;
  }

  /// Sets the wall clock forwards or backwards, as NTP or an administrator does.
  public void jumpWallClock(long byMs) {
    note("wall clock jumps by " + byMs + " ms");
    wallShiftNanos += byMs * 1_000_000;
  }

  /// Adds to the trace.
  public void note(String event) {
    trace.add(nanos / 1000, event);
  }

  /// Adds to the trace, in parts.
  void note(String event, long number, String place) {
    trace.add(nanos / 1000, event, number, place);
    if (trace.events() - eventsBefore > MOST_EVENTS_OF_A_STEP) {
      throw new AssertionError("a thread goes round and round");
    }
  }

  /// A process without threads.
  public SimulatedProcess process(String name) {
    return new SimulatedProcess(this, name);
  }

  /// A thread that runs when it is started and chosen.
  public Thread thread(SimulatedProcess owner, String name, Runnable body) {
    Thread[] made = new Thread[1];
    Executor executor = continuation -> makeReady(new Ready(owner, name, continuation, made));
    Runnable guarded =
        () -> {
          try {
            body.run();
          } catch (Throwable e) { // whatever a thread dies of fails the run
            fail(e);
          }
        };
    try {
      made[0] = (Thread) NEW_THREAD.invoke(null, executor, name, 0, guarded);
      return made[0];
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("no virtual thread can be made", e);
    }
  }

  /// Starts a thread.
  public void start(SimulatedProcess owner, String name, Runnable body) {
    if (owner.alive()) {
      thread(owner, name, body).start();
    }
  }

  private void makeReady(Ready entry) {
    Thread caller = Thread.currentThread();
    if (!caller.isVirtual() && caller != driver) {
      fromOutside.add(entry);
    } else if (entry.owner.alive()) {
      ready.add(entry);
    }
  }

  /// Runs `action` on the simulation's own thread, so much later: it must not park.
  public void after(SimulatedProcess owner, long delayNanos, Runnable action) {
    timers.add(new Timer(nanos + Math.max(0, delayNanos), sequence++, owner, action));
  }

  /// Lets the calling thread wait, and others go on.
  public void pause(long waitNanos) {
    Pause pause = new Pause(Thread.currentThread());
    timers.add(new Timer(nanos + Math.max(0, waitNanos), sequence++, null, pause));
    while (!pause.over) {
      LockSupport.park(this);
    }
  }

  /// Fails the run: the first failure counts.
  public void fail(Throwable thrown) {
    if (failure == null) {
      failure = thrown;
    }
  }

  void forget(SimulatedProcess dead) {
    ready.removeIf(entry -> entry.owner == dead);
    timers.removeIf(timer -> timer.owner == dead);
  }

  /// Runs until `done`, with `afterEvent` after each step.
  ///
  /// Errors: [SimulationFailure] with the seed and the end of the trace, whatever went wrong; also
  /// when nobody can run any more.
  public void run(BooleanSupplier done, Runnable afterEvent) {
    driver = Thread.currentThread();
    try {
      while (failure == null && !done.getAsBoolean()) {
        step();
        if (failure == null) {
          afterEvent.run();
        }
      }
    } catch (RuntimeException | AssertionError e) {
      fail(e);
    }
    Throwable thrown = failure;
    if (thrown != null) {
      throw new SimulationFailure(this, thrown);
    }
  }

  private void step() {
    Ready outside = fromOutside.poll();
    if (outside != null && outside.owner.alive()) {
      throw new AssertionError(outside.name + " was woken from outside");
    }
    runDueTimers();
    if (ready.isEmpty()) {
      Timer next = timers.peek();
      if (next == null) {
        throw new AssertionError("nobody can run, and nothing is due: a lost wake-up");
      }
      nanos = Math.max(nanos, next.atNanos);
      return;
    }
    int chosen = random.nextInt(ready.size());
    Ready entry = ready.get(chosen);
    Ready last = ready.removeLast();
    if (last != entry) {
      ready.set(chosen, last);
    }
    nanos += 1 + random.nextInt(MAX_STEP_NANOS);
    note(entry.name);
    eventsBefore = trace.events();
    entry.continuation.run();
    while (blocked(entry)) {
      awaitMonitor(entry);
    }
  }

  /// Whether a thread that has just run waits for a monitor, or has it by now and waits for the JDK
  /// to say so.
  private boolean blocked(Ready entry) {
    if (!entry.owner.alive()) {
      return false;
    }
    Thread.State state = entry.thread[0].getState();
    return state == Thread.State.BLOCKED
        || (state == Thread.State.RUNNABLE
            && ready.stream().noneMatch(other -> other.continuation == entry.continuation));
  }

  /// Lets a thread go on as if it had never waited: the monitor is one of the JDK's own, which a
  /// thread of the JDK's holds for a moment (cleaners of direct buffers do).
  private void awaitMonitor(Ready entry) {
    try {
      Ready woken = fromOutside.poll(MOST_MONITOR_WAIT_MS, TimeUnit.MILLISECONDS);
      if (woken == null) {
        throw new AssertionError(
            entry.name + " waits for a monitor whose owner paused: " + stack(entry.thread[0]));
      }
      if (woken.owner.alive()) {
        if (woken.continuation != entry.continuation) {
          throw new AssertionError(woken.name + " was woken from outside");
        }
        woken.continuation.run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted in the simulation", e);
    }
  }

  private static String stack(Thread thread) {
    return String.join(
        " < ", Arrays.stream(thread.getStackTrace()).map(StackTraceElement::toString).toList());
  }

  private void runDueTimers() {
    for (Timer timer = timers.peek(); timer != null && timer.atNanos <= nanos; ) {
      timers.remove();
      if (timer.owner == null || timer.owner.alive()) {
        timer.action.run();
      }
      timer = timers.peek();
    }
  }

  /// `thread` holds one thread: the JDK wants the scheduler before it makes it.
  @SuppressWarnings("ArrayRecordComponent")
  private record Ready(
      SimulatedProcess owner, String name, Runnable continuation, Thread[] thread) {}

  private record Timer(long atNanos, long number, @Nullable SimulatedProcess owner, Runnable action)
      implements Comparable<Timer> {
    @Override
    public int compareTo(Timer other) {
      int byTime = Long.compare(atNanos, other.atNanos);
      return byTime != 0 ? byTime : Long.compare(number, other.number);
    }
  }

  private static final class Pause implements Runnable {
    private final Thread thread;
    private boolean over;

    Pause(Thread thread) {
      this.thread = thread;
    }

    @Override
    public void run() {
      over = true;
      LockSupport.unpark(thread);
    }
  }
}
