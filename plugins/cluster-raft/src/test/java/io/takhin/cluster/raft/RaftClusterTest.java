package io.takhin.cluster.raft;

import io.takhin.api.cluster.Cluster;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.ClusterContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/// The contract, over Ratis.
class RaftClusterTest extends ClusterContract {
  @TempDir Path dir;
  private final TestContext context = TestClusters.context();

  @Override
  protected Cluster open() {
    return TestClusters.started(TestClusters.config(dir), context);
  }

  @Override
  protected void close(Cluster opened) {
    opened.close();
    context.close();
  }
}
