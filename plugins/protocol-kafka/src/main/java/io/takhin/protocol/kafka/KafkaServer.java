package io.takhin.protocol.kafka;

import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.protocol.kafka.fetch.FetchConfig;
import io.takhin.protocol.kafka.fetch.FetchHandler;
import io.takhin.protocol.kafka.groups.HeartbeatHandler;
import io.takhin.protocol.kafka.groups.OffsetCommitHandler;
import io.takhin.protocol.kafka.net.RequestHandler;
import io.takhin.protocol.kafka.net.Transport;
import io.takhin.protocol.kafka.net.TransportConfig;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.offsets.ListOffsetsHandler;
import io.takhin.protocol.kafka.produce.ProduceHandler;
import io.takhin.protocol.kafka.wire.Names;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// The server: the transport and what it gives its frames to.
///
/// All of it is made when it starts: it needs the tables of Kafka's messages, which are made beside
/// the start of other plugins ([KafkaProtocolProvider#warmUp]).
final class KafkaServer implements ProtocolServer {
  private final Supplier<Transport> make;
  // Written by the main thread, read by whoever asks for the addresses.
  private volatile @Nullable Transport transport;

  KafkaServer(
      KafkaConfig config,
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      GroupCoordinator groups,
      @Nullable TransactionCoordinator transactions) {
    make =
        () ->
            transport(
                config,
                context,
                cluster,
                partitions,
                groups,
                ServedApis.all(config, context, cluster, partitions, groups, transactions));
  }

  KafkaServer(
      KafkaConfig config,
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      GroupCoordinator groups,
      List<MessageApi<?>> apis) {
    make = () -> transport(config, context, cluster, partitions, groups, apis);
  }

  private static Transport transport(
      KafkaConfig config,
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      GroupCoordinator groups,
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
            config.fetchColdBytes(),
            config.requestMaxElements());
    Names[] names = Names.forLoops(loops);
    Map<ApiKeys, RequestHandler> inPlace =
        Map.of(
            ApiKeys.METADATA, new MetadataHandler(cluster, names),
            ApiKeys.HEARTBEAT, new HeartbeatHandler(groups, metrics, names),
            ApiKeys.OFFSET_COMMIT,
                new OffsetCommitHandler(cluster, groups, context.clock(), metrics, names),
            ApiKeys.LIST_OFFSETS, new ListOffsetsHandler(context, cluster, partitions, names));
    RequestRouter router =
        new RequestRouter(
            context,
            metrics,
            loops,
            config.requestMaxElements(),
            new ProduceHandler(cluster, partitions, metrics, loops),
            new FetchHandler(fetchConfig, context, cluster, partitions, metrics, loops),
            inPlace,
            apis,
            cluster);
    return new Transport(transportConfig, context, router, metrics);
  }

  Transport transport() {
    Transport made = transport;
    if (made == null) {
      throw new IllegalStateException("not started");
    }
    return made;
  }

  @Override
  public void start() {
    Transport made = make.get();
    transport = made;
    made.start();
  }

  @Override
  public void drain() {
    Transport made = transport;
    if (made != null) {
      made.drain();
    }
  }

  @Override
  public void close() {
    Transport made = transport;
    if (made != null) {
      made.close();
    }
  }

  @Override
  public List<InetSocketAddress> addresses() {
    Transport made = transport;
    return made == null ? List.of() : made.addresses();
  }
}
