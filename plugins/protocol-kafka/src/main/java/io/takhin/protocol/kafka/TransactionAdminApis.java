package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.ListedTransaction;
import io.takhin.api.transaction.TransactionCoordinator.ListedTransactions;
import io.takhin.api.transaction.TransactionCoordinator.TransactionDescription;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData.TopicData;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarkerTopic;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerPartitionResult;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerResult;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;

/// Transactions as operators see and mend them (KIP-664, KIP-994, KIP-1152): ListTransactions,
/// DescribeTransactions, and WriteTxnMarkers, by which a hanging transaction is aborted.
final class TransactionAdminApis {
  private final Cluster cluster;
  private final PartitionService partitions;
  private final GroupCoordinator groups;
  private final TransactionCoordinator transactions;

  TransactionAdminApis(
      Cluster cluster,
      PartitionService partitions,
      GroupCoordinator groups,
      TransactionCoordinator transactions) {
    this.cluster = cluster;
    this.partitions = partitions;
    this.groups = groups;
    this.transactions = transactions;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.WRITE_TXN_MARKERS, this::writeMarkers),
        MessageApi.all(ApiKeys.DESCRIBE_TRANSACTIONS, this::describe),
        MessageApi.all(ApiKeys.LIST_TRANSACTIONS, this::list));
  }

  private void writeMarkers(Exchange exchange, WriteTxnMarkersRequestData request) {
    WriteTxnMarkersResponseData response = new WriteTxnMarkersResponseData();
    List<CompletableFuture<?>> written = new ArrayList<>();
    for (WritableTxnMarker marker : request.markers()) {
      WritableTxnMarkerResult result =
          new WritableTxnMarkerResult().setProducerId(marker.producerId());
      response.markers().add(result);
      for (WritableTxnMarkerTopic topic : marker.topics()) {
        WritableTxnMarkerTopicResult topicResult =
            new WritableTxnMarkerTopicResult().setName(topic.name());
        result.topics().add(topicResult);
        for (int index : topic.partitionIndexes()) {
          WritableTxnMarkerPartitionResult answer =
              new WritableTxnMarkerPartitionResult().setPartitionIndex(index);
          topicResult.partitions().add(answer);
          written.add(
              write(marker, topic.name(), index)
                  .exceptionally(Conversions::code)
                  .thenAccept(error -> answer.setErrorCode(markerError(error).code())));
        }
      }
    }
    Conversions.answer(
        exchange,
        CompletableFuture.allOf(written.toArray(CompletableFuture[]::new)),
        done -> response);
  }

  private CompletableFuture<ErrorCode> write(WritableTxnMarker marker, String topic, int index) {
    MetadataImage image = cluster.image();
    TopicImage known = image.topic(topic);
    if (known == null || index < 0 || index >= known.partitions().size()) {
      return CompletableFuture.completedFuture(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (topic.equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
      return groups.endTransaction(
          index,
          marker.producerId(),
          marker.producerEpoch(),
          marker.coordinatorEpoch(),
          marker.transactionResult(),
          marker.transactionVersion());
    }
    PartitionService.Topic here = partitions.topic(topic);
    Partition partition = here == null ? null : here.partition(index);
    if (partition == null) {
      return CompletableFuture.completedFuture(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
    return partition.endTransaction(
        marker.producerId(),
        marker.producerEpoch(),
        marker.coordinatorEpoch(),
        marker.transactionResult(),
        marker.transactionVersion());
  }

  /// Who writes markers looks for leaders, not for coordinators.
  private static ErrorCode markerError(ErrorCode error) {
    return switch (error) {
      case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS ->
          ErrorCode.NOT_LEADER_OR_FOLLOWER;
      default -> error;
    };
  }

  private void describe(Exchange exchange, DescribeTransactionsRequestData request) {
    Conversions.answer(
        exchange,
        // Once however often it is asked for: its partitions may be very many.
        transactions.describe(List.copyOf(new LinkedHashSet<>(request.transactionalIds()))),
        descriptions -> {
          DescribeTransactionsResponseData response = new DescribeTransactionsResponseData();
          descriptions.forEach(each -> response.transactionStates().add(described(each)));
          return response;
        });
  }

  private static DescribeTransactionsResponseData.TransactionState described(
      TransactionDescription description) {
    var answer =
        new DescribeTransactionsResponseData.TransactionState()
            .setErrorCode(description.error().code())
            .setTransactionalId(description.transactionalId());
    if (description.error() != ErrorCode.NONE) {
      return answer;
    }
    Map<String, List<Integer>> topics = new TreeMap<>();
    for (TxnPartition partition : description.partitions()) {
      topics
          .computeIfAbsent(partition.topic(), name -> new ArrayList<>())
          .add(partition.partition());
    }
    topics.forEach(
        (name, indexes) ->
            answer.topics().add(new TopicData().setTopic(name).setPartitions(indexes)));
    return answer
        .setTransactionState(description.state())
        .setTransactionTimeoutMs(description.timeoutMs())
        .setTransactionStartTimeMs(description.startTimeMs())
        .setProducerId(description.producerId())
        .setProducerEpoch(description.producerEpoch());
  }

  private void list(Exchange exchange, ListTransactionsRequestData request) {
    ListedTransactions listed =
        transactions.list(
            new HashSet<>(request.stateFilters()),
            new HashSet<>(request.producerIdFilters()),
            request.durationFilter(),
            request.transactionalIdPattern());
    ListTransactionsResponseData response =
        new ListTransactionsResponseData()
            .setErrorCode(listed.error().code())
            .setUnknownStateFilters(listed.unknownStates());
    for (ListedTransaction each : listed.transactions()) {
      response
          .transactionStates()
          .add(
              new ListTransactionsResponseData.TransactionState()
                  .setTransactionalId(each.transactionalId())
                  .setProducerId(each.producerId())
                  .setTransactionState(each.state()));
    }
    exchange.respond(response);
  }
}
