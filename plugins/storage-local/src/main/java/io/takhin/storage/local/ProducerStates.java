package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import io.takhin.storage.local.Transactions.Aborted;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The producers of one log, by id: an open hash table, because a batch must not cost a boxed key.
///
/// Threading: the thread in the log's gate.
final class ProducerStates {
  private static final int FIRST_CAPACITY = 4;

  /// The most producers of a log: some 300 bytes each.
  static final int MAX_PRODUCERS = 100_000;

  /// How many of all are forgotten at once when there are too many: one in so many.
  private static final int FORGOTTEN = 10;

  private final Transactions transactions = new Transactions();
  private @Nullable Producer[] table = new Producer[FIRST_CAPACITY];
  private final int max;
  private int size;

  ProducerStates() {
    this(MAX_PRODUCERS);
  }

  /// For a test: fewer than [#MAX_PRODUCERS].
  ProducerStates(int max) {
    this.max = max;
  }

  /// What they have open; for any thread.
  Transactions transactions() {
    return transactions;
  }

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
      if (size >= max) {
        forgetOldest();
      }
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
    transactions.clear();
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

  /// Makes room: the tenth that wrote longest ago is forgotten, as if its time were over, but for
  /// producers with an open transaction. The order is that of the log, which no client can forge as
  /// it can timestamps.
  private void forgetOldest() {
    long[] lastOffsets = new long[size];
    int known = 0;
    for (Producer producer : table) {
      if (producer != null && idle(producer)) {
        lastOffsets[known++] = producer.lastOffset();
      }
    }
    if (known == 0) {
      return;
    }
    java.util.Arrays.sort(lastOffsets, 0, known);
    long border = lastOffsets[known / FORGOTTEN];
    @Nullable Producer[] old = table;
    table = new Producer[old.length];
    size = 0;
    for (Producer producer : old) {
      if (producer != null && !(idle(producer) && producer.lastOffset() <= border)) {
        insert(producer);
      }
    }
  }

  private static boolean idle(Producer producer) {
    return producer.transactionFirstOffset < 0 && !producer.staged();
  }

  /// The outcome of an append that its producer may not do; null if it may.
  ///
  /// @param marker what the append holds if it ends a transaction; else null
  /// @param stamped whether the broker's time is in the batches
  @Nullable AppendResult refusal(
      @Nullable Producer producer,
      @Nullable TransactionMarker marker,
      LogAppend append,
      boolean stamped,
      long logStart) {
    ByteBuffer in = append.records();
    int at = in.position();
    if (in.remaining() != RecordBatch.sizeBytes(in, at)) {
      return new Rejected(ErrorCode.INVALID_RECORD, "more than one batch of a producer");
    }
    if (marker != null) {
      int epoch = RecordBatch.producerEpoch(in, at);
      transactions.voidVerification(
          RecordBatch.producerId(in, at), append.transactionVersion() < 2 ? epoch : epoch - 1);
      return markerRefusal(producer, marker, append, at);
    }
    if (RecordBatch.control(in, at)) {
      return new Rejected(ErrorCode.INVALID_RECORD, "a control batch that is no marker");
    }
    return dataRefusal(producer, append, at, stamped, logStart);
  }

