package io.takhin.cluster.raft;

import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Clusters for the tests of this package.
final class TestClusters {
  private TestClusters() {}

  static RaftClusterConfig config(Path dataDir) {
    return config(dataDir, 1, "localhost", 9092, 8192);
  }

  static RaftClusterConfig config(
      Path dataDir, int brokerId, String host, int port, int snapshotThreshold) {
    return new RaftClusterConfig(
        dataDir,
        brokerId,
        List.of(),
        List.of(),
        9092,
        host,
        port,
        1,
        10_000,
        1,
        30_000,
        1000,
        3000,
        500,
        50,
        120_000,
        snapshotThreshold,
        true,
        64);
  }

  static TestContext context() {
    return TestContext.real()
        .pluginName("cluster-raft")
        .service(LogStorage.class, new InMemoryLogStorage())
        .build();
  }

  static RaftCluster started(RaftClusterConfig config, TestContext context) {
    RaftCluster cluster = (RaftCluster) new RaftClusterProvider().create(config, context);
    try {
      cluster.start();
      return cluster;
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  static NewTopic topic(String name, int partitions) {
    return new NewTopic(name, partitions, (short) -1, Map.of(), Map.of());
  }

  static TopicResult create(RaftCluster cluster, String name, int partitions) {
    TopicResult result =
        cluster.createTopics(List.of(topic(name, partitions)), false).join().getFirst();
    if (!result.result().equals(Result.OK)) {
      throw new AssertionError(result);
    }
    return result;
  }

  static String message(Throwable thrown) {
    return String.valueOf(thrown.getMessage());
  }
}
