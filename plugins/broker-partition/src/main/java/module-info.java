import org.jspecify.annotations.NullMarked;

/// The partitions of this broker, between the protocol and the log.
@NullMarked
module io.takhin.broker.partition {
  requires io.takhin.api;
  requires org.slf4j;

  provides io.takhin.api.partition.BrokerProvider with
      io.takhin.broker.partition.PartitionProvider;
}
