package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.coordinator.ShardEffects.Answer;
import io.takhin.coordinator.ShardEffects.Write;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One partition of an internal topic under one leader epoch: the gate before its state machine,
/// and the way of the machine's effects into the log and back.
///
/// The gate combines: whoever finds it free runs its own work and then all that others left there
/// meanwhile; whoever finds it taken leaves its work and goes. Nobody waits. All records of one
/// pass go into one batch, so that what arrives together is written together.
///
/// ```
/// submit -> queue -> [ machine, one input after the other ] -> ShardEffects
///                                                              | writes: one batch, append
///                                                              | answers: futures complete
///                                                              | the rest: CoordinatorKind.perform
///            queue <- settled(writes) <- PartitionAppend.done -+
/// ```
///
/// Threads: any. Acknowledgements of appends come back through the gate, also when they come while
/// append is still running. Futures are completed by the thread that holds the gate.
///
/// @param <M> state machine
/// @param <R> records
/// @param <E> effects
public final class Shard<M extends StateMachine<R, E>, R, E extends ShardEffects<R, E>> {
  private static final Logger LOG = LoggerFactory.getLogger(Shard.class);

  /// Something to do behind the gate.
  public interface Input<M, E> {
    /// Does it.
    void run(M machine, Now now, E out);
  }

  /// Something that asks for an answer.
  public interface Question<M, E, T> {
    /// Has the machine answer `to`, at once or later.
    void put(M machine, Now now, CompletableFuture<T> to, E out);
  }

  /// Where the shard is in its life.
  public enum Phase {
    /// Reading its partition.
    LOADING,
    /// In charge.
    ACTIVE,
    /// No longer in charge.
    RESIGNED
  }

  private final CoordinatorKind<M, R, E> kind;
  private final int index;
  private final int leaderEpoch;
  private final String name;
  private final M machine;
  private final E effects;
  private final Supplier<Now> clock;
  private final Runnable deadlineChanged;

  private final Queue<Work<M, E>> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger pending = new AtomicInteger();
  private final Deque<Work<M, E>> parked = new ArrayDeque<>();
  private @Nullable ShardWriter<M, R, E> writer;

  private volatile Phase phase = Phase.LOADING;
  private volatile @Nullable String trouble;
  private volatile long nextDeadlineMs = Deadlines.NEVER;

  /// A shard that has yet to be loaded.
  ///
  /// @param deadlineChanged told when [#nextDeadlineMs] is earlier than before
  Shard(
      CoordinatorKind<M, R, E> kind,
      int index,
      int leaderEpoch,
      Supplier<Now> clock,
      Runnable deadlineChanged) {
    this.kind = kind;
    this.index = index;
    this.leaderEpoch = leaderEpoch;
    this.clock = clock;
    this.deadlineChanged = deadlineChanged;
    name = kind.topic().name() + "-" + index;
    machine = kind.machine(leaderEpoch);
    effects = kind.effects();
  }

  int index() {
    return index;
  }

  int leaderEpoch() {
    return leaderEpoch;
  }

  /// Where it is in its life.
  public Phase phase() {
    return phase;
  }

  /// Whether it takes requests: NONE if it does.
  public ErrorCode readiness() {
    return switch (phase) {
      case LOADING -> ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      case ACTIVE -> ErrorCode.NONE;
      case RESIGNED -> ErrorCode.NOT_COORDINATOR;
    };
  }

  /// Why it does not get loaded; null while nothing is wrong.
  @Nullable String trouble() {
    return trouble;
  }

  void trouble(@Nullable String message) {
    trouble = message;
  }

  /// For what may be read from any thread, and for the loader before [#activate].
  public M machine() {
    return machine;
  }

  long nextDeadlineMs() {
    return nextDeadlineMs;
  }

  /// The machine has replayed the partition.
  void activate(Partition loaded, int maxMessageBytes) {
    submit(
        (mine, now, out) -> {
          if (phase == Phase.LOADING) {
            writer = new ShardWriter<>(name, loaded, maxMessageBytes, kind.codec(), this::submit);
            mine.loaded(now, out);
            phase = Phase.ACTIVE;
            trouble = null;
          }
        });
  }

  /// Ends it. Who waits is answered; appends under way still settle.
  void resign(ErrorCode error) {
    submit(
        new Work.Task<>(
            (mine, now, out) -> {
              if (phase != Phase.RESIGNED) {
                phase = Phase.RESIGNED;
                mine.resign(error, out);
                parked.forEach(work -> work.refuse(error, out));
                parked.clear();
              }
            },
            false) {
          @Override
          boolean first() {
            return true;
          }
        });
  }

  /// Looks whether deadlines are due.
  void tick() {
    submit((mine, now, out) -> {});
  }

  /// Has work done: by this thread, or by the one that holds the gate. Dropped once the shard has
  /// resigned.
  public void submit(Input<M, E> input) {
    submit(new Work.Task<>(input, false));
  }

  /// Has work done in a moment in which no write is under way; what comes after it waits behind it.
  void submitWhenQuiet(Input<M, E> input) {
    submit(new Work.Task<>(input, true));
  }

  void submit(Work<M, E> work) {
    queue.add(work);
    if (pending.getAndIncrement() == 0) {
      drain();
    }
  }

  private void drain() {
    int count = 1;
    do {
      Now now = clock.get();
      for (int i = 0; i < count; i++) {
        take(queue.remove(), now);
      }
      resumeParked(now);
      if (phase == Phase.ACTIVE && machine.nextDeadlineMs() <= now.monotonicMs()) {
        run(new Work.Task<>(StateMachine::expire, false), now);
      }
      append(effects.takeWrites());
      for (Answer<?> answer : effects.takeAnswers()) {
        answer.give();
      }
      kind.perform(this, effects);
      publishDeadline();
      count = pending.addAndGet(-count);
    } while (count != 0);
  }

  private void publishDeadline() {
    long next = phase == Phase.ACTIVE ? machine.nextDeadlineMs() : Deadlines.NEVER;
    long before = nextDeadlineMs;
    if (next != before) {
      nextDeadlineMs = next;
      if (next < before) {
        deadlineChanged.run();
      }
    }
  }

  private void take(Work<M, E> work, Now now) {
    if (!work.first() && (!parked.isEmpty() || (work.whenQuiet && !quiet()))) {
      parked.add(work);
    } else {
      run(work, now);
    }
  }

  private boolean quiet() {
    return (writer == null || writer.quiet()) && effects.nothingToWrite();
  }

  private void resumeParked(Now now) {
    Work<M, E> next = parked.peek();
    while (next != null && !(next.whenQuiet && !quiet())) {
      parked.remove();
      run(next, now);
      next = parked.peek();
    }
  }

  private void run(Work<M, E> work, Now now) {
    if (phase == Phase.RESIGNED && !work.first()) {
      work.refuse(ErrorCode.NOT_COORDINATOR, effects);
      return;
    }
    try {
      work.run(machine, now, effects);
    } catch (RuntimeException e) {
      LOG.error("A defect in the coordinator of {}", name, e);
      work.refuse(ErrorCode.UNKNOWN_SERVER_ERROR, effects);
    }
  }

  private void append(List<Write<R, E>> writes) {
    if (writes.isEmpty()) {
      return;
    }
    ShardWriter<M, R, E> to = writer;
    if (to == null) {
      throw new IllegalStateException("a write before " + name + " is loaded");
    }
    to.append(writes, clock.get().wallMs());
  }
}
