package io.takhin.protocol.kafka;

import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.protocol.ProtocolProvider;
import io.takhin.api.protocol.ProtocolServer;

/// Makes the server of Kafka's protocol.
public final class KafkaProtocolProvider implements ProtocolProvider<KafkaConfig> {
  /// For ServiceLoader.
  public KafkaProtocolProvider() {}

  @Override
  public String name() {
    return "kafka";
  }

  @Override
  public Class<KafkaConfig> configType() {
    return KafkaConfig.class;
  }

  @Override
  public ProtocolServer create(KafkaConfig config, PluginContext context) {
    return new KafkaServer(
        config,
        context,
        context.service(Cluster.class),
        context.service(PartitionService.class),
        context.service(GroupCoordinator.class));
  }
}
