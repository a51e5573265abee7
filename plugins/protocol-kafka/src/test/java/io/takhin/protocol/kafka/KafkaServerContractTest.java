package io.takhin.protocol.kafka;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.protocol.ProtocolServerContract;
import io.takhin.testkit.storage.InMemoryLogStorage;

class KafkaServerContractTest extends ProtocolServerContract {
  @Override
  protected TestContext context() {
    TestContext context =
        TestContext.real()
            .service(Cluster.class, new InMemoryCluster())
            .service(LogStorage.class, new InMemoryLogStorage())
            .service(GroupCoordinator.class, new ScriptedGroups())
            .build();
    InMemoryPartitionService partitions = new InMemoryPartitionService(context);
    partitions.start();
    context.provide(PartitionService.class, partitions);
    return context;
  }

  @Override
  protected ProtocolServer server(int port, TestContext context) {
    return new KafkaProtocolProvider().create(TestBroker.DEFAULTS.config(port), context);
  }
}
