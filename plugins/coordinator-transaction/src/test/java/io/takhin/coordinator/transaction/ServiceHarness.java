package io.takhin.coordinator.transaction;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.TestTime;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.storage.InMemoryLogStorage;

/// The service over partitions in memory, with topics `orders` and `payments` of three partitions.
final class ServiceHarness {
  static final TransactionConfig DEFAULTS =
      new TransactionConfig(900_000, 604_800_000, 3_600_000, 50, 3, 2, 104_857_600);

  final TestTime time = new TestTime();
  final InMemoryCluster cluster = new InMemoryCluster();
  final InMemoryLogStorage storage = new InMemoryLogStorage();
  final TestContext context =
      TestContext.simulated(time)
          .service(Cluster.class, cluster)
          .service(LogStorage.class, storage)
          .build();
  final InMemoryPartitionService partitions = new InMemoryPartitionService(context);
  final MarkedPartitions marked = new MarkedPartitions(partitions);
  final TakingGroups groups = new TakingGroups(context);

  ServiceHarness() {
    partitions.start();
    partitions.createTopic("orders", 3);
    partitions.createTopic("payments", 3);
    partitions.createTopic("__consumer_offsets", 50);
    context.provide(PartitionService.class, marked);
    context.provide(GroupCoordinator.class, groups.coordinator());
  }

  TransactionCoordinator start() {
    return start(DEFAULTS);
  }

  TransactionCoordinator start(TransactionConfig config) {
    TransactionCoordinator coordinator = new TransactionProvider().create(config, context);
    coordinator.start();
    time.runDue();
    return coordinator;
  }
}
