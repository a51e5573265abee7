package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.PartitionLog;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The transactional batches that wait in one partition until the transaction coordinator has said
/// whether they belong there (KIP-890). Batches of a producer keep their order: while one waits,
/// all that come later queue behind it.
///
/// ```
///   first batch of a transaction -> asked -> yes -> appended, then those behind it
///                                      \---> no --> refused, and so are those behind it;
///                                                   a later one must not come first now
///   later batches, nobody waits  -> appended at once
/// ```
///
/// Threading: any thread. No lock is held while the coordinator is asked or the log appends; the
/// thread that has the first batch's outcome works off the queue.
final class Verifications {
  private final TxnPartition partition;
  private final CoordinatorQuestions questions;
  private final Consumer<PendingAppend> appender;
  private final LowestSequences lowest = new LowestSequences();
  // Guarded by this.
  private final Map<Long, Queue<PendingAppend>> waiting = new HashMap<>();

  /// @param appender appends, or answers why not
  Verifications(
      TopicPartition id, CoordinatorQuestions questions, Consumer<PendingAppend> appender) {
    this.partition = new TxnPartition(id.topic(), id.partition());
    this.questions = questions;
    this.appender = appender;
  }

  /// Appends a client's transactional batch, now or when the coordinator has agreed.
  void append(PartitionLog log, PendingAppend append) {
    long producerId = producerId(append);
    boolean asks;
    synchronized (this) {
      Queue<PendingAppend> queue = waiting.get(producerId);
      if (queue != null) {
        queue.add(append);
        return;
      }
      asks = !open(log, append);
      if (asks) {
        waiting.put(producerId, new ArrayDeque<>());
      }
    }
    if (asks) {
      drain(log, producerId, append);
    } else {
      appender.accept(append);
    }
  }

  /// A marker was written.
  void ended(long producerId, short epoch, int transactionVersion) {
    lowest.ended(producerId, epoch, transactionVersion);
  }

  private static boolean open(PartitionLog log, PendingAppend append) {
    return log.transactionOpen(producerId(append), producerEpoch(append));
  }

  /// Appends what may be, and asks for the first one that may not.
  private void drain(PartitionLog log, long producerId, @Nullable PendingAppend first) {
    PendingAppend next = first;
    while (next != null) {
      if (!open(log, next)) {
        ask(log, producerId, next);
        return;
      }
      appender.accept(next);
      next = next(producerId);
    }
  }

  private void ask(PartitionLog log, long producerId, PendingAppend append) {
    short epoch = producerEpoch(append);
    int sequence = baseSequence(append);
    long token = log.beginVerification(producerId, epoch);
    append.verified(
        token,
        lowest.highest(producerId, epoch),
        result -> {
          log.endVerification(producerId, token);
          if (result instanceof Appended) {
            lowest.written(producerId);
          } else {
            lowest.failed(producerId, epoch, sequence);
          }
          drain(log, producerId, next(producerId));
        });
    questions.ask(
        partition,
        append,
        producerId,
        epoch,
        error -> answered(append, error == ErrorCode.NONE ? sequenceError(log, append) : error));
  }

  /// Of a producer that this log does not know only sequence 0 can be the first, now that each of
  /// its transactions has an epoch of its own (KIP-890): anything else is a late batch of an
  /// earlier one. Clients that do as they should never come as far as the search.
  private static ErrorCode sequenceError(PartitionLog log, PendingAppend append) {
    return append.joinsTransaction()
            && baseSequence(append) != 0
            && log.activeProducers().stream()
                .noneMatch(known -> known.producerId() == producerId(append))
        ? ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
        : ErrorCode.NONE;
  }

  private void answered(PendingAppend append, ErrorCode error) {
    if (error == ErrorCode.NONE) {
      appender.accept(append);
      return;
    }
    String message =
        error == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
            ? "a transaction's first batch here has sequence 0"
            : "the transaction coordinator answered " + error;
    PendingAppend same = nextOf(append);
    while (same != null) {
      lowest.failed(producerId(same), producerEpoch(same), baseSequence(same));
      same.fail(error, message);
      same = nextOf(append);
    }
    append.refuse(error, message);
  }

  /// Takes the next one in the queue; the queue goes with the last one.
  private synchronized @Nullable PendingAppend next(long producerId) {
    Queue<PendingAppend> queue = waiting.get(producerId);
    PendingAppend next = queue == null ? null : queue.poll();
    if (next == null) {
      waiting.remove(producerId);
    }
    return next;
  }

  /// Takes the next one in the queue if it is of the same epoch.
  private synchronized @Nullable PendingAppend nextOf(PendingAppend append) {
    Queue<PendingAppend> queue = waiting.get(producerId(append));
    PendingAppend next = queue == null ? null : queue.peek();
    return queue == null || next == null || producerEpoch(next) != producerEpoch(append)
        ? null
        : queue.poll();
  }

  private static long producerId(PendingAppend append) {
    return RecordBatch.producerId(append.records(), append.records().position());
  }

  private static int baseSequence(PendingAppend append) {
    return RecordBatch.baseSequence(append.records(), append.records().position());
  }

  private static short producerEpoch(PendingAppend append) {
    return RecordBatch.producerEpoch(append.records(), append.records().position());
  }
}
