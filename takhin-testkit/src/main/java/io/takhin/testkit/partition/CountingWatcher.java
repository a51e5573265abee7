package io.takhin.testkit.partition;

import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionWatcher;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Counts what it is told.
///
/// Threading: any thread.
public final class CountingWatcher implements PartitionWatcher {
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicInteger advances = new AtomicInteger();
  private final AtomicInteger changes = new AtomicInteger();

  /// A watcher that was told nothing.
  public CountingWatcher() {}

  @Override
  public void advanced(Partition partition, long more) {
    bytes.addAndGet(more);
    advances.incrementAndGet();
  }

  @Override
  public void changed(Partition partition) {
    changes.incrementAndGet();
  }

  /// Sum of the bytes told.
  public long bytes() {
    return bytes.get();
  }

  /// Calls of [#advanced].
  public int advances() {
    return advances.get();
  }

  /// Calls of [#changed].
  public int changes() {
    return changes.get();
  }
}
