package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.transaction.TransactionCoordinator.InitResult;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.coordinator.Deadlines;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.ShardEffects.Write;
import io.takhin.coordinator.transaction.Effects.Markers;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A coordinator, its log, three partitions and a network that delays, repeats, reorders and loses,
/// all out of one seed. Requests and markers of the classic generation never come late: that
/// protocol cannot tell them from those of the next transaction (KIP-890 came because of it).
final class Simulation {
  private static final TransactionRecordCodec CODEC = new TransactionRecordCodec();
  static final int PARTITIONS = 3;
  static final int TXN_TIMEOUT_MS = 3_000;
  private static final int APPEND_TIMEOUT_MS = 5_000;

  private record Event(long atMs, long order, Runnable body) {}

  private record Stored(byte[] key, byte @Nullable [] value) {}

  /// What the state machine is asked.
  interface Request<T> {
    void ask(TransactionStateMachine machine, Now now, CompletableFuture<T> to, Effects out);
  }

  final Random random;
  final List<SimulatedPartition> partitions = new ArrayList<>();
  final StringBuilder trace = new StringBuilder();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(
          (a, b) ->
              a.atMs != b.atMs ? Long.compare(a.atMs, b.atMs) : Long.compare(a.order, b.order));
  private final Set<String> classic = new HashSet<>();
  private final TransactionCounters counters = new TransactionCounters();
  private final List<Stored> log = new ArrayList<>();
  private int safe;
  private long order;
  private long nextProducerId = 1;
  private int coordinatorEpoch;
  private @Nullable TransactionStateMachine machine;
  private boolean calm;
  long nowMs = 1_000;

  Simulation(long seed) {
    random = new Random(seed);
    for (int i = 0; i < PARTITIONS; i++) {
      partitions.add(new SimulatedPartition());
    }
    recover();
  }

