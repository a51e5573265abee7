package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The topic that is a coordinator's log: made when the first client asks for its coordinator.
public final class InternalTopic {
  /// How the topic is made.
  ///
  /// @param replicationFactor at most; fewer if there are fewer brokers
  /// @param configs its settings, by its number of replicas
  public record Definition(
      String name,
      int partitions,
      int replicationFactor,
      IntFunction<Map<String, String>> configs) {}

  private static final Logger LOG = LoggerFactory.getLogger(InternalTopic.class);
  private static final int DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

  private final Cluster cluster;
  private final Definition definition;
  private final AtomicReference<@Nullable CompletableFuture<ErrorCode>> creation =
      new AtomicReference<>();

  InternalTopic(Cluster cluster, Definition definition) {
    this.cluster = cluster;
    this.definition = definition;
  }

  String name() {
    return definition.name();
  }

  /// How many partitions it has; 0 if it does not exist.
  int partitions() {
    TopicImage topic = cluster.image().topic(name());
    return topic == null ? 0 : topic.partitions().size();
  }

  /// The largest batch that it takes.
  int maxMessageBytes() {
    String value = cluster.topicConfig(cluster.image(), name()).get("max.message.bytes");
    try {
      return value == null ? DEFAULT_MAX_MESSAGE_BYTES : Integer.parseInt(value);
    } catch (NumberFormatException e) {
      LOG.warn("max.message.bytes of {} is {}", name(), value, e);
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
    short replicas = (short) Math.min(definition.replicationFactor(), brokers);
    NewTopic topic =
        new NewTopic(
            name(),
            definition.partitions(),
            replicas,
            Map.of(),
            definition.configs().apply(replicas));
    cluster
        .createTopics(List.of(topic), false)
        .whenComplete(
            (results, failure) -> {
              creation.set(null);
              mine.complete(outcome(results, failure));
            });
    return mine;
  }

  private ErrorCode outcome(@Nullable List<TopicResult> results, @Nullable Throwable failure) {
    if (failure != null || results == null) {
      LOG.warn("{} could not be made; clients try again", name(), failure);
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    }
    Cluster.Result result = results.getFirst().result();
    return switch (result.error()) {
      case NONE, TOPIC_ALREADY_EXISTS -> ErrorCode.NONE;
      default -> {
        LOG.warn("{} could not be made: {}: {}", name(), result.error(), result.message());
        yield ErrorCode.COORDINATOR_NOT_AVAILABLE;
      }
    };
  }
}
