package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.partition.Partition.DeleteRecordsResult;
import io.takhin.api.partition.Partition.EpochLookup;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import io.takhin.protocol.kafka.topics.LocalLeaders;
import io.takhin.protocol.kafka.topics.LocalLeaders.Found;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResult;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeProducersResponseData.PartitionResponse;
import org.apache.kafka.common.message.DescribeProducersResponseData.ProducerState;
import org.apache.kafka.common.message.DescribeProducersResponseData.TopicResponse;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// What a partition's log knows beside its records: OffsetForLeaderEpoch, DeleteRecords,
/// DescribeProducers.
final class LogApis {
  private final Cluster cluster;
  private final LocalLeaders leaders;

  LogApis(Cluster cluster, PartitionService partitions) {
    this.cluster = cluster;
    leaders = new LocalLeaders(partitions);
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.OFFSET_FOR_LEADER_EPOCH, this::offsetForLeaderEpoch),
        MessageApi.all(ApiKeys.DELETE_RECORDS, this::deleteRecords),
        MessageApi.all(ApiKeys.DESCRIBE_PRODUCERS, this::describeProducers));
  }

  private void offsetForLeaderEpoch(Exchange exchange, OffsetForLeaderEpochRequestData request) {
    MetadataImage image = cluster.image();
    OffsetForLeaderEpochResponseData response = new OffsetForLeaderEpochResponseData();
    // A topic named twice is answered once, with the partitions of both.
    Map<String, List<EpochEndOffset>> topics = new LinkedHashMap<>();
    for (OffsetForLeaderTopic topic : request.topics()) {
      List<EpochEndOffset> ends =
          topics.computeIfAbsent(topic.topic(), name -> new ArrayList<>(topic.partitions().size()));
      for (OffsetForLeaderPartition partition : topic.partitions()) {
        ends.add(endOffset(image, topic.topic(), partition));
      }
    }
    topics.forEach(
        (name, ends) ->
            response
                .topics()
                .add(new OffsetForLeaderTopicResult().setTopic(name).setPartitions(ends)));
    exchange.respond(response);
  }

  private EpochEndOffset endOffset(
      MetadataImage image, String topic, OffsetForLeaderPartition asked) {
    EpochEndOffset answer = new EpochEndOffset().setPartition(asked.partition());
    Found found = leaders.find(image, topic, asked.partition());
    if (found.partition() == null) {
      return answer.setErrorCode(found.error().code());
    }
    EpochLookup end =
        found.partition().endOffsetForEpoch(asked.leaderEpoch(), asked.currentLeaderEpoch());
    return end.error() == ErrorCode.NONE
        ? answer.setLeaderEpoch(end.epoch()).setEndOffset(end.endOffset())
        : answer.setErrorCode(end.error().code());
  }

  private void deleteRecords(Exchange exchange, DeleteRecordsRequestData request) {
    // Raising a log's start is written down before it is answered.
    exchange.blocking(() -> exchange.respond(deletedRecords(request)));
  }

  private DeleteRecordsResponseData deletedRecords(DeleteRecordsRequestData request) {
    MetadataImage image = cluster.image();
    Map<String, Map<Integer, Long>> wanted = new LinkedHashMap<>();
    for (DeleteRecordsTopic topic : request.topics()) {
      Map<Integer, Long> offsets =
          wanted.computeIfAbsent(topic.name(), name -> new LinkedHashMap<>());
      for (DeleteRecordsPartition partition : topic.partitions()) {
        offsets.put(partition.partitionIndex(), partition.offset());
      }
    }
    DeleteRecordsResponseData response = new DeleteRecordsResponseData();
    wanted.forEach(
        (name, offsets) -> {
          DeleteRecordsTopicResult topic = new DeleteRecordsTopicResult().setName(name);
          response.topics().add(topic);
          ErrorCode refusal = image.topic(name) == null ? ErrorCode.NONE : refusal(image, name);
          offsets.forEach(
              (index, offset) -> {
                DeleteRecordsResult result = deletedRecords(image, name, index, offset, refusal);
                topic
                    .partitions()
                    .add(
                        new InOrder.DeletedRecords(topic.partitions().size())
                            .setPartitionIndex(index)
                            .setLowWatermark(result.lowWatermark())
                            .setErrorCode(result.error().code()));
              });
        });
    return response;
  }

  /// Why nobody may delete records of a topic (T16, T69); NONE if they may.
  private ErrorCode refusal(MetadataImage image, String topic) {
    if (Topic.isInternal(topic)) {
      return ErrorCode.INVALID_TOPIC_EXCEPTION;
    }
    String policy = cluster.topicConfig(image, topic).getOrDefault("cleanup.policy", "delete");
    boolean delete =
        Arrays.stream(policy.split(",", -1)).map(String::strip).anyMatch("delete"::equals);
    return delete ? ErrorCode.NONE : ErrorCode.POLICY_VIOLATION;
  }

  private DeleteRecordsResult deletedRecords(
      MetadataImage image, String topic, int index, long offset, ErrorCode refusal) {
    Found found = leaders.find(image, topic, index);
    if (found.error() == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) {
      return new DeleteRecordsResult(found.error(), -1);
    }
    if (refusal != ErrorCode.NONE) {
      return new DeleteRecordsResult(refusal, -1);
    }
    if (found.partition() == null) {
      return new DeleteRecordsResult(found.error(), -1);
    }
    try {
      return found.partition().deleteRecords(offset);
    } catch (TakhinException failure) {
      return new DeleteRecordsResult(failure.code(), -1);
    }
  }

  private void describeProducers(Exchange exchange, DescribeProducersRequestData request) {
    MetadataImage image = cluster.image();
    DescribeProducersResponseData response = new DescribeProducersResponseData();
    // Once however often they are asked for: a partition may have very many producers.
    Map<String, Set<Integer>> shown = new HashMap<>();
    for (TopicRequest topic : request.topics()) {
      TopicResponse answer = new TopicResponse().setName(topic.name());
      response.topics().add(answer);
      String invalid = Conversions.invalidTopicName(topic.name());
      Set<Integer> once = shown.computeIfAbsent(topic.name(), name -> new HashSet<>());
      for (int index : topic.partitionIndexes()) {
        if (!once.add(index)) {
          continue;
        }
        answer
            .partitions()
            .add(
                invalid == null
                    ? producers(leaders.find(image, topic.name(), index)).setPartitionIndex(index)
                    : failed(ErrorCode.INVALID_TOPIC_EXCEPTION, invalid).setPartitionIndex(index));
      }
    }
    exchange.respond(response);
  }

  private static PartitionResponse failed(ErrorCode error, @Nullable String message) {
    return new PartitionResponse()
        .setErrorCode(error.code())
        .setErrorMessage(Conversions.message(error, message));
  }

  private static PartitionResponse producers(Found found) {
    if (found.partition() == null) {
      return failed(found.error(), null);
    }
    PartitionResponse answer = new PartitionResponse();
    for (ActiveProducer producer : found.partition().activeProducers()) {
      answer
          .activeProducers()
          .add(
              new ProducerState()
                  .setProducerId(producer.producerId())
                  .setProducerEpoch(producer.producerEpoch())
                  .setLastSequence(producer.lastSequence())
                  .setLastTimestamp(producer.lastTimestampMs())
                  .setCoordinatorEpoch(producer.coordinatorEpoch())
                  .setCurrentTxnStartOffset(producer.txnStartOffset()));
    }
    return answer;
  }
}
