package io.takhin.broker.partition;

import io.takhin.api.PluginContext;
import io.takhin.api.partition.BrokerProvider;
import io.takhin.api.partition.PartitionService;

/// Provides the broker `partition`.
public final class PartitionProvider implements BrokerProvider<PartitionConfig> {
  /// For ServiceLoader.
  public PartitionProvider() {}

  @Override
  public String name() {
    return "partition";
  }

  @Override
  public Class<PartitionConfig> configType() {
    return PartitionConfig.class;
  }

  @Override
  public PartitionService create(PartitionConfig config, PluginContext context) {
    return new LocalPartitions(context);
  }
}
