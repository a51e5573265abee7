package io.takhin.broker.partition;

import io.takhin.api.PluginContext;
import io.takhin.api.partition.PartitionService;
import io.takhin.testkit.partition.PartitionServiceContract;

class LocalPartitionsTest extends PartitionServiceContract {
  @Override
  protected PartitionService create(PluginContext context) {
    return new PartitionProvider().create(new PartitionConfig(), context);
  }
}
