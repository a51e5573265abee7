package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnTopicResultCollection;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData.TxnOffsetCommitResponsePartition;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData.TxnOffsetCommitResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;

/// What a transactional producer asks for beside InitProducerId and Produce: AddPartitionsToTxn,
/// AddOffsetsToTxn, TxnOffsetCommit, EndTxn, in both generations of the protocol (KIP-98, KIP-890).
///
/// Topics are checked here against the metadata; ids, epochs and states by the coordinators. Older
/// versions do not know all errors: see [#told].
final class TransactionApis {
  /// From here AddPartitionsToTxn is a batch of transactions, asked for by brokers.
  private static final int FIRST_BATCHED = 4;

  /// From here TxnOffsetCommit adds the group to the transaction by itself, and EndTxn raises the
  /// epoch (`transaction.version=2`).
  private static final int FIRST_OF_VERSION_2 = 5;

  private final Cluster cluster;
  private final GroupCoordinator groups;
  private final TransactionCoordinator transactions;

  TransactionApis(Cluster cluster, GroupCoordinator groups, TransactionCoordinator transactions) {
    this.cluster = cluster;
    this.groups = groups;
    this.transactions = transactions;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.ADD_PARTITIONS_TO_TXN, this::addPartitions),
        MessageApi.all(ApiKeys.ADD_OFFSETS_TO_TXN, this::addOffsets),
        MessageApi.all(ApiKeys.END_TXN, this::end),
        MessageApi.all(ApiKeys.TXN_OFFSET_COMMIT, this::commitOffsets));
  }

  /// An error as a client of a version understands it (T46): PRODUCER_FENCED is
  /// INVALID_PRODUCER_EPOCH to those that do not know it, and TRANSACTION_ABORTABLE
  /// INVALID_TXN_STATE.
  static ErrorCode told(ErrorCode error, int version, int knowsFenced, int knowsAbortable) {
    if (error == ErrorCode.PRODUCER_FENCED && version < knowsFenced) {
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    }
    return error == ErrorCode.TRANSACTION_ABORTABLE && version < knowsAbortable
        ? ErrorCode.INVALID_TXN_STATE
        : error;
  }

  // AddPartitionsToTxn.

  private void addPartitions(Exchange exchange, AddPartitionsToTxnRequestData request) {
    short version = exchange.version();
    if (version < FIRST_BATCHED) {
      Conversions.answer(
          exchange,
          add(
              version,
              request.v3AndBelowTransactionalId(),
              request.v3AndBelowProducerId(),
              request.v3AndBelowProducerEpoch(),
              false,
              request.v3AndBelowTopics()),
          results -> new AddPartitionsToTxnResponseData().setResultsByTopicV3AndBelow(results));
      return;
    }
    List<CompletableFuture<AddPartitionsToTxnTopicResultCollection>> added =
        new ArrayList<>(request.transactions().size());
    for (AddPartitionsToTxnTransaction each : request.transactions()) {
      added.add(
          add(
              version,
              each.transactionalId(),
              each.producerId(),
              each.producerEpoch(),
              each.verifyOnly(),
              each.topics()));
    }
    Conversions.answer(
        exchange,
        CompletableFuture.allOf(added.toArray(CompletableFuture[]::new)),
        done -> {
          AddPartitionsToTxnResponseData response = new AddPartitionsToTxnResponseData();
          int at = 0;
          for (AddPartitionsToTxnTransaction each : request.transactions()) {
            response
                .resultsByTransaction()
                .add(
                    new InOrder.AddedToTransaction(at)
                        .setTransactionalId(each.transactionalId())
                        .setTopicResults(added.get(at).join()));
            at++;
          }
          return response;
        });
  }

  private CompletableFuture<AddPartitionsToTxnTopicResultCollection> add(
      short version,
      String transactionalId,
      long producerId,
      short producerEpoch,
      boolean verifyOnly,
      Collection<AddPartitionsToTxnTopic> topics) {
    MetadataImage image = cluster.image();
    List<TxnPartition> wanted = new ArrayList<>();
    List<ErrorCode> checked = new ArrayList<>();
    boolean allKnown = true;
    for (AddPartitionsToTxnTopic topic : topics) {
      TopicImage known = image.topic(topic.name());
      for (int index : topic.partitions()) {
        boolean exists = known != null && index >= 0 && index < known.partitions().size();
        allKnown &= exists;
        wanted.add(new TxnPartition(topic.name(), index));
        checked.add(
            exists ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      }
    }
    CompletableFuture<List<ErrorCode>> results;
    if (!allKnown) {
      results = CompletableFuture.completedFuture(checked);
    } else if (verifyOnly) {
      results = transactions.verify(transactionalId, producerId, producerEpoch, wanted);
    } else {
      results = transactions.addPartitions(transactionalId, producerId, producerEpoch, wanted);
    }
    return results.thenApply(errors -> byTopic(version, topics, errors));
  }

  private static AddPartitionsToTxnTopicResultCollection byTopic(
      short version, Collection<AddPartitionsToTxnTopic> topics, List<ErrorCode> errors) {
    var results = new AddPartitionsToTxnTopicResultCollection(topics.size());
    int at = 0;
    for (AddPartitionsToTxnTopic topic : topics) {
      var answer = new InOrder.AddedTopic(results.size());
      answer.setName(topic.name());
      for (int index : topic.partitions()) {
        answer
            .resultsByPartition()
            .add(
                new InOrder.AddedPartition(at)
                    .setPartitionIndex(index)
                    .setPartitionErrorCode(told(errors.get(at), version, 2, 5).code()));
        at++;
      }
      results.add(answer);
    }
    return results;
  }

  // AddOffsetsToTxn and EndTxn.

  private void addOffsets(Exchange exchange, AddOffsetsToTxnRequestData request) {
    Conversions.answer(
        exchange,
        transactions.addOffsets(
            request.transactionalId(),
            request.producerId(),
            request.producerEpoch(),
            request.groupId()),
        error ->
            new AddOffsetsToTxnResponseData()
                .setErrorCode(told(error, exchange.version(), 2, 4).code()));
  }

  private void end(Exchange exchange, EndTxnRequestData request) {
    short version = exchange.version();
    Conversions.answer(
        exchange,
        transactions.end(
            request.transactionalId(),
            request.producerId(),
            request.producerEpoch(),
            request.committed(),
            version >= FIRST_OF_VERSION_2),
        result -> {
          EndTxnResponseData response =
              new EndTxnResponseData().setErrorCode(told(result.error(), version, 2, 4).code());
          return version >= FIRST_OF_VERSION_2 && result.error() == ErrorCode.NONE
              ? response.setProducerId(result.producerId()).setProducerEpoch(result.producerEpoch())
              : response;
        });
  }

  // TxnOffsetCommit.

  private void commitOffsets(Exchange exchange, TxnOffsetCommitRequestData request) {
    short version = exchange.version();
    boolean byId = version >= 6;
    MetadataImage image = cluster.image();
    TxnOffsetCommitResponseData response = new TxnOffsetCommitResponseData();
    List<OffsetToCommit> offsets = new ArrayList<>();
    List<TxnOffsetCommitResponsePartition> answers = new ArrayList<>();
    for (TxnOffsetCommitRequestTopic asked : request.topics()) {
      TopicImage topic =
          byId ? image.topic(Conversions.uuid(asked.topicId())) : image.topic(asked.name());
      List<TxnOffsetCommitResponsePartition> partitions =
          new ArrayList<>(asked.partitions().size());
      for (TxnOffsetCommitRequestPartition partition : asked.partitions()) {
        int index = partition.partitionIndex();
        TxnOffsetCommitResponsePartition answer =
            new TxnOffsetCommitResponsePartition().setPartitionIndex(index);
        partitions.add(answer);
        ErrorCode error = OffsetApis.check(topic, index, byId);
        if (topic == null || error != ErrorCode.NONE) {
          answer.setErrorCode(error.code());
          continue;
        }
        answers.add(answer);
        offsets.add(
            new OffsetToCommit(
                topic.id(),
                topic.name(),
                index,
                partition.committedOffset(),
                partition.committedLeaderEpoch(),
                Objects.requireNonNullElse(partition.committedMetadata(), "")));
      }
      response
          .topics()
          .add(
              new TxnOffsetCommitResponseTopic()
                  .setName(asked.name())
                  .setTopicId(asked.topicId())
                  .setPartitions(partitions));
    }
    if (offsets.isEmpty()) {
      exchange.respond(response);
      return;
    }
    Conversions.answer(
        exchange,
        include(version, request).thenCompose(refusal -> commit(refusal, request, offsets)),
        errors -> {
          for (int i = 0; i < answers.size(); i++) {
            answers.get(i).setErrorCode(offsetError(errors.get(i), version).code());
          }
          return response;
        });
  }

  private CompletableFuture<List<ErrorCode>> commit(
      ErrorCode refusal, TxnOffsetCommitRequestData request, List<OffsetToCommit> offsets) {
    if (refusal != ErrorCode.NONE) {
      return CompletableFuture.completedFuture(Collections.nCopies(offsets.size(), refusal));
    }
    return groups.commitTransactionalOffsets(
        new TxnCommitRequest(
            request.transactionalId(),
            request.groupId(),
            request.producerId(),
            request.producerEpoch(),
            request.generationIdOrMemberEpoch(),
            request.memberId(),
            request.groupInstanceId(),
            offsets));
  }

  /// Sees to it that the group is in the transaction: no offset may wait for a marker that nobody
  /// will write (KIP-890).
  private CompletableFuture<ErrorCode> include(short version, TxnOffsetCommitRequestData request) {
    CompletableFuture<ErrorCode> included;
    if (version >= FIRST_OF_VERSION_2) {
      included =
          transactions.addOffsets(
              request.transactionalId(),
              request.producerId(),
              request.producerEpoch(),
              request.groupId());
    } else {
      included =
          groups
              .partitionFor(request.groupId())
              .thenCompose(
                  found ->
                      found.error() != ErrorCode.NONE
                          ? CompletableFuture.completedFuture(found.error())
                          : verify(request, found.partition()));
    }
    return included.thenApply(error -> fromTransactions(error, version));
  }

  private CompletableFuture<ErrorCode> verify(
      TxnOffsetCommitRequestData request, int offsetsPartition) {
    TxnPartition partition = new TxnPartition(Topic.GROUP_METADATA_TOPIC_NAME, offsetsPartition);
    return transactions
        .verify(
            request.transactionalId(),
            request.producerId(),
            request.producerEpoch(),
            List.of(partition))
        .thenApply(List::getFirst);
  }

  /// The client asked the group's coordinator: what is wrong with the other one it can only wait
  /// for.
  private static ErrorCode fromTransactions(ErrorCode error, short version) {
    return switch (error) {
      case PRODUCER_FENCED -> ErrorCode.INVALID_PRODUCER_EPOCH;
      case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE -> ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      case CONCURRENT_TRANSACTIONS ->
          version < FIRST_OF_VERSION_2 ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : error;
      default -> error;
    };
  }

  /// Before version 2 clients did not wait for a coordinator that loads, before version 3 they knew
  /// nothing of members.
  private static ErrorCode offsetError(ErrorCode error, short version) {
    return switch (error) {
      case COORDINATOR_LOAD_IN_PROGRESS ->
          version < 2 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : error;
      default -> told(error, version, 0, 4);
    };
  }
}
