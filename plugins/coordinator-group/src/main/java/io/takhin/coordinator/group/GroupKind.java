package io.takhin.coordinator.group;

import io.takhin.coordinator.CoordinatorKind;
import io.takhin.coordinator.InternalTopic;
import io.takhin.coordinator.RecordCodec;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/// Groups, kept in `__consumer_offsets`.
final class GroupKind implements CoordinatorKind<GroupStateMachine, GroupRecord, Effects> {
  /// The internal topic.
  static final String TOPIC = "__consumer_offsets";

  private final GroupConfig config;
  private final Supplier<UUID> ids;
  private final RecordCodec<GroupRecord> codec = new GroupRecordCodec();
  private final InternalTopic.Definition topic;

  GroupKind(GroupConfig config, Supplier<UUID> ids) {
    this.config = config;
    this.ids = ids;
    topic =
        new InternalTopic.Definition(
            TOPIC,
            config.offsetsPartitions(),
            config.offsetsReplicationFactor(),
            replicas ->
                Map.of(
                    "cleanup.policy", "compact",
                    "compression.type", "producer",
                    "segment.bytes", "104857600"));
  }

  @Override
  public InternalTopic.Definition topic() {
    return topic;
  }

  @Override
  public String name() {
    return "groups";
  }

  @Override
  public RecordCodec<GroupRecord> codec() {
    return codec;
  }

  @Override
  public GroupStateMachine machine(int leaderEpoch) {
    return new GroupStateMachine(config, ids);
  }

  @Override
  public Effects effects() {
    return new Effects();
  }

  @Override
  public String describe(GroupStateMachine machine) {
    return machine.groups().size() + " groups";
  }
}
