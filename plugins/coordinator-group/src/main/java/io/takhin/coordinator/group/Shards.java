package io.takhin.coordinator.group;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Which partitions of `__consumer_offsets` this broker is in charge of: an immutable table, by
/// partition.
///
/// @param topicId null while the topic does not exist
/// @param byPartition null where another broker leads
record Shards(@Nullable UUID topicId, @Nullable GroupShard[] byPartition) {
  static final Shards NONE = new Shards(null, new GroupShard[0]);

  /// Whether the topic exists.
  boolean exist() {
    return byPartition.length > 0;
  }

  /// The partition of a group, as Kafka computes it.
  static int partitionFor(String groupId, int partitions) {
    int hash = groupId.hashCode();
    return (hash == Integer.MIN_VALUE ? 0 : Math.abs(hash)) % partitions;
  }

  /// The shard in charge of a group, or null.
  @Nullable GroupShard of(String groupId) {
    return exist() ? byPartition[partitionFor(groupId, byPartition.length)] : null;
  }

  /// The shards here.
  List<GroupShard> here() {
    List<GroupShard> here = new ArrayList<>();
    for (GroupShard shard : byPartition) {
      if (shard != null) {
        here.add(shard);
      }
    }
    return here;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
