package io.takhin.kernel;

import io.takhin.api.Service;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.ClusterProvider;
import io.takhin.api.codec.CodecProvider;
import io.takhin.api.codec.Codecs;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinatorProvider;
import io.takhin.api.metrics.MetricsProvider;
import io.takhin.api.partition.BrokerProvider;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.protocol.ProtocolProvider;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.StorageProvider;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinatorProvider;
import io.takhin.kernel.lifecycle.ExtensionPoint;
import java.util.List;

/// Where plugins plug in.
final class ExtensionPoints {
  /// The extension points in the order in which data flows inwards: what comes later may ask for
  /// the services of what comes earlier.
  static final List<ExtensionPoint<?>> ALL =
      List.of(
          new ExtensionPoint<>("codec", CodecProvider.class, Codecs.class, true),
          new ExtensionPoint<>("storage", StorageProvider.class, LogStorage.class, true),
          new ExtensionPoint<>("cluster", ClusterProvider.class, Cluster.class, true),
          new ExtensionPoint<>("broker", BrokerProvider.class, PartitionService.class, true),
          new ExtensionPoint<>(
              "coordinator", GroupCoordinatorProvider.class, GroupCoordinator.class, true),
          new ExtensionPoint<>(
              "transactions",
              TransactionCoordinatorProvider.class,
              TransactionCoordinator.class,
              true),
          new ExtensionPoint<>("protocol", ProtocolProvider.class, ProtocolServer.class, false),
          new ExtensionPoint<>("metrics", MetricsProvider.class, Service.class, false));

  private ExtensionPoints() {}
}
