package io.takhin.coordinator.transaction;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Which partitions of `__transaction_state` this broker is in charge of: an immutable table, by
/// partition.
///
/// @param topicId null while the topic does not exist
/// @param byPartition null where another broker leads
record Shards(@Nullable UUID topicId, @Nullable TransactionShard[] byPartition) {
  static final Shards NONE = new Shards(null, new TransactionShard[0]);

  /// Whether the topic exists.
  boolean exist() {
    return byPartition.length > 0;
  }

  /// The partition of an id, as Kafka computes it.
  static int partitionFor(String transactionalId, int partitions) {
    int hash = transactionalId.hashCode();
    return (hash == Integer.MIN_VALUE ? 0 : Math.abs(hash)) % partitions;
  }

  /// The shard in charge of an id, or null.
  @Nullable TransactionShard of(String transactionalId) {
    return exist() ? byPartition[partitionFor(transactionalId, byPartition.length)] : null;
  }

  /// The shards here.
  List<TransactionShard> here() {
    List<TransactionShard> here = new ArrayList<>();
    for (TransactionShard shard : byPartition) {
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