  /// Whether a batch may be appended: NONE, DUPLICATE_SEQUENCE_NUMBER if it was before (find it
  /// again with [Producer#find]), or Kafka's refusal. Coordinators' batches have no sequences and
  /// need no verification.
  private ErrorCode check(@Nullable Producer producer, LogAppend append, int at) {
    ByteBuffer batch = append.records();
    short epoch = RecordBatch.producerEpoch(batch, at);
    if (epoch < (producer == null ? Producer.NO_EPOCH : producer.epoch)) {
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    }
    if (append.origin() != Origin.CLIENT) {
      return ErrorCode.NONE;
    }
    int sequence = RecordBatch.baseSequence(batch, at);
    if (producer != null
        && epoch == producer.epoch
        && producer.find(sequence, RecordBatch.lastOffsetDelta(batch, at)) >= 0) {
      return ErrorCode.DUPLICATE_SEQUENCE_NUMBER;
    }
    if (RecordBatch.transactional(batch, at)) {
      boolean goesOn =
          producer != null && producer.transactionFirstOffset >= 0 && producer.epoch == epoch;
      if (!goesOn
          && !transactions.verified(RecordBatch.producerId(batch, at), append.verification())) {
        return ErrorCode.INVALID_TXN_STATE;
      }
      if (!goesOn && sequence > append.highestSequence()) {
        return ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
      }
    } else if (producer != null && producer.transactionFirstOffset >= 0) {
      return ErrorCode.INVALID_TXN_STATE;
    }
    return producer == null || producer.follows(epoch, sequence)
        ? ErrorCode.NONE
        : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  /// Why a marker must not be appended; null if it may be. With transaction version 2 each
  /// transaction ends with a new epoch, so that a marker that comes late cannot end the next one
  /// (KIP-890); one that is sent again finds no transaction and changes nothing.
  private static @Nullable Rejected markerRefusal(
      @Nullable Producer producer, TransactionMarker marker, LogAppend append, int at) {
    if (producer == null) {
      return null;
    }
    short epoch = RecordBatch.producerEpoch(append.records(), at);
    boolean again =
        epoch == producer.epoch
            && (producer.transactionFirstOffset < 0 || epoch == Short.MAX_VALUE);
    boolean newer =
        epoch > producer.epoch || (append.transactionVersion() < 2 && epoch == producer.epoch);
    if (!newer && !again) {
      return new Rejected(
          ErrorCode.INVALID_PRODUCER_EPOCH,
          "a marker of producer "
              + producer.id
              + " with epoch "
              + epoch
              + " after epoch "
              + producer.epoch);
    }
    if (marker.coordinatorEpoch() < producer.coordinatorEpoch) {
      return new Rejected(
          ErrorCode.TRANSACTION_COORDINATOR_FENCED,
          "a marker of coordinator epoch "
              + marker.coordinatorEpoch()
              + " after one of epoch "
              + producer.coordinatorEpoch);
    }
    return null;
  }

  private @Nullable AppendResult dataRefusal(
      @Nullable Producer producer, LogAppend append, int at, boolean stamped, long logStart) {
    ErrorCode code = check(producer, append, at);
    if (code == ErrorCode.NONE) {
      return null;
    }
    ByteBuffer batch = append.records();
    int sequence = RecordBatch.baseSequence(batch, at);
    if (producer != null && code == ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      int i = producer.find(sequence, RecordBatch.lastOffsetDelta(batch, at));
      long last = producer.lastOffset(i);
      long stamp = stamped ? producer.timestampMs(i) : -1;
      return new Duplicate(last - producer.delta(i), last, stamp, logStart);
    }
    long id = RecordBatch.producerId(batch, at);
    if (code == ErrorCode.INVALID_TXN_STATE) {
      return new Rejected(
          code,
          RecordBatch.transactional(batch, at)
              ? "the partition is in no open transaction of producer " + id
              : "a batch outside of the open transaction of producer " + id);
    }
    return new Rejected(
        code,
        "producer "
            + id
            + ": epoch "
            + RecordBatch.producerEpoch(batch, at)
            + " sequence "
            + sequence
            + " after epoch "
            + (producer == null ? -1 : producer.epoch)
            + " sequence "
            + (producer == null ? -1 : producer.lastSequence()));
  }

  /// Learns from a batch that is in the log: recovery, and what the leader sent.
  ///
  /// @param marker what it holds if it ends a transaction; else null
  /// @return the transaction that it aborted; null for none
  @Nullable Aborted learn(ByteBuffer batch, int at, @Nullable TransactionMarker marker) {
    long id = RecordBatch.producerId(batch, at);
    if (id == RecordBatch.NO_PRODUCER_ID || (marker == null && RecordBatch.control(batch, at))) {
      return null;
    }
    Producer producer = findOrAdd(id);
    producer.stage(batch, at, marker);
    return producer.commitStaged(transactions);
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
              producer.coordinatorEpoch,
              producer.transactionFirstOffset));
    }
    return active;
  }

  List<Producer> all() {
    List<Producer> all = new ArrayList<>(size);
    for (Producer producer : table) {
      if (producer != null && producer.known()) {
        all.add(producer);
      }
    }
    return all;
  }
}
