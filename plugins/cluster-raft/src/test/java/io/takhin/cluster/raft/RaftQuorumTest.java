package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.MetadataQuorumContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/// The contract, over Ratis.
class RaftQuorumTest extends MetadataQuorumContract {
  @TempDir Path dir;
  private final TestContext context = TestClusters.context();
  private final RaftCluster cluster =
      (RaftCluster)
          new RaftClusterProvider().create(TestClusters.config(Path.of("unused")), context);
  private RaftCluster opened = cluster;

  @Override
  protected MetadataQuorum open() {
    cluster.close();
    opened = TestClusters.started(TestClusters.config(dir), context);
    return opened.quorum();
  }

  @Override
  protected void subscribe(MetadataListener listener) {
    opened.subscribe(listener);
  }

  @Override
  protected void close() {
    assertDoesNotThrow(opened::close);
    context.close();
  }
}
