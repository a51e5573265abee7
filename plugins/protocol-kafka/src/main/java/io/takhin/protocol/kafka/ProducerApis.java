package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.transaction.TransactionCoordinator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// InitProducerId for idempotent and transactional producers.
///
/// In a broker without a transaction coordinator a transactional id is refused with
/// INVALID_REQUEST: Kafka's word for what a broker cannot take, and one that no client repeats.
/// Version 6 (KIP-939, two-phase commit) is marked unstable in
/// Kafka's schema, and its brokers do not offer it either.
final class ProducerApis {
  private static final Logger log = LoggerFactory.getLogger(ProducerApis.class);
  private static final int LATEST_STABLE = 5;

  private final ProducerIds ids;
  private final @Nullable TransactionCoordinator transactions;
  private final AtomicBoolean transactionsRefused = new AtomicBoolean();

  /// Gives ids to producers.
  ///
  /// @param transactions null in a broker without that coordinator
  ProducerApis(Cluster cluster, @Nullable TransactionCoordinator transactions) {
    this.transactions = transactions;
    ids = new ProducerIds(cluster);
  }

  List<MessageApi<?>> apis() {
    return List.of(MessageApi.upTo(ApiKeys.INIT_PRODUCER_ID, LATEST_STABLE, this::initProducerId));
  }

  private void initProducerId(Exchange exchange, InitProducerIdRequestData request) {
    // A producer that recovers (KIP-360) names its id and epoch, or neither.
    if ((request.producerId() == -1) != (request.producerEpoch() == -1)) {
      exchange.respond(refused(ErrorCode.INVALID_REQUEST));
      return;
    }
    String transactionalId = request.transactionalId();
    if (transactionalId != null) {
      initTransactional(exchange, transactionalId, request);
      return;
    }
    // Without a transactional id there is no state to bump an epoch in: a new id fences nobody and
    // starts its sequences afresh, which is what Kafka does too.
    ids.take()
        .whenComplete(
            (id, failure) ->
                exchange.respond(
                    failure == null
                        ? new InitProducerIdResponseData()
                            .setProducerId(id)
                            .setProducerEpoch((short) 0)
                        : refused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)));
  }

  private void initTransactional(
      Exchange exchange, String transactionalId, InitProducerIdRequestData request) {
    TransactionCoordinator coordinator = transactions;
    if (coordinator == null) {
      if (!transactionsRefused.getAndSet(true)) {
        // Once: the answer has no room for words, and the client can only say "see the broker's
        // log".
        log.warn(
            "A producer with a transactional id was refused: this broker has no transaction"
                + " coordinator. Remove transactional.id from the producer's config.");
      }
      exchange.respond(refused(ErrorCode.INVALID_REQUEST));
      return;
    }
    Conversions.answer(
        exchange,
        coordinator.init(
            transactionalId,
            request.transactionTimeoutMs(),
            request.producerId(),
            request.producerEpoch()),
        result ->
            result.error() == ErrorCode.NONE
                ? new InitProducerIdResponseData()
                    .setProducerId(result.producerId())
                    .setProducerEpoch(result.producerEpoch())
                : refused(TransactionApis.told(result.error(), exchange.version(), 4, 5)));
  }

  private static InitProducerIdResponseData refused(ErrorCode error) {
    return new InitProducerIdResponseData()
        .setErrorCode(error.code())
        .setProducerId(-1)
        .setProducerEpoch((short) -1);
  }
}
