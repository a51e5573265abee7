package io.takhin.distribution.differential;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// Waits, over a connection of its own, until what an answer promised holds for the next request
/// too: a topic has leaders, a change of metadata has reached the broker, the logs of a deleted
/// topic are gone, a transaction's markers are written.
///
/// Threading: one thread.
final class Settling implements AutoCloseable {
  private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(20);

  /// Kafka's brokers take changed configurations over a moment after their image has them, and
  /// there is nothing to ask for.
  private static final long KAFKA_CONFIGS_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

  private final Broker broker;
  private final State state;
  private @Nullable Connection connection;

  Settling(Broker broker, State state) {
    this.broker = broker;
    this.state = state;
  }

  /// Before a request: names that it may bring into being belong to this run.
  void before(Step step) {
    if (step.raw() == null && step.request().apply(state) instanceof MetadataRequestData asked) {
      if (asked.topics() != null) {
        asked.topics().stream().map(topic -> topic.name()).forEach(this::made);
      }
    }
  }

  private void made(@Nullable String topic) {
    if (topic != null && topic.startsWith(state.prefix())) {
      state.topicMade(topic);
    }
  }

  void after(Step step, @Nullable ApiMessage request, ApiMessage told) throws IOException {
    switch (request) {
      case null -> {}
      case CreateTopicsRequestData created -> {
        created.topics().forEach(topic -> made(topic.name()));
        if (!created.validateOnly()) {
          topics();
        }
      }
      case CreatePartitionsRequestData partitions -> {
        if (!partitions.validateOnly()) {
          topics();
        }
      }
      case DeleteTopicsRequestData _ -> {
        topics();
        deletedLogs();
      }
      case MetadataRequestData asked -> {
        if (asked.topics() != null && asked.allowAutoTopicCreation()) {
          topics();
        }
      }
      case AlterConfigsRequestData _ -> configs();
      case IncrementalAlterConfigsRequestData _ -> configs();
      case UpdateFeaturesRequestData _ -> configs();
      case EndTxnRequestData end -> {
        if (((EndTxnResponseData) told).errorCode() == 0) {
          markers(end.transactionalId());
        }
      }
      default -> {}
    }
  }

  private void configs() throws IOException {
    catchUp();
    if (broker.lags()) {
      LockSupport.parkNanos(KAFKA_CONFIGS_NANOS);
    }
  }

  /// Until all partitions of the run's topics have leaders that answer.
  private void topics() throws IOException {
    catchUp();
    if (state.topics().isEmpty()) {
      return;
    }
    long end = System.nanoTime() + LIMIT_NANOS;
    while (!led() && System.nanoTime() < end) {
      LockSupport.parkNanos(3_000_000);
    }
  }

  /// Until DescribeLogDirs lists no log of a topic of the run that is not there: Kafka's brokers
  /// answer from a new image a moment before they have taken the logs of its deleted topics away.
  private void deletedLogs() throws IOException {
    if (!broker.lags() || state.topics().isEmpty()) {
      return;
    }
    Set<String> deleted = new HashSet<>(state.topics());
    for (MetadataResponseTopic topic : existing()) {
      deleted.remove(topic.name());
    }
    long end = System.nanoTime() + LIMIT_NANOS;
    while (listsAny(deleted) && System.nanoTime() < end) {
      LockSupport.parkNanos(3_000_000);
    }
  }

  private boolean listsAny(Set<String> topics) throws IOException {
    DescribeLogDirsResponseData all =
        ask(ApiKeys.DESCRIBE_LOG_DIRS, 1, new DescribeLogDirsRequestData().setTopics(null));
    return all.results().stream()
        .flatMap(directory -> directory.topics().stream())
        .anyMatch(topic -> topics.contains(topic.name()));
  }

  /// Those of the run's topics that are there.
  private List<MetadataResponseTopic> existing() throws IOException {
    MetadataRequestData question =
        new MetadataRequestData()
            .setAllowAutoTopicCreation(false)
            .setTopics(
                state.topics().stream()
                    .map(name -> new MetadataRequestData.MetadataRequestTopic().setName(name))
                    .toList());
    MetadataResponseData metadata = ask(ApiKeys.METADATA, 12, question);
    Learning.learn(state, Requests.NOTHING, null, metadata);
    return metadata.topics().stream()
        .filter(topic -> topic.errorCode() != Errors.UNKNOWN_TOPIC_OR_PARTITION.code())
        .toList();
  }

