package io.takhin.api.cluster;

import io.takhin.api.Api;
import io.takhin.api.Service;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The cluster as this broker sees it, and the way to change it.
///
/// Changes are futures that complete, on any thread, when the change is committed and this broker
/// has applied it and told its listeners; they fail with
/// [io.takhin.api.TakhinException] only if nothing is known of the outcome (NOT_CONTROLLER,
/// REQUEST_TIMED_OUT). What a client can get wrong is in the results.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface Cluster extends Service {
  /// This broker's id.
  int nodeId();

  /// The cluster's id: 22 characters of URL-safe base64, as Kafka writes it.
  String clusterId();

  /// The metadata as last applied here. One volatile read.
  MetadataImage image();

  /// The quorum below.
  MetadataQuorum quorum();

  /// Calls the listener with each change from now on, after a first call with the whole image.
  void subscribe(MetadataListener listener);

  /// Makes topics; a result for each, in order. `validateOnly` checks and changes nothing.
  CompletableFuture<List<TopicResult>> createTopics(List<NewTopic> topics, boolean validateOnly);

  /// Deletes topics by id; a result for each, in order.
  CompletableFuture<List<Result>> deleteTopics(List<UUID> topics);

  /// Adds partitions; a result for each, in order.
  CompletableFuture<List<Result>> createPartitions(
      List<NewPartitions> partitions, boolean validateOnly);

  /// Changes configs; a result for each resource, in order. All of a resource or nothing.
  CompletableFuture<List<Result>> alterConfigs(List<ConfigChanges> changes, boolean validateOnly);

  /// The configs of a resource with values, sources and documentation: all keys, or those named.
  /// Null if there is no such resource.
  @Nullable List<ConfigEntry> describeConfigs(ConfigResource resource, @Nullable List<String> keys);

  /// The value in force of every config key of a topic, by Kafka's names: the topic's own, else the
  /// broker's dynamic value, else the cluster-wide dynamic one, else the configured default.
  Map<String, String> topicConfig(MetadataImage image, String topic);

  /// Features that a cluster of this version can finalize, with their highest levels (KIP-584). The
  /// lowest is 0: switched off. A new cluster finalizes the highest, and so does one that has no
  /// level of a feature yet.
  /// `group.version` 0 tells tools that the protocol of KIP-848 is not spoken yet.
  Map<String, Short> SUPPORTED_FEATURES =
      Map.of("group.version", (short) 0, "transaction.version", (short) 2);

  /// Finalizes levels of features: all, or with an error for one of them none. A result for each,
  /// in order: INVALID_UPDATE_VERSION for one that cannot be.
  CompletableFuture<List<Result>> updateFeatures(List<FeatureUpdate> updates, boolean validateOnly);

  /// A level for a feature.
  ///
  /// @param downgrade whether it may be below the level that is finalized
  record FeatureUpdate(String name, short level, boolean downgrade) {
    /// What is wrong with it; [Result#OK] if nothing is.
    ///
    /// @param finalized the level so far
    public Result check(short finalized) {
      Short highest = SUPPORTED_FEATURES.get(name);
      if (highest == null) {
        return invalid("there is no feature " + name + ", only " + SUPPORTED_FEATURES.keySet());
      }
      if (level < 0 || level > highest) {
        return invalid("levels of " + name + " are 0 to " + highest + ", not " + level);
      }
      return level < finalized && !downgrade
          ? invalid(name + " is at level " + finalized + ": say that a downgrade is meant")
          : Result.OK;
    }

    private static Result invalid(String message) {
      return new Result(io.takhin.api.ErrorCode.INVALID_UPDATE_VERSION, message);
    }
  }

  /// A new block of producer ids for this broker, from a counter that the cluster shares.
  CompletableFuture<ProducerIdBlock> allocateProducerIds();

  /// Producer ids `first` to `first + size - 1`.
  record ProducerIdBlock(long first, int size) {}

  /// A topic to make.
  ///
  /// @param partitions -1 for the broker's default
  /// @param replicationFactor -1 for the broker's default
  /// @param assignments replicas by partition index; empty lets the cluster choose
  record NewTopic(
      String name,
      int partitions,
      short replicationFactor,
      Map<Integer, List<Integer>> assignments,
      Map<String, @Nullable String> configs) {}

  /// More partitions for a topic.
  ///
  /// @param count the new total
  /// @param assignments replicas of the added partitions; null lets the cluster choose
  record NewPartitions(String topic, int count, @Nullable List<List<Integer>> assignments) {}

  /// An outcome; `error` is NONE for success, and `message` null then.
  record Result(io.takhin.api.ErrorCode error, @Nullable String message) {
    /// Success.
    public static final Result OK = new Result(io.takhin.api.ErrorCode.NONE, null);
  }

  /// An outcome with what was made. With an error, id is null and the numbers are -1.
  record TopicResult(
      String name,
      Result result,
      @Nullable UUID id,
      int partitions,
      short replicationFactor,
      List<ConfigEntry> configs) {}
}
