package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.testkit.TestContext;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RaftClusterTest {
  @TempDir Path dir;

  @Test
  void aRestartFindsTheTopic() {
    try (TestContext context = TestClusters.context()) {
      for (int i = 0; i < 3; i++) {
        long t0 = System.nanoTime();
        try (RaftCluster cluster = TestClusters.started(TestClusters.config(dir), context)) {
          System.err.println("start ms " + (System.nanoTime() - t0) / 1e6);
          t0 = System.nanoTime();
          for (int j = 0; j < 200; j++) TestClusters.create(cluster, "a" + i + "-" + j, 3);
          System.err.println(
              "200 create ms "
                  + (System.nanoTime() - t0) / 1e6
                  + " "
                  + cluster.image().offset()
                  + " "
                  + cluster.quorum().state());
          assertEquals(200 * (i + 1), cluster.image().topicsById().size());
          t0 = System.nanoTime();
        }
        System.err.println("close ms " + (System.nanoTime() - t0) / 1e6);
      }
    }
  }
}
