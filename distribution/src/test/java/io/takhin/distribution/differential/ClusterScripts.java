package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.ClusterRequests.describeCluster;
import static io.takhin.distribution.differential.ClusterRequests.electLeaders;
import static io.takhin.distribution.differential.ClusterRequests.listReassignments;
import static io.takhin.distribution.differential.ClusterRequests.logDirs;
import static io.takhin.distribution.differential.ClusterRequests.quorum;
import static io.takhin.distribution.differential.ClusterRequests.reassign;
import static io.takhin.distribution.differential.ClusterRequests.updateFeature;
import static io.takhin.distribution.differential.Requests.ask;
import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.topic;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.protocol.ApiKeys;

/// The cluster, its quorum and features, replicas and directories.
final class ClusterScripts {
  private ClusterScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.DESCRIBE_CLUSTER)) {
      all.add(
          Script.named("T20 the cluster v" + v)
              .step(describeCluster(v, 1))
              .step(describeCluster(v, v == 0 ? 1 : 2))
              .step(describeCluster(v, v == 0 ? 1 : 3))
              .build());
    }
    for (int v : versions(ApiKeys.DESCRIBE_LOG_DIRS)) {
      all.add(directories(v));
    }
    for (int v : versions(ApiKeys.ELECT_LEADERS)) {
      all.add(elections(v));
    }
    for (int v : versions(ApiKeys.ALTER_PARTITION_REASSIGNMENTS)) {
      all.add(reassignments(v));
    }
    for (int v : versions(ApiKeys.DESCRIBE_QUORUM)) {
      all.add(
          Script.named("T61 the quorum v" + v)
              .step(quorum(v, "!__cluster_metadata", 0))
              .step(quorum(v, "!__cluster_metadata", 1))
              .step(quorum(v, "other", 0))
              .build());
    }
    for (int v : versions(ApiKeys.UPDATE_FEATURES)) {
      all.add(features(v));
    }
    return all;
  }

  private static Script directories(int v) {
    return Script.named("T19 directories v" + v)
        .step(topic("a", 2))
        .step(logDirs(v, "a", 0, 1))
        .step(LogRequests.produce(9, "a", 0, "x", "y"))
        .step(logDirs(v, "a", 0))
        .step(logDirs(v, "a", 9))
        .step(logDirs(v, "missing", 0))
        .build();
  }

  private static Script elections(int v) {
    return Script.named("T61 elections v" + v)
        .step(topic("a", 2))
        .step(electLeaders(v, 0, "a", 0, 1))
        .step(electLeaders(v, v == 0 ? 0 : 1, "a", 0))
        .step(electLeaders(v, v == 0 ? 0 : 9, "a", 0))
        .step(electLeaders(v, 0, "a", 7))
        .step(electLeaders(v, 0, "missing", 0))
        .step(
            ask(
                ApiKeys.ELECT_LEADERS,
                v,
                _ ->
                    new ElectLeadersRequestData()
                        .setTimeoutMs(10_000)
                        .setTopicPartitions(
                            new ElectLeadersRequestData.TopicPartitionsCollection())))
        .build();
  }

  private static Script reassignments(int v) {
    return Script.named("T60 reassignments v" + v)
        .step(topic("a", 2))
        .step(reassign(v, "a", 0, null))
        .step(reassign(v, "a", 0, List.of(1)))
        .step(reassign(v, "a", 0, List.of()))
        .step(reassign(v, "a", 0, List.of(1, 1)))
        .step(reassign(v, "a", 0, List.of(7)))
        .step(reassign(v, "a", 0, List.of(-1)))
        .step(reassign(v, "a", 9, List.of(1)))
        .step(reassign(v, "missing", 0, List.of(1)))
        .step(reassign(v, "missing", 0, null))
        .step(listReassignments("a", 0, 1))
        .step(listReassignments("a", 9))
        .step(listReassignments("missing", 0))
        .step(listReassignments(null))
        .build();
  }

  private static Script features(int v) {
    return Script.named("T61 features v" + v)
        .step(updateFeature(v, v >= 1, "no.such.feature", 1, 1))
        .step(updateFeature(v, v >= 1, "metadata.version", 1, 1))
        .step(updateFeature(v, v >= 1, "metadata.version", 9_999, 1))
        .step(updateFeature(v, v >= 1, "transaction.version", -1, 1))
        .step(updateFeature(v, v >= 1, "transaction.version", 2, 1))
        .step(updateFeature(v, v >= 1, "", 1, 1))
        .step(ask(ApiKeys.UPDATE_FEATURES, v, _ -> new UpdateFeaturesRequestData()))
        .build();
  }
}
