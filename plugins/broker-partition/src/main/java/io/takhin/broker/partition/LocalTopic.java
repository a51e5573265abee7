package io.takhin.broker.partition;

import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService.Topic;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A topic as this broker has it: an array of replicas with gaps for those on other brokers.
///
/// Threading: the metadata's thread replaces the array; anybody reads it.
final class LocalTopic implements Topic {
  private final UUID id;
  private final String name;
  private volatile @Nullable Replica[] replicas = {};
  private volatile boolean deleted;

  LocalTopic(UUID id, String name) {
    this.id = id;
    this.name = name;
  }

  @Override
  public UUID id() {
    return id;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int partitionCount() {
    return replicas.length;
  }

  @Override
  public @Nullable Partition partition(int index) {
    return replica(index);
  }

  /// The replica, or null.
  @Nullable Replica replica(int index) {
    @Nullable Replica[] now = replicas;
    return index >= 0 && index < now.length ? now[index] : null;
  }

  @Override
  public boolean deleted() {
    return deleted;
  }

  /// Shows these replicas from now on; they have their logs open.
  void show(@Nullable Replica[] opened) {
    replicas = opened;
  }

  /// Marks the topic before its replicas end, so that who is woken sees why.
  void markDeleted() {
    deleted = true;
  }
}
