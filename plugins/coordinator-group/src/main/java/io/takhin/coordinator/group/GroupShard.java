package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.coordinator.group.Effects.Answer;
import io.takhin.coordinator.group.Effects.TxnMarker;
import io.takhin.coordinator.group.Effects.TxnProducer;
import io.takhin.coordinator.group.Effects.Write;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One partition of `__consumer_offsets` under one leader epoch: the gate before its state machine,
/// and the way of the machine's effects into the log and back.
///
/// The gate combines: whoever finds it free runs its own work and then all that others left there
/// meanwhile; whoever finds it taken leaves its work and goes. Nobody waits. All records of one
/// pass go into one batch, so that commits which arrive together are written together.
///
/// ```
/// submit -> queue -> [ machine, one input after the other ] -> Effects
///                                                              | writes: one batch, append
///                                                              | answers: futures complete
///            queue <- settled(writes) <- PartitionAppend.done -+
/// ```
///
/// Threads: any. Acknowledgements of appends come back through the gate, also when they come while
/// append is still running. Futures are completed by the thread that holds the gate.
final class GroupShard {
  private static final Logger LOG = LoggerFactory.getLogger(GroupShard.class);

  /// As `offsets.commit.timeout.ms` of Kafka.
  private static final int APPEND_TIMEOUT_MS = 5_000;

  /// Coordinators number no batches: they send nothing twice.
  private static final int NO_SEQUENCE = -1;

  /// The attribute of batches that are part of a transaction.
  private static final int TRANSACTIONAL = 0x10;

  /// What a record takes in a batch besides key and value, at most.
  private static final int RECORD_OVERHEAD_BYTES = 36;

  /// Something to do behind the gate.
  interface Input {
    void run(GroupStateMachine machine, Now now, Effects out);
  }

  /// How to answer when it is not done.
  interface Refusal {
    void refuse(ErrorCode error, Effects out);
  }

  /// Work for the gate.
  ///
  /// @param whenQuiet whether it needs a moment in which no write is under way; what comes after it
  ///     then waits behind it
  record Work(Input input, Refusal refusal, boolean whenQuiet) {
    static Work internal(Input input) {
      return new Work(input, (error, out) -> {}, false);
    }
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

  /// A write on its way; behind the gate only.
  private static final class PendingWrite {
    final Write write;
    int batches;
    ErrorCode error = ErrorCode.NONE;

    PendingWrite(Write write) {
      this.write = write;
    }
  }

  private final int index;
  private final int leaderEpoch;
  private final GroupStateMachine machine;
  private final Supplier<Now> clock;
  private final Runnable deadlineChanged;

  private final Queue<Work> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger pending = new AtomicInteger();

  private final Effects effects = new Effects();
  private final Deque<Work> parked = new ArrayDeque<>();
  private int inFlight;
  private @Nullable Partition partition;
  private int maxBatchBytes = 1 << 20;

  private volatile Phase phase = Phase.LOADING;
  private volatile @Nullable String trouble;
  private volatile long nextDeadlineMs = Deadlines.NEVER;

