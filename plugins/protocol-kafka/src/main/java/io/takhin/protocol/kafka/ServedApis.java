package io.takhin.protocol.kafka;

import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.transaction.TransactionCoordinator;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// The APIs that are served. Whatever is added here is advertised.
final class ServedApis {
  /// Those that are read in place and have no message classes beside them, in all versions that
  /// Kafka knows of them.
  static final List<ApiKeys> IN_PLACE =
      List.of(
          ApiKeys.PRODUCE,
          ApiKeys.FETCH,
          ApiKeys.LIST_OFFSETS,
          ApiKeys.OFFSET_COMMIT,
          ApiKeys.HEARTBEAT);

  private ServedApis() {}

  /// All of them.
  ///
  /// @param transactions null in a broker without that coordinator: then there are none of its APIs
  static List<MessageApi<?>> all(
      KafkaConfig config,
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      GroupCoordinator groups,
      @Nullable TransactionCoordinator transactions) {
    List<MessageApi<?>> apis = new ArrayList<>();
    apis.addAll(new MetadataApis(cluster, groups, config.autoCreateTopics()).apis());
    apis.addAll(new TopicApis(cluster).apis());
    apis.addAll(new LogApis(cluster, partitions).apis());
    apis.addAll(new OffsetApis(cluster, groups).apis());
    apis.addAll(new GroupApis(cluster, groups, transactions).apis());
    apis.addAll(new ConfigApis(cluster).apis());
    apis.addAll(new LogDirApis(partitions, context.service(LogStorage.class)).apis());
    apis.addAll(new ProducerApis(cluster, transactions).apis());
    apis.addAll(new QuorumApis(cluster).apis());
    apis.addAll(new FeatureApis(cluster).apis());
    if (transactions != null) {
      apis.addAll(new TransactionApis(cluster, groups, transactions).apis());
      apis.addAll(new TransactionAdminApis(cluster, partitions, groups, transactions).apis());
    }
    return apis;
  }
}
