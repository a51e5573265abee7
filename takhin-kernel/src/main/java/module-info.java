import org.jspecify.annotations.NullMarked;

/// The launcher: reads the configuration, builds one module layer for each plugin, leads the
/// plugins through their lifecycle and tells the outside how they do. It knows nothing of Kafka.
///
/// Its `uses` list is the list of extension points, in the order in which their services are made
/// and started. Nothing is exported: plugins see the kernel only through
/// [io.takhin.api.PluginContext].
@NullMarked
module io.takhin.kernel {
  requires io.takhin.api;
  requires org.slf4j;
  requires jul.to.slf4j;
  requires ch.qos.logback.classic;
  requires ch.qos.logback.core;
  requires org.snakeyaml.engine;
  requires java.logging;
  requires jdk.httpserver;
  requires jdk.jfr;

  uses io.takhin.api.codec.CodecProvider;
  uses io.takhin.api.storage.StorageProvider;
  uses io.takhin.api.cluster.ClusterProvider;
  uses io.takhin.api.partition.BrokerProvider;
  uses io.takhin.api.group.GroupCoordinatorProvider;
  uses io.takhin.api.transaction.TransactionCoordinatorProvider;
  uses io.takhin.api.protocol.ProtocolProvider;
  uses io.takhin.api.metrics.MetricsProvider;

  // Asked by logback before it looks for files of its own, so that no line is lost or printed in
  // another format before the configuration is read.
  provides ch.qos.logback.classic.spi.Configurator with
      io.takhin.kernel.logging.FirstLogs;
}
