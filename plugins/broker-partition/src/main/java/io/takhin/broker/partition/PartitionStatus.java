package io.takhin.broker.partition;

import io.takhin.api.HealthCheck;
import io.takhin.api.metrics.Metrics;
import io.takhin.broker.partition.ReplicaState.Leading;
import io.takhin.broker.partition.ReplicaState.Offline;
import io.takhin.broker.partition.ReplicaState.Unopened;
import java.util.Collection;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/// The partitions as the outside sees them: a health check, and gauges that are read when somebody
/// scrapes. Nothing is kept for a partition.
///
/// Threading: threads of the health server and of exporters.
final class PartitionStatus implements HealthCheck {
  private static final int NAMED = 3;

  private final Collection<LocalTopic> topics;
  private final Future<?> opened;

  /// @param topics as they are at any time
  /// @param opened when all logs of the first image are open
  PartitionStatus(Collection<LocalTopic> topics, Future<?> opened) {
    this.topics = topics;
    this.opened = opened;
  }

  @Override
  public String name() {
    return "partitions";
  }

  @Override
  public Health check() {
    if (!opened.isDone()) {
      return new Health(Status.UNHEALTHY, "the logs of partitions are being opened");
    }
    StringBuilder named = new StringBuilder();
    long[] offline = {0};
    long[] failed = {0};
    forEach(
        (topic, replica) -> {
          ReplicaState state = replica.state();
          if (!offline(state)) {
            return;
          }
          failed[0] += state instanceof Offline ? 1 : 0;
          if (offline[0]++ < NAMED) {
            named.append(named.isEmpty() ? "" : "; ");
            named.append(replica.id()).append(": ").append(state.message());
          }
        });
    return offline[0] == 0
        ? Health.healthy()
        : new Health(
            Status.DEGRADED,
            offline[0]
                + " partitions are offline ("
                + named
                + (offline[0] > NAMED ? "; ..." : "")
                + ")"
                + (failed[0] > 0 ? ": mend the log directory and restart the broker" : "")
                + (failed[0] < offline[0] ? ": those without room open when there is some" : ""));
  }

  private static boolean offline(ReplicaState state) {
    return state instanceof Offline || state instanceof Unopened;
  }

  void register(Metrics metrics) {
    each(
        metrics,
        "takhin_partition_high_watermark",
        "Offset up to which records of the partition are visible.",
        Replica::highWatermark);
    each(
        metrics,
        "takhin_partition_log_end_offset",
        "Next offset of the partition's log.",
        Replica::logEndOffset);
    each(
        metrics,
        "takhin_partition_log_start_offset",
        "First readable offset of the partition's log.",
        Replica::logStartOffset);
    total(
        metrics,
        "takhin_leader_partitions",
        "Partitions that this broker leads.",
        state -> state instanceof Leading);
    total(
        metrics,
        "takhin_under_replicated_partitions",
        "Partitions led here whose in-sync replicas are fewer than their replicas.",
        state -> state instanceof Leading leading && leading.inSync() < leading.replicas());
    total(
        metrics,
        "takhin_offline_partitions",
        "Partitions whose log cannot be used.",
        PartitionStatus::offline);
  }

  private void each(Metrics metrics, String name, String help, ToLongFunction<Replica> value) {
    metrics.gauges(
        name,
        help,
        sink ->
            forEach(
                (topic, replica) ->
                    sink.value(
                        value.applyAsLong(replica),
                        "topic",
                        topic.name(),
                        "partition",
                        Integer.toString(replica.id().partition()))));
  }

  private void total(Metrics metrics, String name, String help, Predicate<ReplicaState> counted) {
    metrics.gauges(name, help, sink -> sink.value(count(counted)));
  }

  private long count(Predicate<ReplicaState> counted) {
    long[] count = {0};
    forEach((topic, replica) -> count[0] += counted.test(replica.state()) ? 1 : 0);
    return count[0];
  }

  private void forEach(BiConsumer<LocalTopic, Replica> action) {
    for (LocalTopic topic : topics) {
      for (int i = 0; i < topic.partitionCount(); i++) {
        Replica replica = topic.replica(i);
        if (replica != null) {
          action.accept(topic, replica);
        }
      }
    }
  }
}
