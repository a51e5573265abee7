package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks the transaction coordinator whether a partition is in a producer's transaction, or adds it
/// (KIP-890), and turns its answers into those of Produce.
///
/// While the markers of the last transaction are written, the coordinator takes nothing for the
/// next one: an implicit addition is tried again for a moment, because the producer would wait
/// longer.
///
/// The coordinator starts after the partitions, so that it is looked up when it is first wanted.
///
/// Threading: any thread. Blocking: no.
final class CoordinatorQuestions {
  private static final Logger log = LoggerFactory.getLogger(CoordinatorQuestions.class);
  private static final long RETRY_MS = 2;
  private static final long RETRY_FOR_MS = 100;

  private final PluginContext context;

  CoordinatorQuestions(PluginContext context) {
    this.context = context;
  }

  /// Wall-clock time.
  long nowMs() {
    return context.clock().millis();
  }

  /// Asks for a batch.
  ///
  /// @param answer told NONE or Produce's error, once, on any thread, perhaps before this returns
  void ask(
      TxnPartition partition,
      PendingAppend append,
      long producerId,
      short epoch,
      Consumer<ErrorCode> answer) {
    String transactionalId = append.transactionalId();
    if (transactionalId == null) {
      answer.accept(ErrorCode.INVALID_TXN_STATE);
      return;
    }
    Question question =
        new Question(
            transactionalId, producerId, epoch, List.of(partition), append.joinsTransaction());
    ask(question, context.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RETRY_FOR_MS), answer);
  }

  private void ask(Question question, long untilNanos, Consumer<ErrorCode> answer) {
    CompletableFuture<List<ErrorCode>> answers;
    try {
      TransactionCoordinator coordinator = context.service(TransactionCoordinator.class);
      answers =
          question.joins
              ? coordinator.addPartitions(
                  question.transactionalId,
                  question.producerId,
                  question.epoch,
                  question.partitions)
              : coordinator.verify(
                  question.transactionalId,
                  question.producerId,
                  question.epoch,
                  question.partitions);
    } catch (TakhinException e) {
      log.warn("the transaction of {} cannot be verified", question.transactionalId, e);
      answer.accept(produceError(e.code(), question.joins));
      return;
    }
    var unused =
        answers.whenComplete(
            (errors, thrown) -> {
              ErrorCode error = errors == null ? ErrorCode.UNKNOWN_SERVER_ERROR : errors.getFirst();
              if (thrown != null) {
                log.error("the transaction coordinator failed: a defect", thrown);
              }
              if (error != ErrorCode.CONCURRENT_TRANSACTIONS
                  || !question.joins
                  || context.nanoTime() - untilNanos >= 0
                  || !askLater(question, untilNanos, answer)) {
                answer.accept(produceError(error, question.joins));
              }
            });
  }

  private boolean askLater(Question question, long untilNanos, Consumer<ErrorCode> answer) {
    try {
      var unused =
          context
              .scheduler()
              .schedule(() -> ask(question, untilNanos, answer), RETRY_MS, TimeUnit.MILLISECONDS);
      return true;
    } catch (RejectedExecutionException e) {
      return false; // the kernel is closing
    }
  }

  /// Clients go on after NOT_ENOUGH_REPLICAS by themselves, whatever their version; coordinators'
  /// errors in an answer to Produce would end older ones.
  private static ErrorCode produceError(ErrorCode error, boolean joins) {
    return switch (error) {
      case PRODUCER_FENCED -> ErrorCode.INVALID_PRODUCER_EPOCH;
      case CONCURRENT_TRANSACTIONS ->
          joins ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NOT_ENOUGH_REPLICAS;
      case NETWORK_EXCEPTION,
          NOT_COORDINATOR,
          COORDINATOR_NOT_AVAILABLE,
          COORDINATOR_LOAD_IN_PROGRESS,
          UNKNOWN_SERVER_ERROR ->
          ErrorCode.NOT_ENOUGH_REPLICAS;
      default -> error;
    };
  }

  private record Question(
      String transactionalId,
      long producerId,
      short epoch,
      List<TxnPartition> partitions,
      boolean joins) {}
}
