package io.takhin.coordinator.group;

import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.metrics.Metrics;
import io.takhin.api.metrics.Metrics.GaugeSink;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What `/metrics` shows of groups. Nothing is counted between scrapes: a scrape walks the groups,
/// on the exporter's thread, through what is published of them.
final class GroupMetrics {
  private final Supplier<List<GroupStateMachine>> machines;
  private final PartitionService partitions;

  GroupMetrics(Supplier<List<GroupStateMachine>> machines, PartitionService partitions) {
    this.machines = machines;
    this.partitions = partitions;
  }

  void register(Metrics metrics) {
    metrics.gauges(
        "takhin_consumer_lag_messages",
        "Records between a group's committed offset and the end of the partition.",
        this::lag);
    metrics.gauges("takhin_consumer_group_members", "Members of a group, by group.", this::members);
    metrics.gauges("takhin_consumer_groups", "Groups on this broker, by state.", this::states);
  }

  private void lag(GaugeSink sink) {
    for (GroupStateMachine machine : machines.get()) {
      for (Group group : machine.groups()) {
        group
            .offsets()
            .forEach(
                (key, offset) -> {
                  Partition partition = partition(key);
                  if (partition != null) {
                    // A commit beyond the end happens when a log lost its tail.
                    sink.value(
                        Math.max(0, partition.highWatermark() - offset.offset()),
                        "group",
                        group.groupId(),
                        "topic",
                        key.topic(),
                        "partition",
                        Integer.toString(key.partition()));
                  }
                });
      }
    }
  }

  private @Nullable Partition partition(OffsetKey key) {
    PartitionService.Topic topic = partitions.topic(key.topic());
    return topic == null ? null : topic.partition(key.partition());
  }

  private void members(GaugeSink sink) {
    for (GroupStateMachine machine : machines.get()) {
      for (Group group : machine.groups()) {
        sink.value(group.publishedSize(), "group", group.groupId());
      }
    }
  }

  private void states(GaugeSink sink) {
    Map<GroupState, Integer> counts = new EnumMap<>(GroupState.class);
    for (GroupStateMachine machine : machines.get()) {
      for (Group group : machine.groups()) {
        counts.merge(group.state(), 1, Integer::sum);
      }
    }
    for (GroupState state : GroupState.values()) {
      if (state != GroupState.DEAD) {
        String label = state.title().toLowerCase(Locale.ROOT);
        sink.value(counts.getOrDefault(state, 0), "state", label);
      }
    }
  }
}
