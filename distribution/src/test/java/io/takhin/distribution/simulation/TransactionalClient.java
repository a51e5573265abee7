package io.takhin.distribution.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.PartitionResult;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.InitResult;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.distribution.simulation.TransactionLedger.Txn;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A transactional producer of either generation: writes to some partitions, often sends an offset,
/// ends, over and over. It repeats what is not answered, and the network repeats more, late. Now
/// and then it sleeps past its timeout, dies, or is replaced while it lives on.
///
/// What the classic generation sends to coordinators is not repeated late by the network: that
/// protocol cannot tell it from the next transaction's (KIP-890 came because of it).
final class TransactionalClient {
  private static final int TXN_TIMEOUT_MS = 4_000;
  private static final int LATE_MS = 3_000;
  private static final int TRIES = 12;
  private static final int MAX_FILL = 300;
  private static final int TRANSACTIONAL = 0x10;

  private final BrokerSimulation world;
  private final TransactionLedger ledger;
  private final Seat seat;
  private final String name;
  private final boolean second;
  private final Map<String, Integer> sequences = new HashMap<>();
  private final Set<String> included = new HashSet<>();
  private long producerId = -1;
  private short epoch = -1;
  private long nextRecord;

  /// What the producers of one transactional id have in common: who came last.
  static final class Seat {
    final String id;
    private int producers;
    private @Nullable TransactionalClient newest;

    Seat(String id) {
      this.id = id;
    }
  }

  /// How a step went.
  private enum Step {
    DONE,
    /// The transaction must be aborted; this producer goes on.
    ABORT,
    /// Nobody knows: aborted, and begun anew under another epoch.
    RESTART,
    /// Somebody else has the id, or the coordinator took it away.
    FENCED
  }

  TransactionalClient(BrokerSimulation world, Seat seat, boolean second) {
    this.world = world;
    this.ledger = world.transactions();
    this.seat = seat;
    this.second = second;
    this.name = seat.id + "." + ++seat.producers;
  }

  static String group(String transactionalId) {
    return "group-of-" + transactionalId;
  }

  static final String INPUT = SimulationSettings.DURABLE + "-0";

  void run() {
    seat.newest = this;
    while (!world.over() && init()) {
      Step last = Step.DONE;
      while (!world.over() && last == Step.DONE) {
        world.sleepMs(world.random().nextInt(200));
        if (world.chance(0.02)) {
          world.note(name + " dies");
          successor(world.random().nextInt(2_000));
          return;
        }
        if (world.chance(0.02) && seat.newest == this) {
          world.note(name + " is replaced and lives on");
          successor(0);
        }
        last = transaction();
      }
      if (last == Step.FENCED) {
        producerId = -1;
        epoch = -1;
      }
      if (seat.newest != this) {
        world.note(name + " ends: there is a newer one");
        return;
      }
    }
  }

  private void successor(int delayMs) {
    TransactionalClient next = new TransactionalClient(world, seat, second);
    seat.newest = next;
    world.start(
        next.name,
        () -> {
          world.sleepMs(delayMs);
          next.run();
        });
  }

  /// Becomes the producer of the id.
  ///
  /// @return false if that is over
  private boolean init() {
    while (!world.over()) {
      PartitionResult unused =
          world.ask(name, (b, to) -> b.groups().partitionFor(group(seat.id)).thenAccept(to));
      TransactionCoordinator.PartitionResult found =
          world.ask(name, (b, to) -> b.transactions().partitionFor(seat.id).thenAccept(to));
      long knownId = producerId;
      short knownEpoch = epoch;
      InitResult result =
          unused == null || found == null
              ? null
              : world.ask(
                  name,
                  (b, to) ->
                      b.transactions()
                          .init(seat.id, TXN_TIMEOUT_MS, knownId, knownEpoch)
                          .thenAccept(to));
      if (result != null && result.error() == ErrorCode.NONE) {
        begins(result);
        return true;
      }
      if (result != null && fatal(result.error())) {
        if (seat.newest != this) {
          return false;
        }
        producerId = -1;
        epoch = -1;
      } else if (result != null && !again(result.error())) {
        throw new AssertionError(name + " cannot begin: " + result);
      }
      world.sleepMs(20 + world.random().nextInt(200));
    }
    return false;
  }

  private void begins(InitResult as) {
    if (as.producerId() != producerId || as.producerEpoch() != epoch) {
      sequences.clear();
    }
    producerId = as.producerId();
    epoch = as.producerEpoch();
    included.clear();
  }

  private Step transaction() {
    Txn txn = ledger.begin(seat.id);
    List<String> all = new ArrayList<>(world.stablePartitions());
    int rounds = 1 + world.random().nextInt(2);
    for (int round = 0; round < rounds; round++) {
      List<Batch> batches = new ArrayList<>();
      int count = 1 + world.random().nextInt(3);
      int first = world.random().nextInt(all.size());
      for (int i = 0; i < count; i++) {
        batches.add(batch(txn, all.get((first + i) % all.size())));
      }
      Step step = produce(batches);
      if (step != Step.DONE) {
        return giveUp(txn, step);
      }
      if (world.chance(0.02)) {
        world.sleepMs(TXN_TIMEOUT_MS + world.random().nextInt(4_000));
      }
    }
    if (world.chance(0.5)) {
      Step step = sendOffsets(txn);
      if (step != Step.DONE) {
        return giveUp(txn, step);
      }
    }
    return end(txn, world.chance(0.7));
  }

