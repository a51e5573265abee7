package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The internal topic: made when the first transactional producer asks for its coordinator.
final class StateTopic {
  /// Its name.
  static final String NAME = "__transaction_state";

  private static final Logger LOG = LoggerFactory.getLogger(StateTopic.class);
  private static final int DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

  private final Cluster cluster;
  private final TransactionConfig config;
  private final AtomicReference<@Nullable CompletableFuture<ErrorCode>> creation =
      new AtomicReference<>();

  StateTopic(Cluster cluster, TransactionConfig config) {
    this.cluster = cluster;
    this.config = config;
  }

  /// How many partitions it has; 0 if it does not exist.
  int partitions() {
    TopicImage topic = cluster.image().topic(NAME);
    return topic == null ? 0 : topic.partitions().size();
  }

  /// The largest batch that it takes.
  int maxMessageBytes() {
    String value = cluster.topicConfig(cluster.image(), NAME).get("max.message.bytes");
    try {
      return value == null ? DEFAULT_MAX_MESSAGE_BYTES : Integer.parseInt(value);
    } catch (NumberFormatException e) {
      LOG.warn("max.message.bytes of {} is {}", NAME, value, e);
      return DEFAULT_MAX_MESSAGE_BYTES;
    }
  }

  /// Makes it, once for all who ask meanwhile. NONE if it exists afterwards.
  CompletableFuture<ErrorCode> create() {
    CompletableFuture<ErrorCode> mine = new CompletableFuture<>();
    CompletableFuture<ErrorCode> running = creation.compareAndExchange(null, mine);
    if (running != null) {
      return running;
    }
    int brokers = Math.max(1, cluster.image().brokers().size());
    short replicas = (short) Math.min(config.replicationFactor(), brokers);
    NewTopic topic =
        new NewTopic(
            NAME,
            config.partitions(),
            replicas,
            Map.of(),
            Map.of(
                "cleanup.policy", "compact",
                "compression.type", "uncompressed",
                "unclean.leader.election.enable", "false",
                "min.insync.replicas", Integer.toString(Math.min(config.minIsr(), replicas)),
                "segment.bytes", Integer.toString(config.segmentBytes())));
    cluster
        .createTopics(List.of(topic), false)
        .whenComplete(
            (results, failure) -> {
              creation.set(null);
              mine.complete(outcome(results, failure));
            });
    return mine;
  }

  private static ErrorCode outcome(
      @Nullable List<TopicResult> results, @Nullable Throwable failure) {
    if (failure != null || results == null) {
      LOG.warn("{} could not be made; clients try again", NAME, failure);
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    }
    Cluster.Result result = results.getFirst().result();
    return switch (result.error()) {
      case NONE, TOPIC_ALREADY_EXISTS -> ErrorCode.NONE;
      default -> {
        LOG.warn("{} could not be made: {}: {}", NAME, result.error(), result.message());
        yield ErrorCode.COORDINATOR_NOT_AVAILABLE;
      }
    };
  }
}
