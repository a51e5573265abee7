package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.coordinator.transaction.Effects.Answer;
import io.takhin.coordinator.transaction.Effects.Markers;
import io.takhin.coordinator.transaction.Effects.Write;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One partition of `__transaction_state` under one leader epoch: the gate before its state
/// machine, and the way of the machine's effects into the log and back.
///
/// The gate combines: whoever finds it free runs its own work and then all that others left there
/// meanwhile; whoever finds it taken leaves its work and goes. Nobody waits. All records of one
/// pass go into one batch, so that transactions which end together are written together.
///
/// ```
/// submit -> queue -> [ machine, one input after the other ] -> Effects
///                                                              | writes: one batch, append
///                                                              | answers: futures complete
///                                                              | markers: MarkerWriter
///            queue <- settled(writes) <- PartitionAppend.done -+
/// ```
///
/// Threads: any. Acknowledgements of appends come back through the gate, also when they come while
/// append is still running. Futures are completed by the thread that holds the gate.
final class TransactionShard {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionShard.class);

  private static final int APPEND_TIMEOUT_MS = 5_000;

  /// What a record takes in a batch besides key and value, at most.
  private static final int RECORD_OVERHEAD_BYTES = 36;

  /// Something to do behind the gate.
  interface Input {
    void run(TransactionStateMachine machine, Now now, Effects out);
  }

  /// How to answer when it is not done.
  interface Refusal {
    void refuse(ErrorCode error, Effects out);
  }

  /// Work for the gate.
  record Work(Input input, Refusal refusal) {
    static Work internal(Input input) {
      return new Work(input, (error, out) -> {});
    }
  }

  /// Who writes markers into the logs of users.
  interface MarkerSink {
    void write(TransactionShard shard, Markers markers);
  }

  /// Where the shard is in its life.
  enum Phase {
    /// Reading its partition.
    LOADING,
    /// In charge.
    ACTIVE,
    /// No longer in charge.
    RESIGNED
  }

  private final int index;
  private final int leaderEpoch;
  private final TransactionStateMachine machine;
  private final Supplier<Now> clock;
  private final Runnable deadlineChanged;
  private final MarkerSink markerSink;

  private final Queue<Work> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger pending = new AtomicInteger();

  private final Effects effects = new Effects();
  private @Nullable Partition partition;
  private int maxBatchBytes = 1 << 20;

  private volatile Phase phase = Phase.LOADING;
  private volatile @Nullable String trouble;
  private volatile long nextDeadlineMs = Alarm.NEVER;

  /// A shard that has yet to be loaded.
  ///
  /// @param deadlineChanged told when [#nextDeadlineMs] is earlier than before
  TransactionShard(
      int index,
      int leaderEpoch,
      TransactionStateMachine machine,
      Supplier<Now> clock,
      Runnable deadlineChanged,
      MarkerSink markerSink) {
    this.index = index;
    this.leaderEpoch = leaderEpoch;
    this.machine = machine;
    this.clock = clock;
    this.deadlineChanged = deadlineChanged;
    this.markerSink = markerSink;
  }

  int index() {
    return index;
  }

  int leaderEpoch() {
    return leaderEpoch;
  }

  Phase phase() {
    return phase;
  }

  /// Why it does not get loaded; null while nothing is wrong.
  @Nullable String trouble() {
    return trouble;
  }

  void trouble(@Nullable String message) {
    trouble = message;
  }

  /// For what may be read from any thread, and for the loader before [#activate].
  TransactionStateMachine machine() {
    return machine;
  }

  long nextDeadlineMs() {
    return nextDeadlineMs;
  }

  /// The machine has replayed the partition.
  void activate(Partition loaded, int maxMessageBytes) {
    submit(
        Work.internal(
            (machine, now, out) -> {
              if (phase == Phase.LOADING) {
                partition = loaded;
                maxBatchBytes = maxMessageBytes;
                machine.loaded(now, out);
                phase = Phase.ACTIVE;
                trouble = null;
              }
            }));
  }

  /// Ends it. Who waits is answered; appends under way still settle.
  void resign(ErrorCode error) {
    submit(
        Work.internal(
            (machine, now, out) -> {
              phase = Phase.RESIGNED;
              machine.resign(error, out);
            }));
  }

  /// Looks whether deadlines are due.
  void tick() {
    submit(Work.internal((machine, now, out) -> {}));
  }

  /// Has work done: by this thread, or by the one that holds the gate.
  void submit(Work work) {
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
        run(queue.remove(), now);
      }
      if (phase == Phase.ACTIVE && machine.nextDeadlineMs() <= now.monotonicMs()) {
        run(Work.internal(TransactionStateMachine::expire), now);
      }
      append(effects.takeWrites());
      for (Answer<?> answer : effects.takeAnswers()) {
        answer.give();
      }
      for (Markers markers : effects.takeMarkers()) {
        markerSink.write(this, markers);
      }
      publishDeadline();
      count = pending.addAndGet(-count);
    } while (count != 0);
  }

  private void publishDeadline() {
    long next = phase == Phase.ACTIVE ? machine.nextDeadlineMs() : Alarm.NEVER;
    long before = nextDeadlineMs;
    if (next != before) {
      nextDeadlineMs = next;
      if (next < before) {
        deadlineChanged.run();
      }
    }
  }

  private void run(Work work, Now now) {
    if (phase == Phase.RESIGNED && !(work.input() instanceof Settlement)) {
      work.refusal().refuse(ErrorCode.NOT_COORDINATOR, effects);
      return;
    }
    try {
      work.input().run(machine, now, effects);
    } catch (RuntimeException e) {
      LOG.error("A defect in the coordinator of __transaction_state-{}", index, e);
      work.refusal().refuse(ErrorCode.UNKNOWN_SERVER_ERROR, effects);
    }
  }

  // Writing.

  private void append(List<Write> writes) {
    if (writes.isEmpty()) {
      return;
    }
    Partition to = partition;
    if (to == null) {
      throw new IllegalStateException("a write before __transaction_state-" + index + " is loaded");
    }
    long timestampMs = clock.get().wallMs();
    RecordBatchBuilder builder = new RecordBatchBuilder();
    List<Write> inBatch = new ArrayList<>(writes.size());
    for (Write write : writes) {
      byte[] key;
      byte[] value;
      try {
        key = RecordCodec.key(write.record());
        value = RecordCodec.value(write.record());
      } catch (RuntimeException e) {
        LOG.error("A record for __transaction_state-{} cannot be encoded", index, e);
        settleLater(List.of(write), ErrorCode.UNKNOWN_SERVER_ERROR);
        continue;
      }
      int size = key.length + (value == null ? 0 : value.length) + RECORD_OVERHEAD_BYTES;
      if (size > maxBatchBytes - RecordBatch.HEADER_BYTES) {
        settleLater(List.of(write), ErrorCode.MESSAGE_TOO_LARGE);
        continue;
      }
      if (builder.count() > 0 && builder.sizeBytes() + size > maxBatchBytes) {
        send(to, builder, inBatch);
        builder = new RecordBatchBuilder();
        inBatch = new ArrayList<>();
      }
      builder.add(timestampMs, key, value);
      inBatch.add(write);
    }
    if (builder.count() > 0) {
      send(to, builder, inBatch);
    }
  }

  private void send(Partition to, RecordBatchBuilder builder, List<Write> writes) {
    BatchAppend append = new BatchAppend(builder.build(), writes);
    try {
      to.append(append);
    } catch (RuntimeException e) {
      LOG.error("An append to __transaction_state-{} threw", index, e);
      append.done(ErrorCode.UNKNOWN_SERVER_ERROR, -1, -1, -1, e.getMessage());
    }
  }

  private void settleLater(List<Write> writes, ErrorCode error) {
    submit(Work.internal(new Settlement(writes, error)));
  }

  private final class BatchAppend extends PartitionAppend {
    private final List<Write> writes;
    private final AtomicBoolean answered = new AtomicBoolean();

    BatchAppend(ByteBuffer records, List<Write> writes) {
      super(records, (short) -1, APPEND_TIMEOUT_MS, Origin.COORDINATOR);
      this.writes = writes;
    }

    @Override
    public void done(
        ErrorCode error,
        long baseOffset,
        long logAppendTimeMs,
        long logStartOffset,
        @Nullable String message) {
      if (!answered.compareAndSet(false, true)) {
        return;
      }
      if (error != ErrorCode.NONE) {
        LOG.warn("An append to __transaction_state-{} failed: {}: {}", index, error, message);
      }
      settleLater(writes, error);
    }
  }

  /// The outcome of a batch, coming in through the gate.
  private final class Settlement implements Input {
    private final List<Write> writes;
    private final ErrorCode error;

    Settlement(List<Write> writes, ErrorCode error) {
      this.writes = writes;
      this.error = error;
    }

    @Override
    public void run(TransactionStateMachine machine, Now now, Effects out) {
      for (Write each : writes) {
        try {
          each.then().settled(error, now, out);
        } catch (RuntimeException e) {
          // One write's defect must not keep the others of its batch from their answers.
          LOG.error("A defect in the coordinator of __transaction_state-{}", index, e);
        }
      }
    }
  }
}
