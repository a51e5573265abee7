package io.takhin.testkit.cluster;

import io.takhin.api.cluster.Cluster;

class InMemoryClusterTest extends ClusterContract {
  @Override
  protected Cluster open() {
    return new InMemoryCluster();
  }
}
