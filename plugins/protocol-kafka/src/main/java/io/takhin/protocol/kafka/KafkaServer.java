package io.takhin.protocol.kafka;

import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.protocol.kafka.fetch.FetchConfig;
import io.takhin.protocol.kafka.fetch.FetchHandler;
import io.takhin.protocol.kafka.net.Transport;
import io.takhin.protocol.kafka.net.TransportConfig;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.produce.ProduceHandler;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The server: the transport and what it gives its frames to.
final class KafkaServer implements ProtocolServer {
  private final Transport transport;

  KafkaServer(
      KafkaConfig config,
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      GroupCoordinator groups,
      @Nullable TransactionCoordinator transactions) {
    this(
        config,
        context,
        cluster,
        partitions,
        ServedApis.all(config, context, cluster, partitions, groups, transactions));
  }

  KafkaServer(
      KafkaConfig config,
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      List<MessageApi<?>> apis) {
    TransportMetrics metrics = new TransportMetrics(context.metrics());
    TransportConfig transportConfig = config.transport();
    int loops = transportConfig.threads();
    FetchConfig fetchConfig =
        new FetchConfig(
            config.fetchMaxBytes(),
            config.fetchMaxWaitMs(),
            config.fetchSessions(),
            config.fetchSessionEvictionMs(),
            config.fetchColdBytes());
    RequestRouter router =
        new RequestRouter(
            context,
            metrics,
            loops,
            new ProduceHandler(cluster, partitions, metrics, loops),
            new FetchHandler(fetchConfig, context, cluster, partitions, metrics, loops),
            apis,
            cluster);
    transport = new Transport(transportConfig, context, router, metrics);
  }

  Transport transport() {
    return transport;
  }

  @Override
  public void start() {
    transport.start();
  }

  @Override
  public void drain() {
    transport.drain();
  }

  @Override
  public void close() {
    transport.close();
  }

  @Override
  public List<InetSocketAddress> addresses() {
    return transport.addresses();
  }
}
