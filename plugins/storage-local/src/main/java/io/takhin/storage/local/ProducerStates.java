package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The producers of one log, by id: an open hash table, because a batch must not cost a boxed key.
///
/// Threading: the thread in the log's gate.
final class ProducerStates {
  private static final int FIRST_CAPACITY = 4;

  private @Nullable Producer[] table = new Producer[FIRST_CAPACITY];
  private int size;

  int size() {
    return size;
  }

  @Nullable Producer find(long id) {
    int mask = table.length - 1;
    for (int i = slot(id, mask); ; i = (i + 1) & mask) {
      Producer found = table[i];
      if (found == null || found.id == id) {
        return found;
      }
    }
  }

  Producer findOrAdd(long id) {
    Producer found = find(id);
    if (found == null) {
      found = new Producer(id);
      put(found);
    }
    return found;
  }

  void put(Producer producer) {
    if (2 * (size + 1) > table.length) {
      rehash(table.length * 2, Long.MIN_VALUE);
    }
    insert(producer);
  }

  private void insert(Producer producer) {
    int mask = table.length - 1;
    int i = slot(producer.id, mask);
    while (table[i] != null) {
      i = (i + 1) & mask;
    }
    table[i] = producer;
    size++;
  }

  private void rehash(int capacity, long expireBeforeMs) {
    @Nullable Producer[] old = table;
    table = new Producer[capacity];
    size = 0;
    for (Producer producer : old) {
      if (producer != null && (live(producer, expireBeforeMs))) {
        insert(producer);
      }
    }
  }

  private static boolean live(Producer producer, long expireBeforeMs) {
    return producer.transactionFirstOffset >= 0
        || producer.staged()
        || producer.lastTimestampMs >= expireBeforeMs;
  }

  private static int slot(long id, int mask) {
    long mixed = id * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 40) & mask;
  }

  void clear() {
    table = new Producer[FIRST_CAPACITY];
    size = 0;
  }

  /// Forgets those that wrote last before a time and have no open transaction.
  void expire(long beforeMs) {
    for (Producer producer : table) {
      if (producer != null && !live(producer, beforeMs)) {
        rehash(table.length, beforeMs);
        return;
      }
    }
  }

  /// Whether a client's batch may be appended: NONE, DUPLICATE_SEQUENCE_NUMBER if it was before
  /// (find it again with [Producer#find]), or Kafka's refusal.
  ErrorCode check(@Nullable Producer producer, ByteBuffer batch, int at) {
    if (producer == null) {
      return ErrorCode.NONE;
    }
    short epoch = RecordBatch.producerEpoch(batch, at);
    if (epoch < producer.epoch) {
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    }
    int sequence = RecordBatch.baseSequence(batch, at);
    if (epoch == producer.epoch
        && producer.find(sequence, RecordBatch.lastOffsetDelta(batch, at)) >= 0) {
      return ErrorCode.DUPLICATE_SEQUENCE_NUMBER;
    }
    return producer.follows(epoch, sequence)
        ? ErrorCode.NONE
        : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  /// The outcome of a client's batch that must not be appended; null if it may be.
  @Nullable AppendResult refusal(
      @Nullable Producer producer, ByteBuffer batch, int at, boolean stamped, long logStart) {
    ErrorCode code = check(producer, batch, at);
    if (code == ErrorCode.NONE || producer == null) {
      return null;
    }
    int sequence = RecordBatch.baseSequence(batch, at);
    if (code == ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      int i = producer.find(sequence, RecordBatch.lastOffsetDelta(batch, at));
      long last = producer.lastOffset(i);
      long stamp = stamped ? producer.timestampMs(i) : -1;
      return new Duplicate(last - producer.delta(i), last, stamp, logStart);
    }
    return new Rejected(
        code,
        "producer "
            + producer.id
            + ": epoch "
            + RecordBatch.producerEpoch(batch, at)
            + " sequence "
            + sequence
            + " after epoch "
            + producer.epoch
            + " sequence "
            + producer.lastSequence());
  }

  /// Learns from a batch that is in the log: recovery, and what the leader sent.
  void learn(ByteBuffer batch, int at) {
    long id = RecordBatch.producerId(batch, at);
    if (id == RecordBatch.NO_PRODUCER_ID) {
      return;
    }
    Producer producer = findOrAdd(id);
    if (RecordBatch.control(batch, at)) {
      producer.endTransaction(
          RecordBatch.producerEpoch(batch, at), -1, RecordBatch.maxTimestamp(batch, at));
    } else {
      producer.stage(batch, at);
      producer.commitStaged();
    }
  }

  List<ActiveProducer> active() {
    List<ActiveProducer> active = new ArrayList<>(size);
    for (Producer producer : all()) {
      active.add(
          new ActiveProducer(
              producer.id,
              producer.epoch,
              producer.lastSequence(),
              producer.lastTimestampMs,
              -1,
              -1));
    }
    return active;
  }

  List<Producer> all() {
    List<Producer> all = new ArrayList<>(size);
    for (Producer producer : table) {
      if (producer != null && producer.epoch >= 0) { // not one whose first write failed
        all.add(producer);
      }
    }
    return all;
  }
}
