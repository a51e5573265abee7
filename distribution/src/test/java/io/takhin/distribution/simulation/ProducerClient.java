package io.takhin.distribution.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogAppend.Origin;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// An idempotent producer to one partition: up to five batches in flight on one connection, and
/// again in order what was not acknowledged, as Kafka's does.
final class ProducerClient {
  private static final int IN_FLIGHT = 5;
  private static final int MAX_FILL = 700;

  private final BrokerSimulation world;
  private final String name;
  private final UUID topic;
  private final int index;
  private final PartitionLedger ledger;
  private final ArrayDeque<Batch> inFlight = new ArrayDeque<>();
  private long producerId;
  private long producerSinceNanos;
  private int nextSequence;
  private long nextValue;
  private boolean again;

  ProducerClient(
      BrokerSimulation world, String name, UUID topic, int index, PartitionLedger ledger) {
    this.world = world;
    this.name = name;
    this.topic = topic;
    this.index = index;
    this.ledger = ledger;
  }

  private static final class Batch {
    final int sequence;
    final long firstValue;
    final int count;
    final int fill;
    boolean unseen;
    CompletableFuture<@Nullable Outcome> outcome = new CompletableFuture<>();

    Batch(int sequence, long firstValue, int count, int fill) {
      this.sequence = sequence;
      this.firstValue = firstValue;
      this.count = count;
      this.fill = fill;
    }
  }

  private record Outcome(ErrorCode error, long baseOffset, @Nullable String message) {}

  /// Produces until the simulation, or the topic, is over.
  void run() {
    begin();
    while (!world.over()) {
      // As Kafka's, it sends nothing new while it sends something again: the broker remembers five
      // batches, and the oldest must stay one of them.
      while (!again && inFlight.size() < IN_FLIGHT && (inFlight.isEmpty() || world.chance(0.5))) {
        int count = 1 + world.random().nextInt(3);
        Batch batch = new Batch(nextSequence, nextValue, count, world.random().nextInt(MAX_FILL));
        nextSequence += count;
        nextValue += count;
        inFlight.add(batch);
        send(batch);
      }
      Batch oldest = inFlight.getFirst();
      Outcome outcome = oldest.outcome.join();
      if (acknowledged(outcome)) {
        inFlight.removeFirst();
        again &= !inFlight.isEmpty();
      } else if (!recover()) {
        return;
      }
      world.sleepMs(world.random().nextInt(world.chance(0.05) ? 3_000 : 60));
    }
  }

  private void begin() {
    producerId = world.newProducerId();
    producerSinceNanos = world.nanoTime();
    nextSequence = 0;
    inFlight.clear();
    again = false;
  }

  /// DUPLICATE_SEQUENCE_NUMBER: it was written long ago, and its offset is no longer known.
  private static boolean acknowledged(@Nullable Outcome outcome) {
    return outcome != null
        && (outcome.error == ErrorCode.NONE
            || outcome.error == ErrorCode.DUPLICATE_SEQUENCE_NUMBER);
  }

  /// Waits for all outcomes, then sends again what has none.
  ///
  /// @return false if the topic is gone
  private boolean recover() {
    ArrayDeque<Batch> unanswered = new ArrayDeque<>();
    boolean first = true;
    for (Batch batch : inFlight) {
      Outcome outcome = batch.outcome.join();
      if (outcome != null && outcome.error == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) {
        return world.topicExists(topic);
      }
      if (!acknowledged(outcome)) {
        if (first && outcome != null && outOfStep(batch, outcome)) {
          begin();
          return true;
        }
        batch.unseen |= outcome == null || outcome.error == ErrorCode.KAFKA_STORAGE_ERROR;
        unanswered.add(batch);
        first = false;
      }
    }
    inFlight.clear();
    inFlight.addAll(unanswered);
    again = !inFlight.isEmpty();
    world.sleepMs(50 + world.random().nextInt(300));
    inFlight.forEach(this::send);
    return true;
  }

  /// The broker does not know the batches before: only after records were lost that could be lost.
  /// Or this is the producer's first batch, which a full disk refused or a broken connection lost,
  /// and the next one is the first that the broker has seen (Kafka takes any sequence there).
  private boolean outOfStep(Batch batch, Outcome outcome) {
    switch (outcome.error) {
      case OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID -> {
        if (!ledger.lostSince(producerSinceNanos) && !(batch.sequence == 0 && batch.unseen)) {
          throw new AssertionError(name + " is out of step for no reason: " + outcome);
        }
        return true;
      }
      case NONE,
          REQUEST_TIMED_OUT,
          KAFKA_STORAGE_ERROR,
          NOT_LEADER_OR_FOLLOWER,
          UNKNOWN_TOPIC_OR_PARTITION -> {
        return false;
      }
      default -> throw new AssertionError(name + " was refused: " + outcome);
    }
  }

  private void send(Batch batch) {
    CompletableFuture<@Nullable Outcome> to = new CompletableFuture<>();
    batch.outcome = to;
    long id = producerId;
    world.ask(
        name,
        to,
        (broker, reply) -> {
          Partition partition = broker.partition(topic, index);
          if (partition == null) {
            reply.accept(new Outcome(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, null));
            return;
          }
          partition.append(
              new PartitionAppend(bytes(batch, id), (short) -1, 2_000, Origin.CLIENT) {
                @Override
                public void done(
                    ErrorCode error,
                    long baseOffset,
                    long logAppendTimeMs,
                    long logStartOffset,
                    @Nullable String message) {
                  if (error == ErrorCode.NONE && broker.process().alive()) {
                    world.note(name + " " + batch.sequence + " is at " + baseOffset);
                    // From here on the broker stands by it, whether or not the answer arrives.
                    for (int i = 0; i < batch.count; i++) {
                      ledger.learn(baseOffset + i, name + ":" + (batch.firstValue + i));
                    }
                  }
                  reply.accept(new Outcome(error, baseOffset, message));
                }
              });
        });
  }

  private ByteBuffer bytes(Batch batch, long id) {
    RecordBatchBuilder builder = new RecordBatchBuilder().producer(id, (short) 0, batch.sequence);
    for (int i = 0; i < batch.count; i++) {
      String value = name + ":" + (batch.firstValue + i);
      ledger.stamped(value, world.wallMs());
      builder.add(world.wallMs(), value.getBytes(UTF_8), new byte[batch.fill]);
    }
    return builder.build();
  }
}