  private Step giveUp(Txn txn, Step why) {
    world.note(name + " gives up " + txn + ": " + why);
    if (why == Step.FENCED || world.over()) {
      return why;
    }
    Step ended = end(txn, false);
    return ended == Step.DONE && second && why == Step.ABORT ? Step.DONE : worse(ended);
  }

  private static Step worse(Step ended) {
    return ended == Step.FENCED ? Step.FENCED : Step.RESTART;
  }

  // Produce.

  private static final class Batch {
    final String partition;
    final String key;
    final int sequence;
    final int fill;
    CompletableFuture<@Nullable ErrorCode> outcome = new CompletableFuture<>();
    boolean acknowledged;

    Batch(String partition, String key, int sequence, int fill) {
      this.partition = partition;
      this.key = key;
      this.sequence = sequence;
      this.fill = fill;
    }
  }

  private Batch batch(Txn txn, String partition) {
    String key = name + ":" + nextRecord++;
    ledger.writes(txn, key);
    int sequence = sequences.merge(partition, 1, Integer::sum) - 1;
    return new Batch(partition, key, sequence, world.random().nextInt(MAX_FILL));
  }

  private Step produce(List<Batch> batches) {
    for (int tries = 0; tries < TRIES && !world.over(); tries++) {
      Step worst = Step.DONE;
      boolean left = false;
      for (Batch batch : batches) {
        if (!batch.acknowledged) {
          ErrorCode included = second ? ErrorCode.NONE : include(batch.partition);
          if (included == ErrorCode.NONE) {
            send(batch);
          } else if (included != null && fatal(included)) {
            return Step.FENCED;
          } else {
            batch.outcome.complete(null);
          }
        }
      }
      for (Batch batch : batches) {
        if (!batch.acknowledged) {
          Step step = settle(batch);
          worst = step.compareTo(worst) > 0 ? step : worst;
          left |= !batch.acknowledged;
        }
      }
      if (worst != Step.DONE || !left) {
        return worst;
      }
      world.sleepMs(20 + world.random().nextInt(200));
    }
    return Step.RESTART;
  }

  /// The classic generation adds partitions before it writes.
  private @Nullable ErrorCode include(String partition) {
    if (included.contains(partition)) {
      return ErrorCode.NONE;
    }
    OffsetKey key = BrokerSimulation.key(partition);
    List<ErrorCode> errors =
        world.ask(
            name,
            (b, to) ->
                b.transactions()
                    .addPartitions(
                        seat.id,
                        producerId,
                        epoch,
                        List.of(new TxnPartition(key.topic(), key.partition())))
                    .thenAccept(to));
    ErrorCode error = errors == null ? null : errors.getFirst();
    if (error == ErrorCode.NONE) {
      included.add(partition);
    }
    return error;
  }

  private Step settle(Batch batch) {
    ErrorCode error = batch.outcome.join();
    if (error == ErrorCode.NONE || error == ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      batch.acknowledged = true;
      return Step.DONE;
    }
    if (error == null || again(error)) {
      return Step.DONE;
    }
    if (error == ErrorCode.TRANSACTION_ABORTABLE) {
      return Step.ABORT;
    }
    if (error == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER || error == ErrorCode.UNKNOWN_PRODUCER_ID) {
      return Step.RESTART;
    }
    if (fatal(error)) {
      return Step.FENCED;
    }
    throw new AssertionError(name + " was refused: " + error);
  }

