package io.takhin.protocol.kafka;

import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.protocol.ProtocolProvider;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.protocol.kafka.net.Transport;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes the server of Kafka's protocol.
public final class KafkaProtocolProvider implements ProtocolProvider<KafkaConfig> {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaProtocolProvider.class);

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
        context.service(GroupCoordinator.class),
        transactions(context));
  }

  /// The tables of Kafka's messages, of all keys and versions, take a sixth of a second to make.
  @Override
  public void warmUp() {
    ApiKeys.PRODUCE.latestVersion();
    Transport.warmUp();
  }

  /// The coordinator of transactions, or null: a broker can do without.
  private static @Nullable TransactionCoordinator transactions(PluginContext context) {
    try {
      return context.service(TransactionCoordinator.class);
    } catch (TakhinException e) {
      LOG.info("Without a transaction coordinator, transactions are not served", e);
      return null;
    }
  }
}
