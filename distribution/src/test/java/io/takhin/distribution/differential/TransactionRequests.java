package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.Requests.ask;

import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Requests of producers with ids and of transactions. A producer is a slot.
final class TransactionRequests {
  private TransactionRequests() {}

  /// Who asks: the transactional id and the producer.
  record As(String transactionalId, String slot, Function<State, State.Producer> producer) {
    static As producer(String transactionalId, String slot) {
      return new As(transactionalId, slot, s -> s.producer(slot));
    }

    /// The same producer with another epoch.
    As epoch(int change) {
      return new As(
          transactionalId,
          slot,
          s -> {
            State.Producer known = producer.apply(s);
            return new State.Producer(known.id(), (short) (known.epoch() + change));
          });
    }

    As id(long id) {
      return new As(transactionalId, slot, s -> new State.Producer(id, producer.apply(s).epoch()));
    }
  }

  /// A new producer of a transactional id, or of none.
  static Step init(int version, @Nullable String transactionalId, String slot, int timeoutMs) {
    return ask(
            ApiKeys.INIT_PRODUCER_ID,
            version,
            s ->
                new InitProducerIdRequestData()
                    .setTransactionalId(transactionalId == null ? null : s.name(transactionalId))
                    .setTransactionTimeoutMs(timeoutMs))
        .as(slot);
  }

  /// A producer that goes on (KIP-360).
  static Step initAgain(int version, As as) {
    return ask(
            ApiKeys.INIT_PRODUCER_ID,
            version,
            s ->
                new InitProducerIdRequestData()
                    .setTransactionalId(s.name(as.transactionalId()))
                    .setTransactionTimeoutMs(60_000)
                    .setProducerId(as.producer().apply(s).id())
                    .setProducerEpoch(as.producer().apply(s).epoch()))
        .as(as.slot());
  }

  static Step addPartitions(int version, As as, String topic, Integer... partitions) {
    return ask(
        ApiKeys.ADD_PARTITIONS_TO_TXN,
        version,
        s -> {
          State.Producer producer = as.producer().apply(s);
          var topics = new AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection();
          topics.add(
              new AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic()
                  .setName(s.name(topic))
                  .setPartitions(List.of(partitions)));
          return new AddPartitionsToTxnRequestData()
              .setV3AndBelowTransactionalId(s.name(as.transactionalId()))
              .setV3AndBelowProducerId(producer.id())
              .setV3AndBelowProducerEpoch(producer.epoch())
              .setV3AndBelowTopics(topics);
        });
  }

  static Step addOffsets(int version, As as, String group) {
    return ask(
        ApiKeys.ADD_OFFSETS_TO_TXN,
        version,
        s ->
            new AddOffsetsToTxnRequestData()
                .setTransactionalId(s.name(as.transactionalId()))
                .setProducerId(as.producer().apply(s).id())
                .setProducerEpoch(as.producer().apply(s).epoch())
                .setGroupId(s.name(group)));
  }

  static Step commitOffsets(
      int version, As as, GroupRequests.As member, String topic, int partition, long offset) {
    return ask(
        ApiKeys.TXN_OFFSET_COMMIT,
        version,
        s -> {
          var at =
              new TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition()
                  .setPartitionIndex(partition)
                  .setCommittedOffset(offset)
                  .setCommittedMetadata("m");
          var of =
              new TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic()
                  .setPartitions(List.of(at));
          of.setName(s.name(topic));
          TxnOffsetCommitRequestData request =
              new TxnOffsetCommitRequestData()
                  .setTransactionalId(s.name(as.transactionalId()))
                  .setGroupId(s.name(member.group()))
                  .setProducerId(as.producer().apply(s).id())
                  .setProducerEpoch(as.producer().apply(s).epoch())
                  .setTopics(List.of(of));
          if (version >= 3) {
            request
                .setMemberId(member.id(s))
                .setGenerationId(member.generation().applyAsInt(s))
                .setGroupInstanceId(member.instance());
          }
          return request;
        });
  }

  static Step end(int version, As as, boolean commit) {
    return ask(
            ApiKeys.END_TXN,
            version,
            s ->
                new EndTxnRequestData()
                    .setTransactionalId(s.name(as.transactionalId()))
                    .setProducerId(as.producer().apply(s).id())
                    .setProducerEpoch(as.producer().apply(s).epoch())
                    .setCommitted(commit))
        .as(as.slot());
  }

  /// A batch of a transaction, produced in a version.
  static Step produce(int version, As as, String topic, int partition, int sequence, String value) {
    return LogRequests.produce(
        version,
        -1,
        as.transactionalId(),
        topic,
        partition,
        s -> Batch.of(value).by(as.producer().apply(s), sequence).transactional().records());
  }

  static Step describe(String... transactionalIds) {
    return ask(
        ApiKeys.DESCRIBE_TRANSACTIONS,
        0,
        s -> {
          var request = new DescribeTransactionsRequestData();
          for (String id : transactionalIds) {
            request.transactionalIds().add(s.name(id));
          }
          return request;
        });
  }

  static Step list(int version, String slot, String... states) {
    return ask(
        ApiKeys.LIST_TRANSACTIONS,
        version,
        s ->
            new ListTransactionsRequestData()
                .setStateFilters(List.of(states))
                .setProducerIdFilters(List.of(s.producer(slot).id())));
  }

  static Step writeMarker(int version, As as, boolean commit, String topic, int partition) {
    return ask(
        ApiKeys.WRITE_TXN_MARKERS,
        version,
        s ->
            new WriteTxnMarkersRequestData()
                .setMarkers(
                    List.of(
                        new WriteTxnMarkersRequestData.WritableTxnMarker()
                            .setProducerId(as.producer().apply(s).id())
                            .setProducerEpoch(as.producer().apply(s).epoch())
                            .setTransactionResult(commit)
                            .setCoordinatorEpoch(0)
                            .setTopics(
                                List.of(
                                    new WriteTxnMarkersRequestData.WritableTxnMarkerTopic()
                                        .setName(s.name(topic))
                                        .setPartitionIndexes(List.of(partition)))))));
  }
}
