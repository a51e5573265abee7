package io.takhin.broker.partition;

import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionWatcher;
import java.util.Arrays;

/// Who waits for more in one partition. A set that changes often and is told often: watching and
/// ceasing to watch change an array in place, and telling copies it only if it changed since.
///
/// No wake-up is lost: a reader adds itself (volatile write of the count) and then reads the high
/// watermark; whoever raises it writes it (volatile) and then reads the count. One of the two sees
/// the other.
///
/// Threading: any thread. Watchers are called outside the lock.
final class Watchers {
  private static final PartitionWatcher[] NONE = {};

  private volatile int count;
  // Guarded by this.
  private PartitionWatcher[] members = NONE;
  private PartitionWatcher[] told = NONE;
  private boolean changed;

  synchronized void add(PartitionWatcher watcher) {
    int size = count;
    if (size == members.length) {
      members = Arrays.copyOf(members, Math.max(4, 2 * size));
    }
    members[size] = watcher;
    forgetSnapshot();
    count = size + 1;
  }

  @SuppressWarnings("ReferenceEquality")
  synchronized void remove(PartitionWatcher watcher) {
    int size = count;
    for (int i = 0; i < size; i++) {
      if (members[i] == watcher) {
        PartitionWatcher[] shrunk =
            members.length > 16 && size <= members.length / 4
                ? Arrays.copyOf(members, members.length / 2)
                : members;
        shrunk[i] = members[size - 1];
        members = shrunk;
        clear(size - 1);
        forgetSnapshot();
        count = size - 1;
        return;
      }
    }
  }

  /// Also keeps the copy from holding on to watchers that are gone.
  private void forgetSnapshot() {
    told = NONE;
    changed = true;
  }

  /// Forgets a watcher, so that it can be collected.
  @SuppressWarnings("NullAway") // Slots at count and after are never read.
  private void clear(int slot) {
    members[slot] = null;
  }

  /// Tells all of more bytes.
  void advanced(Partition partition, long bytes) {
    if (count > 0) {
      for (PartitionWatcher watcher : snapshot()) {
        watcher.advanced(partition, bytes);
      }
    }
  }

  /// Tells all that waiting is over.
  void changed(Partition partition) {
    if (count > 0) {
      for (PartitionWatcher watcher : snapshot()) {
        watcher.changed(partition);
      }
    }
  }

  private synchronized PartitionWatcher[] snapshot() {
    if (changed) {
      told = count == 0 ? NONE : Arrays.copyOf(members, count);
      changed = false;
    }
    return told;
  }
}
