package io.takhin.coordinator.group;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One record of `__consumer_offsets`. Replaying all of them gives the state back.
sealed interface GroupRecord {
  /// The group that it belongs to, hence its partition.
  String group();

  /// An offset was committed, or with null removed.
  record OffsetCommit(String group, String topic, int partition, @Nullable CommittedOffset value)
      implements GroupRecord {}

  /// A group reached a generation, or with null is gone.
  record GroupMetadata(String group, @Nullable Generation value) implements GroupRecord {}

  /// A generation of a group.
  ///
  /// @param protocolType `consumer`, `connect`...; empty for a group that only commits
  /// @param protocol the way of assigning that was voted; null without members
  /// @param leader member id; null without members
  /// @param stateTimestampMs when the group came into its state, or -1
  record Generation(
      String protocolType,
      int generation,
      @Nullable String protocol,
      @Nullable String leader,
      long stateTimestampMs,
      List<MemberMetadata> members) {}

  /// A member of a generation.
  ///
  /// @param subscription what it sent for the chosen protocol
  record MemberMetadata(
      String memberId,
      @Nullable String instanceId,
      String clientId,
      String clientHost,
      int rebalanceTimeoutMs,
      int sessionTimeoutMs,
      byte[] subscription,
      byte[] assignment) {}
}
