import org.jspecify.annotations.NullMarked;

/// Plugin `cluster-raft`: the metadata quorum through Apache Ratis, and the cluster above it.
@NullMarked
module io.takhin.cluster.raft {
  requires io.takhin.api;
  requires org.apache.ratis;
  requires org.slf4j;

  // Ratis makes the transport by the name of its class.
  opens io.takhin.cluster.raft to
      org.apache.ratis;

  provides io.takhin.api.cluster.ClusterProvider with
      io.takhin.cluster.raft.RaftClusterProvider;
  provides org.apache.ratis.metrics.MetricRegistries with
      io.takhin.cluster.raft.SilentMetrics;
}
