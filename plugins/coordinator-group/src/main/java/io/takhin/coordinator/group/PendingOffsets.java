package io.takhin.coordinator.group;

import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.coordinator.group.GroupRecord.OffsetCommit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/// Offsets that open transactions have committed (KIP-98, KIP-447): in the log, and not yet true.
///
/// ```
/// TxnOffsetCommit -> add -> [ pending ] -- commit marker --> the group's offsets
///                              |   |
///        append refused, or    |   +---- abort marker -----> nothing
///        the offset deleted ---+
/// ```
///
/// Who wins where several commits meet is decided by their places in the log, as it must be: when
/// the log is compacted, the last record of a partition is the one that stays. So a commit that was
/// written later supersedes a pending one that is decided later. While any is undecided the
/// partition counts as unstable.
///
/// Threads: behind the gate. What fetches read from any thread is [Group#pendingOffsets]; an offset
/// becomes visible before its partition stops being unstable.
final class PendingOffsets {
  /// One commit of one partition.
  private static final class Pending {
    final String groupId;
    final OffsetKey key;
    final CommittedOffset value;
    final long order;
    boolean superseded;

    Pending(String groupId, OffsetKey key, CommittedOffset value, long order) {
      this.groupId = groupId;
      this.key = key;
      this.value = value;
      this.order = order;
    }

    boolean isFor(Group group, OffsetKey other) {
      return groupId.equals(group.groupId()) && key.equals(other);
    }
  }

  private final Groups groups;
  private final Map<Long, List<Pending>> byProducer = new HashMap<>();
  private long lastOrder;

  PendingOffsets(Groups groups) {
    this.groups = groups;
  }

  /// The place in the log of what is written or replayed next.
  long nextOrder() {
    return ++lastOrder;
  }

  /// How many commits are undecided.
  int size() {
    int size = 0;
    for (List<Pending> each : byProducer.values()) {
      size += each.size();
    }
    return size;
  }

  /// An offset that a transaction writes.
  void add(long producerId, OffsetCommit record, long order) {
    OffsetKey key = new OffsetKey(record.topic(), record.partition());
    CommittedOffset value = record.value();
    if (value == null) {
      throw new IllegalArgumentException("a transaction removes no offset: " + key);
    }
    groups.getOrAdd(record.group()).pendingOffsets().merge(key, 1, Integer::sum);
    byProducer
        .computeIfAbsent(producerId, id -> new ArrayList<>())
        .add(new Pending(record.group(), key, value, order));
  }

  /// What was added under this order did not get into the log.
  void refused(long producerId, long order, long wallMs) {
    List<Pending> of = byProducer.get(producerId);
    if (of != null) {
      drop(of, each -> each.order == order, wallMs);
      forgetIfEmpty(producerId, of);
    }
  }

  /// The producer's transaction ended with a marker at `order`.
  void ended(long producerId, boolean commit, long order, long wallMs) {
    List<Pending> of = byProducer.get(producerId);
    if (of == null) {
      return;
    }
    if (commit) {
      for (Pending each : List.copyOf(of)) {
        if (each.order < order && !each.superseded) {
          Group group = groups.getOrAdd(each.groupId);
          group.offsets().put(each.key, each.value);
          superseded(group, each.key, each.order);
        }
      }
    }
    drop(of, each -> each.order < order, wallMs);
    forgetIfEmpty(producerId, of);
  }

  /// A commit at `order` is true now: older ones that are undecided will never be.
  void superseded(Group group, OffsetKey key, long order) {
    if (!group.pendingOffsets().containsKey(key)) {
      return;
    }
    for (List<Pending> of : byProducer.values()) {
      for (Pending each : of) {
        if (each.order < order && each.isFor(group, key)) {
          each.superseded = true;
        }
      }
    }
  }

  /// The offset was deleted at `order`, and with it what was undecided about it.
  void removed(Group group, OffsetKey key, long order) {
    if (!group.pendingOffsets().containsKey(key)) {
      return;
    }
    Iterator<List<Pending>> all = byProducer.values().iterator();
    while (all.hasNext()) {
      List<Pending> of = all.next();
      of.removeIf(
          each -> {
            boolean gone = each.order < order && each.isFor(group, key);
            if (gone) {
              settle(group, key);
            }
            return gone;
          });
      if (of.isEmpty()) {
        all.remove();
      }
    }
  }

  private interface Which {
    boolean test(Pending pending);
  }

  private void drop(List<Pending> of, Which which, long wallMs) {
    of.removeIf(
        each -> {
          boolean gone = which.test(each);
          Group group = gone ? groups.get(each.groupId) : null;
          if (group != null) {
            settle(group, each.key);
            groups.dropIfVoid(group, wallMs);
          }
          return gone;
        });
  }

  private void forgetIfEmpty(long producerId, List<Pending> of) {
    if (of.isEmpty()) {
      byProducer.remove(producerId);
    }
  }

  private static void settle(Group group, OffsetKey key) {
    group.pendingOffsets().computeIfPresent(key, (k, count) -> count > 1 ? count - 1 : null);
  }
}
