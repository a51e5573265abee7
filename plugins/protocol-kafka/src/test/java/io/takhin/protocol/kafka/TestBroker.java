package io.takhin.protocol.kafka;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.util.List;
import java.util.function.UnaryOperator;

/// The server on a real socket, over partitions in memory.
final class TestBroker implements AutoCloseable {
  static final Settings DEFAULTS =
      new Settings(
          1000, 1000, 1 << 20, 600_000, 60_000, 30_000, 1 << 20, 1000, 1 << 26, 1000, true);

  final InMemoryCluster cluster = new InMemoryCluster();
  final InMemoryLogStorage storage = new InMemoryLogStorage();
  final ScriptedGroups groups = new ScriptedGroups();
  final TestContext context;
  final InMemoryPartitionService partitions;
  final KafkaServer server;

  /// What tests vary of the config.
  record Settings(
      int maxConnections,
      int perIp,
      int requestMaxBytes,
      long idleMs,
      long firstRequestMs,
      long arrivalMs,
      int queuedBytes,
      int queuedRequests,
      long receiveBytes,
      int sessions,
      boolean nativeTransport) {

    KafkaConfig config() {
      return config(0);
    }

    KafkaConfig config(int port) {
      return new KafkaConfig(
          "127.0.0.1",
          port,
          2,
          nativeTransport,
          maxConnections,
          perIp,
          requestMaxBytes,
          1 << 18,
          100_000,
          idleMs,
          firstRequestMs,
          arrivalMs,
          queuedBytes,
          queuedRequests,
          receiveBytes,
          57671680,
          60_000,
          sessions,
          120_000,
          1L << 30,
          true);
    }
  }

  TestBroker() {
    this(settings -> settings);
  }

  TestBroker(UnaryOperator<Settings> change) {
    context =
        TestContext.real()
            .service(Cluster.class, cluster)
            .service(LogStorage.class, storage)
            .service(GroupCoordinator.class, groups)
            .build();
    partitions = new InMemoryPartitionService(context);
    partitions.start();
    context.provide(io.takhin.api.partition.PartitionService.class, partitions);
    server =
        (KafkaServer) new KafkaProtocolProvider().create(change.apply(DEFAULTS).config(), context);
    server.start();
    cluster.register(
        new Broker(
            cluster.nodeId(),
            List.of(new Endpoint(KafkaConfig.LISTENER, "127.0.0.1", port())),
            null));
  }

  int port() {
    return server.addresses().getFirst().getPort();
  }

  String bootstrap() {
    return "127.0.0.1:" + port();
  }

  RawClient client() {
    return new RawClient(port());
  }

  /// Drains now and closes in the background: Netty's last thread takes a second to end.
  @Override
  public void close() {
    server.drain();
    Thread.ofVirtual().start(this::finish);
  }

  void closeAndWait() {
    server.drain();
    finish();
  }

  private void finish() {
    server.close();
    partitions.close();
    context.close();
  }
}
