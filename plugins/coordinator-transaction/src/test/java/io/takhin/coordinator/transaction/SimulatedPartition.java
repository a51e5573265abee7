package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.coordinator.transaction.Effects.Markers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A partition of a user's topic as far as transactions concern it: epochs, verification, markers.
final class SimulatedPartition {
  /// A record, and what became of it.
  static final class Stored {
    final String transaction;
    @Nullable Boolean committed;

    Stored(String transaction) {
      this.transaction = transaction;
    }
  }

  private static final class Producer {
    short epoch = -1;
    int coordinatorEpoch = -1;
    int markers;
    boolean open;
    final List<Stored> undecided = new ArrayList<>();
    final Set<String> writes = new HashSet<>();
  }

  final List<Stored> log = new ArrayList<>();
  private final Map<Long, Producer> producers = new HashMap<>();

  private Producer producer(long id) {
    return producers.computeIfAbsent(id, key -> new Producer());
  }

  boolean transactionOpen(long producerId, short epoch) {
    Producer producer = producer(producerId);
    return producer.open && producer.epoch == epoch;
  }

  boolean anyOpen() {
    return producers.values().stream().anyMatch(each -> each.open);
  }

  /// What a verification that begins now depends on.
  int guard(long producerId) {
    return producer(producerId).markers;
  }

  /// Appends a record, if the transaction is open or was verified since the last marker.
  ///
  /// @param guard of the verification; -1 without one
  ErrorCode append(long producerId, short epoch, String transaction, String write, int guard) {
    Producer producer = producer(producerId);
    if (epoch < producer.epoch) {
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    }
    if (!transactionOpen(producerId, epoch) && guard != producer.markers) {
      return ErrorCode.NOT_ENOUGH_REPLICAS;
    }
    if (!producer.writes.add(write)) {
      return ErrorCode.NONE;
    }
    if (producer.open && producer.epoch != epoch) {
      throw new AssertionError("a write of another epoch into an open transaction");
    }
    producer.epoch = epoch;
    producer.open = true;
    Stored stored = new Stored(transaction);
    producer.undecided.add(stored);
    log.add(stored);
    return ErrorCode.NONE;
  }

  ErrorCode end(Markers markers) {
    Producer producer = producer(markers.producerId());
    if (markers.coordinatorEpoch() < producer.coordinatorEpoch) {
      return ErrorCode.TRANSACTION_COORDINATOR_FENCED;
    }
    boolean old =
        markers.transactionVersion() >= 2
            ? markers.producerEpoch() <= producer.epoch
            : markers.producerEpoch() < producer.epoch;
    if (old) {
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    }
    producer.coordinatorEpoch = markers.coordinatorEpoch();
    producer.epoch = markers.producerEpoch();
    producer.open = false;
    producer.markers++;
    producer.undecided.forEach(each -> each.committed = markers.commit());
    producer.undecided.clear();
    return ErrorCode.NONE;
  }
}
