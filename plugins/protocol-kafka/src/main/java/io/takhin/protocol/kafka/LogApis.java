package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.DeleteRecordsResult;
import io.takhin.api.partition.Partition.EpochLookup;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.OffsetLookup;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import java.util.ArrayList;
import java.util.Arrays;
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
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// What a partition's log knows beside its records: ListOffsets, OffsetForLeaderEpoch,
/// DeleteRecords, DescribeProducers.
final class LogApis {
  private static final long LATEST = -1;
  private static final long EARLIEST = -2;
  private static final long MAX_TIMESTAMP = -3;

  /// The first ListOffsets version that knows -1, -2, -3, -4, -5, -6.
  private static final int[] SINCE = {1, 1, 7, 8, 9, 11};

  private final Cluster cluster;
  private final PartitionService partitions;

  LogApis(Cluster cluster, PartitionService partitions) {
    this.cluster = cluster;
    this.partitions = partitions;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.LIST_OFFSETS, this::listOffsets),
        MessageApi.all(ApiKeys.OFFSET_FOR_LEADER_EPOCH, this::offsetForLeaderEpoch),
        MessageApi.all(ApiKeys.DELETE_RECORDS, this::deleteRecords),
        MessageApi.all(ApiKeys.DESCRIBE_PRODUCERS, this::describeProducers));
  }

  /// The leader here, or why there is none.
  private record Found(@Nullable Partition partition, ErrorCode error) {}

  private Found find(MetadataImage image, String topic, int index) {
    TopicImage known = image.topic(topic);
    if (known == null || index < 0 || index >= known.partitions().size()) {
      return new Found(null, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    PartitionService.Topic here = partitions.topic(topic);
    Partition partition = here == null ? null : here.partition(index);
    if (partition == null) {
      return new Found(null, ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
    if (partition.offline() != null) {
      return new Found(null, ErrorCode.KAFKA_STORAGE_ERROR);
    }
    return partition.leader()
        ? new Found(partition, ErrorCode.NONE)
        : new Found(null, ErrorCode.NOT_LEADER_OR_FOLLOWER);
  }

  private void listOffsets(Exchange exchange, ListOffsetsRequestData request) {
    if (readsDisk(request)) {
      exchange.blocking(() -> exchange.respond(offsets(exchange.version(), request)));
    } else {
      exchange.respond(offsets(exchange.version(), request));
    }
  }

  private static boolean readsDisk(ListOffsetsRequestData request) {
    for (ListOffsetsTopic topic : request.topics()) {
      for (ListOffsetsPartition partition : topic.partitions()) {
        if (partition.timestamp() >= 0 || partition.timestamp() == MAX_TIMESTAMP) {
          return true;
        }
      }
    }
    return false;
  }

  private ListOffsetsResponseData offsets(short version, ListOffsetsRequestData request) {
    Isolation isolation =
        request.isolationLevel() == 1 ? Isolation.READ_COMMITTED : Isolation.READ_UNCOMMITTED;
    MetadataImage image = cluster.image();
    Set<Wanted> duplicates = duplicates(request);
    List<ListOffsetsTopicResponse> topics = new ArrayList<>(request.topics().size());
    for (ListOffsetsTopic topic : request.topics()) {
      List<ListOffsetsPartitionResponse> answers = new ArrayList<>(topic.partitions().size());
      for (ListOffsetsPartition partition : topic.partitions()) {
        OffsetLookup found =
            duplicates.contains(new Wanted(topic.name(), partition.partitionIndex()))
                ? failed(ErrorCode.INVALID_REQUEST)
                : lookup(version, image, topic.name(), partition, isolation);
        answers.add(
            new ListOffsetsPartitionResponse()
                .setPartitionIndex(partition.partitionIndex())
                .setErrorCode(found.error().code())
                .setTimestamp(found.timestampMs())
                .setOffset(found.offset())
                .setLeaderEpoch(version >= 4 ? found.leaderEpoch() : -1));
      }
      topics.add(new ListOffsetsTopicResponse().setName(topic.name()).setPartitions(answers));
    }
    return new ListOffsetsResponseData().setTopics(topics);
  }

  /// A partition that a request names.
  private record Wanted(String topic, int partition) {}

  private static Set<Wanted> duplicates(ListOffsetsRequestData request) {
    Set<Wanted> seen = new HashSet<>();
    Set<Wanted> duplicates = new HashSet<>();
    for (ListOffsetsTopic topic : request.topics()) {
      for (ListOffsetsPartition partition : topic.partitions()) {
        Wanted wanted = new Wanted(topic.name(), partition.partitionIndex());
        if (!seen.add(wanted)) {
          duplicates.add(wanted);
        }
      }
    }
    return duplicates;
  }

  private OffsetLookup lookup(
      short version,
      MetadataImage image,
      String topic,
      ListOffsetsPartition asked,
      Isolation isolation) {
    long timestamp = asked.timestamp();
    if (timestamp < -SINCE.length || (timestamp < 0 && version < SINCE[(int) (-1 - timestamp)])) {
      return failed(ErrorCode.UNSUPPORTED_VERSION);
    }
    Found found = find(image, topic, asked.partitionIndex());
    if (found.partition() == null) {
      return failed(found.error());
    }
    OffsetLookup result;
    try {
      result = found.partition().lookup(timestamp, isolation, asked.currentLeaderEpoch());
    } catch (TakhinException failure) {
      // One partition's bad disk is not the others'.
      return failed(failure.code());
    }
    if (result.error() == ErrorCode.NONE) {
      return timestamp == LATEST || timestamp == EARLIEST
          ? new OffsetLookup(result.error(), result.offset(), -1, result.leaderEpoch())
          : result;
    }
    return failed(
        result.error() == ErrorCode.OFFSET_NOT_AVAILABLE && version < 5
            ? ErrorCode.LEADER_NOT_AVAILABLE
            : result.error());
  }

  private static OffsetLookup failed(ErrorCode error) {
    return new OffsetLookup(error, -1, -1, -1);
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
    Found found = find(image, topic, asked.partition());
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
    Found found = find(image, topic, index);
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
    for (TopicRequest topic : request.topics()) {
      TopicResponse answer = new TopicResponse().setName(topic.name());
      response.topics().add(answer);
      String invalid = Conversions.invalidTopicName(topic.name());
      for (int index : topic.partitionIndexes()) {
        answer
            .partitions()
            .add(
                invalid == null
                    ? producers(find(image, topic.name(), index)).setPartitionIndex(index)
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