  /// The producers of an id are of the classic generation.
  void classic(String id) {
    classic.add(id);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  boolean calm() {
    return calm;
  }

  void after(long delayMs, Runnable body) {
    events.add(new Event(nowMs + delayMs, order++, body));
  }

  /// Runs until a time, then without losses or kills until nothing is left to do.
  void run(long chaosMs) {
    scheduleKill();
    runUntil(nowMs + chaosMs);
    calm = true;
    runUntil(nowMs + 60_000);
  }

  private void runUntil(long endMs) {
    Event next = events.peek();
    while (next != null && next.atMs() <= endMs) {
      events.remove();
      nowMs = Math.max(nowMs, next.atMs());
      next.body().run();
      next = events.peek();
    }
    nowMs = endMs;
  }

  // The network.

  private long delayMs() {
    return chance(0.05) ? random.nextInt(4_000) : random.nextInt(20);
  }

  /// Delivers once, twice or never.
  void send(Runnable delivery) {
    if (calm) {
      after(random.nextInt(5), delivery);
      return;
    }
    if (!chance(0.05)) {
      after(delayMs(), delivery);
    }
    if (chance(0.1)) {
      after(delayMs(), delivery);
    }
  }

  /// The same, or at once if nothing may come late; then at most it is lost.
  private void send(boolean late, Runnable delivery) {
    if (late) {
      send(delivery);
    } else if (calm || !chance(0.1)) {
      delivery.run();
    }
  }

  /// Asks the coordinator; the answer may get lost.
  ///
  /// @param late whether the request may be repeated, lost or come late
  <T> void ask(boolean late, Request<T> request, Consumer<T> answered) {
    Runnable delivery =
        () -> {
          CompletableFuture<T> to = new CompletableFuture<>();
          var _ = to.thenAccept(answer -> send(() -> answered.accept(answer)));
          input((at, now, out) -> request.ask(at, now, to, out));
        };
    if (late) {
      send(delivery);
    } else {
      delivery.run();
    }
  }

  // The coordinator.

  private interface Input {
    void run(TransactionStateMachine to, Now now, Effects out);
  }

  private Now now() {
    return new Now(nowMs, nowMs);
  }

  private void input(Input input) {
    TransactionStateMachine to = machine;
    if (to != null) {
      input(to, input);
    }
  }

  private void input(TransactionStateMachine to, Input input) {
    if (to != machine) {
      return; // of a coordinator that is gone
    }
    Effects out = new Effects();
    input.run(to, now(), out);
    if (to.nextDeadlineMs() <= nowMs) {
      to.expire(now(), out);
    }
    for (Write<TransactionRecord, Effects> write : out.takeWrites()) {
      append(to, write);
    }
    out.takeAnswers().forEach(Effects.Answer::give);
    out.takeMarkers().forEach(each -> deliver(to, each));
    long deadline = to.nextDeadlineMs();
    if (deadline != Deadlines.NEVER) {
      after(Math.max(0, deadline - nowMs), () -> input(to, (at, now, effects) -> {}));
    }
  }

  private void append(TransactionStateMachine by, Write<TransactionRecord, Effects> write) {
    trace.append(nowMs).append(' ').append(write.records().getFirst()).append('\n');
    boolean fails = !calm && chance(0.02);
    if (fails && chance(0.5)) {
      after(
          random.nextInt(5),
          () ->
              input(
                  by,
                  (to, now, out) -> write.then().settled(ErrorCode.NOT_ENOUGH_REPLICAS, now, out)));
      return;
    }
    log.add(
        new Stored(CODEC.key(write.records().getFirst()), CODEC.value(write.records().getFirst())));
    int end = log.size();
    if (fails) {
      after(
          APPEND_TIMEOUT_MS,
          () ->
              input(
                  by,
                  (to, now, out) -> write.then().settled(ErrorCode.REQUEST_TIMED_OUT, now, out)));
      return;
    }
    after(
        1 + random.nextInt(4),
        () ->
            input(
                by,
                (to, now, out) -> {
                  safe = Math.max(safe, end);
                  write.then().settled(ErrorCode.NONE, now, out);
                }));
  }

  private void deliver(TransactionStateMachine by, Markers markers) {
    Set<TxnPartition> missing = new HashSet<>(markers.partitions());
    for (TxnPartition each : markers.partitions()) {
      deliver(by, markers, each, missing);
    }
  }

  private void deliver(
      TransactionStateMachine by, Markers markers, TxnPartition to, Set<TxnPartition> missing) {
    if (!missing.contains(to)) {
      return;
    }
    boolean late = !classic.contains(markers.transactionalId());
    send(
        late,
        () -> {
          ErrorCode error = partitions.get(to.partition()).end(markers);
          if (error == ErrorCode.NONE || error == ErrorCode.INVALID_PRODUCER_EPOCH) {
            send(
                late,
                () -> {
                  if (missing.remove(to) && missing.isEmpty()) {
                    input(by, (at, now, out) -> at.markersWritten(now, markers, out));
                  }
                });
          }
        });
    // A coordinator that is gone may still have markers on their way, but it sends no more.
    after(
        200,
        () -> {
          if (by == machine) {
            deliver(by, markers, to, missing);
          }
        });
  }

  private void scheduleKill() {
    after(
        500 + random.nextInt(4_000),
        () -> {
          if (!calm) {
            machine = null;
            while (log.size() > safe && chance(0.5)) {
              log.removeLast();
            }
            after(random.nextInt(300), this::recover);
            scheduleKill();
          }
        });
  }

  private void recover() {
    if (machine != null) {
      return;
    }
    TransactionStateMachine fresh =
        new TransactionStateMachine(
            ServiceHarness.DEFAULTS, coordinatorEpoch++, () -> nextProducerId++, counters);
    safe = log.size();
    for (Stored each : log) {
      TransactionRecord record =
          CODEC.decode(
              ByteBuffer.wrap(each.key()),
              each.value() == null ? null : ByteBuffer.wrap(each.value()));
      if (record == null) {
        throw new AssertionError("a record that cannot be read");
      }
      fresh.replay(record);
    }
    machine = fresh;
    input(fresh, (to, now, out) -> to.loaded(now, out));
  }

  /// The state of an id in the end.
  @Nullable Transaction transaction(String id) {
    TransactionStateMachine at = machine;
    return at == null ? null : at.transaction(id);
  }

  // Partitions.

  /// A produce: verified by the coordinator before the first write of a transaction.
  void produce(
      boolean late,
      boolean second,
      String id,
      InitResult as,
      int index,
      String transaction,
      String write,
      Consumer<ErrorCode> answered) {
    Runnable delivery =
        () -> {
          SimulatedPartition partition = partitions.get(index);
          Consumer<ErrorCode> answer = error -> send(() -> answered.accept(error));
          if (partition.transactionOpen(as.producerId(), as.producerEpoch())) {
            answer.accept(
                partition.append(as.producerId(), as.producerEpoch(), transaction, write, -1));
            return;
          }
          int guard = partition.guard(as.producerId());
          Consumer<ErrorCode> verified =
              error ->
                  after(
                      random.nextInt(calm ? 2 : 30),
                      () ->
                          answer.accept(
                              error != ErrorCode.NONE
                                  ? error
                                  : partition.append(
                                      as.producerId(),
                                      as.producerEpoch(),
                                      transaction,
                                      write,
                                      guard)));
          verify(second, id, as, new TxnPartition("orders", index), verified);
        };
    if (late) {
      send(delivery);
    } else {
      delivery.run();
    }
  }

  private void verify(
      boolean second, String id, InitResult as, TxnPartition at, Consumer<ErrorCode> verified) {
    if (second) {
      CompletableFuture<ErrorCode> to = new CompletableFuture<>();
      var _ = to.thenAccept(verified);
      input(
          (machine, now, out) ->
              machine.add(now, id, as.producerId(), as.producerEpoch(), List.of(at), to, out));
    } else {
      CompletableFuture<List<ErrorCode>> to = new CompletableFuture<>();
      var _ = to.thenAccept(errors -> verified.accept(errors.getFirst()));
      input(
          (machine, now, out) ->
              machine.verify(now, id, as.producerId(), as.producerEpoch(), List.of(at), to, out));
    }
  }
}
