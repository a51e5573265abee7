package io.takhin.testkit.partition;

import io.takhin.api.PluginContext;
import io.takhin.api.partition.PartitionService;

class InMemoryPartitionServiceTest extends PartitionServiceContract {
  @Override
  protected PartitionService create(PluginContext context) {
    return new InMemoryPartitionService(context);
  }
}