  /// A shard that has yet to be loaded.
  ///
  /// @param deadlineChanged told when [#nextDeadlineMs] is earlier than before
  GroupShard(
      int index,
      int leaderEpoch,
      GroupStateMachine machine,
      Supplier<Now> clock,
      Runnable deadlineChanged) {
    this.index = index;
    this.leaderEpoch = leaderEpoch;
    this.machine = machine;
    this.clock = clock;
    this.deadlineChanged = deadlineChanged;
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
  GroupStateMachine machine() {
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
              for (Work work : parked) {
                work.refusal().refuse(error, out);
              }
              parked.clear();
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
        take(queue.remove(), now);
      }
      resumeParked(now);
      if (phase == Phase.ACTIVE && machine.nextDeadlineMs() <= now.monotonicMs()) {
        run(Work.internal(GroupStateMachine::expire), now);
      }
      append(effects.takeWrites());
      for (Answer<?> answer : effects.takeAnswers()) {
        answer.give();
      }
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

  private void take(Work work, Now now) {
    boolean internal = work.input() instanceof Settlement;
    if (!internal && (!parked.isEmpty() || (work.whenQuiet() && !quiet()))) {
      parked.add(work);
    } else {
      run(work, now);
    }
  }

  private boolean quiet() {
    return inFlight == 0 && effects.nothingToWrite();
  }

  private void resumeParked(Now now) {
    Work next = parked.peek();
    while (next != null && !(next.whenQuiet() && !quiet())) {
      parked.remove();
      run(next, now);
      next = parked.peek();
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
      LOG.error("A defect in the coordinator of __consumer_offsets-{}", index, e);
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
      throw new IllegalStateException("a write before __consumer_offsets-" + index + " is loaded");
    }
    OpenBatch batch = new OpenBatch(to, clock.get().wallMs());
    for (Write write : writes) {
      PendingWrite pendingWrite = new PendingWrite(write);
      TxnMarker marker = write.marker();
      if (marker != null) {
        batch.close();
        sendMarker(to, marker, pendingWrite);
        continue;
      }
      List<Encoded> encoded = encode(write);
      if (encoded == null) {
        settleLater(List.of(pendingWrite), ErrorCode.UNKNOWN_SERVER_ERROR, 0);
      } else if (largest(encoded) > maxBatchBytes - RecordBatch.HEADER_BYTES) {
        settleLater(List.of(pendingWrite), ErrorCode.MESSAGE_TOO_LARGE, 0);
      } else {
        batch.add(pendingWrite, encoded);
      }
    }
    batch.close();
  }

  private static int largest(List<Encoded> encoded) {
    int largest = 0;
    for (Encoded each : encoded) {
      largest = Math.max(largest, each.sizeBytes());
    }
    return largest;
  }

  /// Gathers writes into batches, as many in one as go in. Records of a transaction need batches of
  /// their producer's own.
  private final class OpenBatch {
    private final Partition to;
    private final long timestampMs;
    private RecordBatchBuilder builder = new RecordBatchBuilder();
    private List<PendingWrite> writes = new ArrayList<>();
    private @Nullable TxnProducer producer;

    OpenBatch(Partition to, long timestampMs) {
      this.to = to;
      this.timestampMs = timestampMs;
    }

    void add(PendingWrite write, List<Encoded> encoded) {
      long size = 0;
      for (Encoded each : encoded) {
        size += each.sizeBytes();
      }
      if (!Objects.equals(producer, write.write.producer())
          || builder.sizeBytes() + size > maxBatchBytes) {
        close();
      }
      producer = write.write.producer();
      for (Encoded each : encoded) {
        if (builder.sizeBytes() + each.sizeBytes() > maxBatchBytes) {
          if (!writes.contains(write)) {
            writes.add(write);
          }
          close();
        }
        builder.add(timestampMs, each.key(), each.value());
      }
      writes.add(write);
    }

    void close() {
      if (builder.count() == 0) {
        return;
      }
      TxnProducer of = producer;
      if (of != null) {
        builder.producer(of.id(), of.epoch(), NO_SEQUENCE);
        builder.attributes(TRANSACTIONAL);
      }
      send(to, builder, writes);
      builder = new RecordBatchBuilder();
      writes = new ArrayList<>();
    }
  }

  private @Nullable List<Encoded> encode(Write write) {
    List<Encoded> encoded = new ArrayList<>(write.records().size());
    try {
      for (GroupRecord record : write.records()) {
        encoded.add(new Encoded(RecordCodec.key(record), RecordCodec.value(record)));
      }
      return encoded;
    } catch (RuntimeException e) {
      LOG.error("A record for __consumer_offsets-{} cannot be encoded", index, e);
      return null;
    }
  }

  private record Encoded(byte[] key, byte @Nullable [] value) {
    int sizeBytes() {
      return key.length + (value == null ? 0 : value.length) + RECORD_OVERHEAD_BYTES;
    }
  }

  private void send(Partition to, RecordBatchBuilder builder, List<PendingWrite> writes) {
    for (PendingWrite write : writes) {
      write.batches++;
    }
    inFlight++;
    BatchAppend append = new BatchAppend(builder.build(), writes);
    try {
      to.append(append);
    } catch (RuntimeException e) {
      LOG.error("An append to __consumer_offsets-{} threw", index, e);
      append.done(ErrorCode.UNKNOWN_SERVER_ERROR, -1, -1, -1, e.getMessage());
    }
  }

  private void sendMarker(Partition to, TxnMarker marker, PendingWrite write) {
    write.batches++;
    inFlight++;
    TxnProducer producer = marker.producer();
    CompletableFuture<ErrorCode> written;
    try {
      written =
          to.endTransaction(
              producer.id(),
              producer.epoch(),
              marker.coordinatorEpoch(),
              marker.commit(),
              marker.transactionVersion());
    } catch (RuntimeException e) {
      written = CompletableFuture.failedFuture(e);
    }
    written.whenComplete(
        (error, failure) -> {
          if (failure != null) {
            LOG.error("A marker for __consumer_offsets-{} failed", index, failure);
          }
          settleLater(List.of(write), failure == null ? error : ErrorCode.UNKNOWN_SERVER_ERROR, 1);
        });
  }

  private void settleLater(List<PendingWrite> writes, ErrorCode error, int batches) {
    submit(new Work(new Settlement(writes, error, batches), (refused, out) -> {}, false));
  }

  private final class BatchAppend extends PartitionAppend {
    private final List<PendingWrite> writes;
    private final AtomicBoolean answered = new AtomicBoolean();

    BatchAppend(ByteBuffer records, List<PendingWrite> writes) {
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
        LOG.warn("An append to __consumer_offsets-{} failed: {}: {}", index, error, message);
      }
      settleLater(writes, error, 1);
    }
  }

  /// One write's defect must not keep the others of its batch from their answers.
  private void settled(PendingWrite each, Now now, Effects out) {
    try {
      each.write.then().settled(each.error, now, out);
    } catch (RuntimeException e) {
      LOG.error("A defect in the coordinator of __consumer_offsets-{}", index, e);
    }
  }

  /// The outcome of a batch, coming in through the gate.
  private final class Settlement implements Input {
    private final List<PendingWrite> writes;
    private final ErrorCode error;
    private final int batches;

    Settlement(List<PendingWrite> writes, ErrorCode error, int batches) {
      this.writes = writes;
      this.error = error;
      this.batches = batches;
    }

    @Override
    public void run(GroupStateMachine machine, Now now, Effects out) {
      inFlight -= batches;
      for (PendingWrite each : writes) {
        each.batches -= batches;
        if (error != ErrorCode.NONE) {
          each.error = error;
        }
        if (each.batches == 0) {
          settled(each, now, out);
        }
      }
    }
  }
}