  private void send(Batch batch) {
    CompletableFuture<@Nullable ErrorCode> to = new CompletableFuture<>();
    batch.outcome = to;
    long asId = producerId;
    short asEpoch = epoch;
    BiConsumer<SimulatedBroker, Consumer<ErrorCode>> request =
        (broker, reply) -> {
          Partition partition = world.partition(broker, batch.partition);
          if (partition == null) {
            reply.accept(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
          } else {
            partition.append(new Produce(broker, batch, asId, asEpoch, reply));
          }
        };
    world.ask(name + "/" + batch.partition, to, request);
    late(0.1, request);
  }

  private final class Produce extends PartitionAppend {
    private final SimulatedBroker broker;
    private final Batch batch;
    private final Consumer<ErrorCode> reply;

    Produce(
        SimulatedBroker broker, Batch batch, long asId, short asEpoch, Consumer<ErrorCode> reply) {
      super(bytes(batch, asId, asEpoch), (short) -1, 2_000, Origin.CLIENT);
      this.broker = broker;
      this.batch = batch;
      this.reply = reply;
    }

    @Override
    public String transactionalId() {
      return seat.id;
    }

    @Override
    public boolean joinsTransaction() {
      return second;
    }

    @Override
    public void done(
        ErrorCode error,
        long baseOffset,
        long logAppendTimeMs,
        long logStartOffset,
        @Nullable String message) {
      // A coordinator that lost its records may give the same epoch twice.
      if (error == ErrorCode.NONE && broker.process().alive() && !ledger.suspended()) {
        world.ledger(batch.partition).learn(baseOffset, batch.key);
      }
      reply.accept(error);
    }
  }

  private ByteBuffer bytes(Batch batch, long asId, short asEpoch) {
    world.ledger(batch.partition).stamped(batch.key, world.wallMs());
    return new RecordBatchBuilder()
        .producer(asId, asEpoch, batch.sequence)
        .attributes(TRANSACTIONAL)
        .add(world.wallMs(), batch.key.getBytes(UTF_8), new byte[batch.fill])
        .build();
  }

  /// The network delivers a request once more, later.
  private <T> void late(double chance, BiConsumer<SimulatedBroker, Consumer<T>> request) {
    if (world.chance(chance)) {
      world.after(
          world.random().nextInt(LATE_MS),
          () -> world.ask(name + "/late", new CompletableFuture<@Nullable T>(), request));
    }
  }

  // Offsets and the end.

  private Step sendOffsets(Txn txn) {
    ledger.sendsOffsets(txn);
    OffsetKey key = BrokerSimulation.key(INPUT);
    OffsetToCommit offset =
        new OffsetToCommit(null, key.topic(), key.partition(), txn.number, -1, "");
    TxnCommitRequest commit =
        new TxnCommitRequest(
            seat.id, group(seat.id), producerId, epoch, -1, "", null, List.of(offset));
    BiConsumer<SimulatedBroker, Consumer<ErrorCode>> request =
        (b, to) ->
            b.transactions()
                .addOffsets(seat.id, commit.producerId(), commit.producerEpoch(), commit.groupId())
                .thenCompose(
                    error ->
                        error == ErrorCode.NONE
                            ? b.groups()
                                .commitTransactionalOffsets(commit)
                                .thenApply(List::getFirst)
                            : CompletableFuture.completedFuture(error))
                .thenAccept(to);
    for (int tries = 0; tries < TRIES && !world.over(); tries++) {
      CompletableFuture<@Nullable ErrorCode> answer = new CompletableFuture<>();
      world.ask(name, answer, request);
      if (second) {
        late(0.1, request);
      }
      ErrorCode error = answer.join();
      if (error == ErrorCode.NONE) {
        return Step.DONE;
      }
      if (error == ErrorCode.TRANSACTION_ABORTABLE) {
        return Step.ABORT;
      }
      if (error != null && fatal(error)) {
        return Step.FENCED;
      }
      if (error != null && !again(error)) {
        throw new AssertionError(name + " cannot send offsets: " + error);
      }
      world.sleepMs(20 + world.random().nextInt(200));
    }
    return Step.RESTART;
  }

  private Step end(Txn txn, boolean commit) {
    long asId = producerId;
    short asEpoch = epoch;
    BiConsumer<SimulatedBroker, Consumer<InitResult>> request =
        (b, to) -> b.transactions().end(seat.id, asId, asEpoch, commit, second).thenAccept(to);
    while (!world.over()) {
      CompletableFuture<@Nullable InitResult> answer = new CompletableFuture<>();
      world.ask(name, answer, request);
      if (second) {
        late(0.1, request);
      }
      InitResult result = answer.join();
      if (result != null && result.error() == ErrorCode.NONE) {
        ledger.told(txn, commit);
        world.note(name + " ended " + txn);
        if (second) {
          begins(result);
        }
        included.clear();
        return Step.DONE;
      }
      if (result != null && result.error() == ErrorCode.TRANSACTION_ABORTABLE && commit) {
        return giveUp(txn, Step.ABORT);
      }
      if (result != null && fatal(result.error())) {
        world.note(name + " lost " + txn + ": " + result.error());
        return Step.FENCED;
      }
      if (result != null && !again(result.error())) {
        throw new AssertionError(name + " cannot end " + txn + ": " + result);
      }
      world.sleepMs(20 + world.random().nextInt(200));
    }
    return Step.FENCED;
  }

  private static boolean fatal(ErrorCode error) {
    return switch (error) {
      case PRODUCER_FENCED,
          INVALID_PRODUCER_EPOCH,
          INVALID_PRODUCER_ID_MAPPING,
          INVALID_TXN_STATE ->
          true;
      default -> false;
    };
  }

  /// Errors after which a producer asks again.
  private static boolean again(ErrorCode error) {
    return switch (error) {
      case CONCURRENT_TRANSACTIONS,
          COORDINATOR_NOT_AVAILABLE,
          COORDINATOR_LOAD_IN_PROGRESS,
          NOT_COORDINATOR,
          NOT_ENOUGH_REPLICAS,
          NOT_ENOUGH_REPLICAS_AFTER_APPEND,
          NOT_LEADER_OR_FOLLOWER,
          UNKNOWN_TOPIC_OR_PARTITION,
          REQUEST_TIMED_OUT,
          UNKNOWN_SERVER_ERROR,
          KAFKA_STORAGE_ERROR ->
          true;
      default -> false;
    };
  }
}
