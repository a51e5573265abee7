package io.takhin.coordinator.group;

import io.takhin.api.config.Key;

/// Settings of groups, by Kafka's names under `kafka.`.
///
/// @param offsetsPartitions of `__consumer_offsets`, when it is made
/// @param offsetsReplicationFactor of `__consumer_offsets`, when it is made
/// @param offsetsRetentionMinutes how long offsets outlive their use
/// @param offsetsRetentionCheckMs how often that is checked
/// @param offsetMetadataMaxBytes limit of the text beside an offset
/// @param minSessionTimeoutMs smallest session timeout
/// @param maxSessionTimeoutMs largest session timeout
/// @param initialRebalanceDelayMs wait for more members of an empty group
/// @param maxSize most members of a group
/// @param maxGroups most groups, spread over the partitions
public record GroupConfig(
    @Key(
            value = "kafka.offsets.topic.num.partitions",
            defaultValue = "50",
            min = 1,
            max = 10_000,
            doc =
                "Partitions of __consumer_offsets when it is made. Groups are spread over them;"
                    + " do not change it later, or groups lose their offsets.")
        int offsetsPartitions,
    @Key(
            value = "kafka.offsets.topic.replication.factor",
            defaultValue = "3",
            min = 1,
            max = 32_767,
            doc =
                "Replicas of __consumer_offsets when it is made; fewer if there are fewer brokers.")
        int offsetsReplicationFactor,
    @Key(
            value = "kafka.offsets.retention.minutes",
            defaultValue = "10080",
            min = 1,
            max = Integer.MAX_VALUE,
            doc =
                "Minutes that offsets are kept after a group lost its last member, or after the"
                    + " last commit for a topic that the group no longer subscribes to.")
        int offsetsRetentionMinutes,
    @Key(
            value = "kafka.offsets.retention.check.interval.ms",
            defaultValue = "600000",
            min = 1,
            doc = "Milliseconds between searches for offsets whose retention is over.")
        long offsetsRetentionCheckMs,
    @Key(
            value = "kafka.offsets.metadata.max.bytes",
            defaultValue = "4096",
            min = 0,
            max = 32_767,
            doc = "Largest metadata that may be committed with an offset, in characters.")
        int offsetMetadataMaxBytes,
    @Key(
            value = "kafka.group.min.session.timeout.ms",
            defaultValue = "6000",
            min = 1,
            max = Integer.MAX_VALUE,
            doc = "Smallest session timeout that a member may ask for, in milliseconds.")
        int minSessionTimeoutMs,
    @Key(
            value = "kafka.group.max.session.timeout.ms",
            defaultValue = "1800000",
            min = 1,
            max = Integer.MAX_VALUE,
            doc =
                "Largest session timeout that a member may ask for, in milliseconds. A dead"
                    + " member keeps its partitions for that long.")
        int maxSessionTimeoutMs,
    @Key(
            value = "kafka.group.initial.rebalance.delay.ms",
            defaultValue = "3000",
            min = 0,
            max = Integer.MAX_VALUE,
            doc =
                "Milliseconds that an empty group waits for more members after the first one,"
                    + " and again while members keep coming, up to the rebalance timeout. Larger"
                    + " means fewer rebalances when many consumers start; 0 suits tests.")
        int initialRebalanceDelayMs,
    @Key(
            value = "kafka.group.max.size",
            defaultValue = "2147483647",
            min = 1,
            max = Integer.MAX_VALUE,
            doc = "Most members that a group may have.")
        int maxSize,
    @Key(
            value = "kafka.groups.max",
            defaultValue = "100000",
            min = 1,
            max = 100_000_000,
            doc =
                "Most groups; each partition of __consumer_offsets takes at most twice its share."
                    + " Who would make one more gets GROUP_MAX_SIZE_REACHED. A group takes 1 to"
                    + " 2 KiB of memory, empty ones too while their offsets are kept.")
        int maxGroups) {

  /// The most groups of one partition of `__consumer_offsets`.
  int maxGroupsOfShard() {
    return Math.clamp(2L * maxGroups / offsetsPartitions, 1, maxGroups);
  }

  /// Checks the bounds against each other.
  public GroupConfig {
    if (minSessionTimeoutMs > maxSessionTimeoutMs) {
      throw new IllegalArgumentException(
          "kafka.group.min.session.timeout.ms is "
              + minSessionTimeoutMs
              + ", above kafka.group.max.session.timeout.ms, which is "
              + maxSessionTimeoutMs);
    }
  }
}
