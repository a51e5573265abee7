package io.takhin.cluster.raft;

import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.ClusterProvider;

/// Makes the cluster.
public final class RaftClusterProvider implements ClusterProvider<RaftClusterConfig> {
  /// For ServiceLoader.
  public RaftClusterProvider() {}

  @Override
  public String name() {
    return "raft";
  }

  @Override
  public Class<RaftClusterConfig> configType() {
    return RaftClusterConfig.class;
  }

  @Override
  public Cluster create(RaftClusterConfig config, PluginContext context) {
    return new RaftCluster(config, context);
  }
}