  private boolean led() throws IOException {
    ListOffsetsRequestData starts = new ListOffsetsRequestData().setReplicaId(-1);
    for (MetadataResponseTopic topic : existing()) {
      starts
          .topics()
          .add(
              new ListOffsetsRequestData.ListOffsetsTopic()
                  .setName(topic.name())
                  .setPartitions(
                      topic.partitions().stream()
                          .map(
                              partition ->
                                  new ListOffsetsRequestData.ListOffsetsPartition()
                                      .setPartitionIndex(partition.partitionIndex())
                                      .setTimestamp(-2))
                          .toList()));
    }
    ListOffsetsResponseData offsets = ask(ApiKeys.LIST_OFFSETS, 5, starts);
    return offsets.topics().stream()
        .flatMap(topic -> topic.partitions().stream())
        .allMatch(partition -> partition.errorCode() == 0);
  }

  /// Until the broker's image has what the metadata quorum has committed by now.
  private void catchUp() throws IOException {
    if (!broker.lags()) {
      return;
    }
    var partition = new DescribeQuorumRequestData.PartitionData().setPartitionIndex(0);
    DescribeQuorumRequestData question =
        new DescribeQuorumRequestData()
            .setTopics(
                List.of(
                    new DescribeQuorumRequestData.TopicData()
                        .setTopicName("__cluster_metadata")
                        .setPartitions(List.of(partition))));
    DescribeQuorumResponseData quorum = ask(ApiKeys.DESCRIBE_QUORUM, 0, question);
    long target = quorum.topics().getFirst().partitions().getFirst().highWatermark() - 1;
    long end = System.nanoTime() + LIMIT_NANOS;
    ApiVersionsResponseData versions;
    do {
      versions =
          ask(
              ApiKeys.API_VERSIONS,
              3,
              new ApiVersionsRequestData()
                  .setClientSoftwareName("differential")
                  .setClientSoftwareVersion("1"));
    } while (versions.finalizedFeaturesEpoch() < target && System.nanoTime() < end);
  }

  private void markers(String transactionalId) throws IOException {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (System.nanoTime() < end) {
      DescribeTransactionsResponseData described =
          ask(
              ApiKeys.DESCRIBE_TRANSACTIONS,
              0,
              new DescribeTransactionsRequestData().setTransactionalIds(List.of(transactionalId)));
      var transaction = described.transactionStates().getFirst();
      if (!transaction.transactionState().startsWith("Prepare")) {
        return;
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  /// Deletes the run's topics, so that thousands of runs leave a broker as they found it.
  void deleteTopics() throws IOException {
    if (!state.topics().isEmpty()) {
      ask(
          ApiKeys.DELETE_TOPICS,
          6,
          new DeleteTopicsRequestData()
              .setTimeoutMs(10_000)
              .setTopics(
                  state.topics().stream()
                      .map(name -> new DeleteTopicState().setName(name))
                      .toList()));
    }
  }

  @SuppressWarnings("unchecked") // whoever asks this API gets this answer
  private <R extends ApiMessage> R ask(ApiKeys api, int version, ApiMessage question)
      throws IOException {
    Connection open = connection;
    if (open == null) {
      open = new Connection(broker.address());
      connection = open;
    }
    open.send(api, (short) version, question);
    ByteBuffer frame = open.receive(20_000);
    if (frame == null) {
      throw new IOException(broker.name() + " did not answer " + question);
    }
    ByteBufferAccessor in = new ByteBufferAccessor(frame);
    new ResponseHeaderData().read(in, api.responseHeaderVersion((short) version));
    ApiMessage told = api.messageType.newResponse();
    told.read(in, (short) version);
    return (R) told;
  }

  @Override
  public void close() throws IOException {
    if (connection != null) {
      connection.close();
    }
  }
}
