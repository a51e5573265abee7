package io.takhin.coordinator;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Which partitions of an internal topic this broker is in charge of: an immutable table.
final class ShardTable<S> {
  private final @Nullable UUID topicId;
  private final List<@Nullable S> byPartition;

  /// A table.
  ///
  /// @param topicId null while the topic does not exist
  /// @param byPartition null where another broker leads
  ShardTable(@Nullable UUID topicId, List<@Nullable S> byPartition) {
    this.topicId = topicId;
    this.byPartition = Collections.unmodifiableList(new ArrayList<>(byPartition));
  }

  /// A table of a topic that does not exist.
  static <S> ShardTable<S> none() {
    return new ShardTable<>(null, List.of());
  }

  /// The partition of a key, as Kafka computes it.
  static int partitionFor(String key, int partitions) {
    int hash = key.hashCode();
    return (hash == Integer.MIN_VALUE ? 0 : Math.abs(hash)) % partitions;
  }

  @Nullable UUID topicId() {
    return topicId;
  }

  /// Partitions of the topic; 0 if it does not exist.
  int partitions() {
    return byPartition.size();
  }

  /// The shard of a partition, or null.
  @Nullable S at(int partition) {
    return partition >= 0 && partition < byPartition.size() ? byPartition.get(partition) : null;
  }

  /// The shard in charge of a key, or null.
  @Nullable S of(String key) {
    return byPartition.isEmpty() ? null : byPartition.get(partitionFor(key, byPartition.size()));
  }

  /// The shards here.
  List<S> here() {
    List<S> here = new ArrayList<>();
    for (S shard : byPartition) {
      if (shard != null) {
        here.add(shard);
      }
    }
    return here;
  }

  /// The same with another shard for a partition.
  ShardTable<S> with(int partition, S shard) {
    List<@Nullable S> changed = new ArrayList<>(byPartition);
    changed.set(partition, shard);
    return new ShardTable<>(topicId, changed);
  }
}
