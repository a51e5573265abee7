package io.takhin.coordinator.group;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.TestTime;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.storage.InMemoryLogStorage;

/// The service over partitions in memory.
final class ServiceHarness {
  static final GroupConfig DEFAULTS =
      new GroupConfig(
          50, 3, 10_080, 600_000, 4096, 6_000, 1_800_000, 3_000, Integer.MAX_VALUE, 100_000);

  final TestTime time = new TestTime();
  final InMemoryCluster cluster = new InMemoryCluster();
  final InMemoryLogStorage storage = new InMemoryLogStorage();
  final TestContext context =
      TestContext.simulated(time)
          .service(Cluster.class, cluster)
          .service(LogStorage.class, storage)
          .build();
  final InMemoryPartitionService partitions = new InMemoryPartitionService(context);

  ServiceHarness() {
    partitions.start();
    context.provide(PartitionService.class, partitions);
  }

  GroupCoordinator start(GroupConfig config) {
    GroupCoordinator coordinator = new ClassicGroupProvider().create(config, context);
    coordinator.start();
    time.runDue();
    return coordinator;
  }
}
