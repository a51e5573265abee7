package io.takhin.coordinator.group;

import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.coordinator.Deadlines;
import io.takhin.coordinator.group.GroupRecord.GroupMetadata;
import io.takhin.coordinator.group.GroupRecord.OffsetCommit;
import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/// The groups of one partition of `__consumer_offsets`, and what records do to them.
final class Groups {
  private final ConcurrentMap<String, Group> groups = new ConcurrentHashMap<>();
  private final Deadlines<Group> deadlines = new Deadlines<>();
  private final PendingOffsets pending = new PendingOffsets(this);
  private final int max;

  /// @param max how many clients may make; what the log holds is taken in any number
  Groups(int max) {
    this.max = max;
  }

  /// The group, or null. Any thread.
  @Nullable Group get(String groupId) {
    return groups.get(groupId);
  }

  /// Whether no client may make one more.
  boolean full() {
    return groups.size() >= max;
  }

  Group getOrAdd(String groupId) {
    return groups.computeIfAbsent(groupId, Group::new);
  }

  /// All of them. Any thread.
  Collection<Group> all() {
    return groups.values();
  }

  /// When to look at which group. Heartbeats only move sessions later and need not touch it; with
  /// the usual timeouts a group is looked at about once per session timeout.
  Deadlines<Group> deadlines() {
    return deadlines;
  }

  /// Offsets of transactions that are open.
  PendingOffsets pending() {
    return pending;
  }

  /// Whether this very group is still here.
  boolean holds(Group group) {
    return groups.get(group.groupId()) == group;
  }

  /// Forgets a group that holds nothing and that the log does not know. As in Kafka it stays in
  /// sight, empty, until offsets expire the next time.
  void dropIfVoid(Group group, long wallMs) {
    if (group.is(GroupState.EMPTY)
        && !group.inLog
        && group.pendingMembers().isEmpty()
        && group.offsets().isEmpty()
        && group.pendingOffsets().isEmpty()) {
      drop(group, wallMs);
    }
  }

  private void drop(Group group, long wallMs) {
    group.transitionTo(GroupState.DEAD, wallMs);
    groups.remove(group.groupId(), group);
  }

  /// What a record does to the state once it is in the log: the same now as when it is replayed.
  /// A generation is the exception: its group was in that state before it was written.
  ///
  /// @param order the record's place in the log, from [PendingOffsets#nextOrder]
  void apply(GroupRecord record, long order, long wallMs) {
    switch (record) {
      case OffsetCommit(String groupId, String topic, int partition, CommittedOffset value) -> {
        OffsetKey key = new OffsetKey(topic, partition);
        if (value != null) {
          Group group = getOrAdd(groupId);
          group.offsets().put(key, value);
          pending.superseded(group, key, order);
        } else {
          Group group = groups.get(groupId);
          if (group != null) {
            group.offsets().remove(key);
            pending.removed(group, key, order);
          }
        }
      }
      case GroupMetadata(String groupId, GroupRecord.Generation value) -> {
        Group group = groups.get(groupId);
        if (value != null) {
          getOrAdd(groupId).inLog = true;
        } else if (group != null) {
          removed(group, wallMs);
        }
      }
    }
  }

  /// Replays a record while loading.
  void replay(GroupRecord record) {
    if (record instanceof GroupMetadata(String groupId, GroupRecord.Generation value)
        && value != null) {
      getOrAdd(groupId).restore(value);
    } else {
      apply(record, pending.nextOrder(), 0);
    }
  }

  /// The group is gone from the log; offsets without one are those of a simple consumer.
  private void removed(Group group, long wallMs) {
    drop(group, wallMs);
    if (!group.offsets().isEmpty() || !group.pendingOffsets().isEmpty()) {
      Group simple = getOrAdd(group.groupId());
      simple.offsets().putAll(group.offsets());
      simple.pendingOffsets().putAll(group.pendingOffsets());
    }
  }
}
