package io.takhin.testkit.storage;

import io.takhin.api.ErrorCode;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Idempotence in its plainest form (KIP-98): the last five batches of each producer.
final class InMemoryProducers {
  private static final int REMEMBERED = 5;
  private static final short NO_EPOCH = -1;

  private final Map<Long, Producer> producers = new TreeMap<>();

  /// The same batch, if it was appended before; else null.
  @Nullable InMemoryBatch duplicateOf(InMemoryBatch batch) {
    Producer producer = producers.get(batch.producerId());
    if (producer == null || producer.epoch != batch.producerEpoch()) {
      return null;
    }
    for (InMemoryBatch known : producer.batches) {
      if (known.baseSequence() == batch.baseSequence()
          && known.lastSequence() == batch.lastSequence()) {
        return known;
      }
    }
    return null;
  }

  /// Why the batch may not be appended; NONE if it may.
  ErrorCode check(InMemoryBatch batch) {
    Producer producer = producers.get(batch.producerId());
    if (producer == null) {
      return ErrorCode.NONE;
    }
    if (batch.producerEpoch() < producer.epoch) {
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    }
    if (producer.epoch == NO_EPOCH) {
      return ErrorCode.NONE;
    }
    InMemoryBatch last = producer.batches.peekLast();
    int expected =
        batch.producerEpoch() > producer.epoch || last == null
            ? 0
            : last.lastSequence() == Integer.MAX_VALUE ? 0 : last.lastSequence() + 1;
    return batch.baseSequence() == expected
        ? ErrorCode.NONE
        : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  void add(InMemoryBatch batch) {
    Producer producer = producers.computeIfAbsent(batch.producerId(), id -> new Producer());
    if (producer.epoch != batch.producerEpoch()) {
      producer.epoch = batch.producerEpoch();
      producer.batches.clear();
    }
    TransactionMarker marker = batch.marker();
    producer.lastTimestampMs = batch.maxTimestampMs();
    if (marker != null) {
      producer.coordinatorEpoch = marker.coordinatorEpoch();
      return;
    }
    if (batch.baseSequence() < 0) {
      return;
    }
    producer.batches.addLast(batch);
    if (producer.batches.size() > REMEMBERED) {
      producer.batches.removeFirst();
    }
  }

  /// Why a marker may not be appended; NONE if it may.
  ErrorCode checkMarker(
      InMemoryBatch batch, TransactionMarker marker, int transactionVersion, boolean open) {
    Producer producer = producers.get(batch.producerId());
    if (producer == null) {
      return ErrorCode.NONE;
    }
    short epoch = batch.producerEpoch();
    boolean again = epoch == producer.epoch && (!open || epoch == Short.MAX_VALUE);
    boolean newer = transactionVersion < 2 ? epoch >= producer.epoch : epoch > producer.epoch;
    if (!newer && !again) {
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    }
    return marker.coordinatorEpoch() < producer.coordinatorEpoch
        ? ErrorCode.TRANSACTION_COORDINATOR_FENCED
        : ErrorCode.NONE;
  }

  /// Whether the batch's epoch is older than one that was seen.
  boolean fenced(InMemoryBatch batch) {
    Producer producer = producers.get(batch.producerId());
    return batch.producerEpoch() < (producer == null ? NO_EPOCH : producer.epoch);
  }

  /// Forgets all and learns from the batches of the log.
  void rebuild(List<InMemoryBatch> batches) {
    producers.clear();
    for (InMemoryBatch batch : batches) {
      if (batch.producerId() >= 0) {
        add(batch);
      }
    }
  }

  List<ActiveProducer> active(InMemoryTransactions transactions) {
    List<ActiveProducer> active = new ArrayList<>();
    producers.forEach(
        (id, producer) -> {
          InMemoryBatch last = producer.batches.peekLast();
          InMemoryTransactions.Transaction open = transactions.open(id);
          active.add(
              new ActiveProducer(
                  id,
                  producer.epoch,
                  last == null ? -1 : last.lastSequence(),
                  producer.lastTimestampMs,
                  producer.coordinatorEpoch,
                  open == null ? -1 : open.first()));
        });
    return active;
  }

  private static final class Producer {
    private short epoch = NO_EPOCH;
    private int coordinatorEpoch = -1;
    private long lastTimestampMs = -1;
    private final Deque<InMemoryBatch> batches = new ArrayDeque<>();
  }
}
