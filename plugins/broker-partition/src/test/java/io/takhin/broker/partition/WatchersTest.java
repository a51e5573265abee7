package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.api.TopicPartition;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionWatcher;
import io.takhin.testkit.partition.CountingWatcher;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class WatchersTest {
  private final Watchers watchers = new Watchers();
  private final Partition partition =
      new Replica(
          new TopicPartition(new UUID(1, 1), "t", 0),
          new LaggingLog.Storage(),
          new ParkedSweep(io.takhin.testkit.TestContext.simulated().build()),
          new CoordinatorQuestions(io.takhin.testkit.TestContext.simulated().build()),
          1);

  @Test
  void manyComeAndGo() {
    List<CountingWatcher> all = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      CountingWatcher watcher = new CountingWatcher();
      all.add(watcher);
      watchers.add(watcher);
    }
    watchers.advanced(partition, 7);
    all.forEach(watcher -> assertEquals(7, watcher.bytes()));
    for (int i = 0; i < 1000; i += 2) {
      watchers.remove(all.get(i));
    }
    watchers.advanced(partition, 1);
    watchers.changed(partition);
    for (int i = 0; i < 1000; i++) {
      assertEquals(i % 2 == 0 ? 7 : 8, all.get(i).bytes());
      assertEquals(i % 2, all.get(i).changes());
    }
    all.forEach(watchers::remove);
    all.forEach(watchers::remove);
    watchers.advanced(partition, 1);
    assertEquals(8, all.getLast().bytes());
  }

  @Test
  void aWatcherMayLeaveWhileItIsTold() {
    CountingWatcher other = new CountingWatcher();
    PartitionWatcher leaving =
        new PartitionWatcher() {
          @Override
          public void advanced(Partition of, long bytes) {
            watchers.remove(this);
            watchers.add(other);
          }

          @Override
          public void changed(Partition of) {}
        };
    watchers.add(leaving);
    watchers.advanced(partition, 1);
    assertEquals(0, other.bytes());
    watchers.advanced(partition, 1);
    assertEquals(1, other.bytes());
  }

  @Test
  void whoLeftIsNotHeld() {
    WeakReference<CountingWatcher> left = new WeakReference<>(cameAndWent());
    for (int i = 0; i < 50 && left.get() != null; i++) {
      System.gc();
      Thread.onSpinWait();
    }
    assertEquals(null, left.get());
  }

  private CountingWatcher cameAndWent() {
    CountingWatcher watcher = new CountingWatcher();
    watchers.add(watcher);
    watchers.advanced(partition, 1);
    watchers.remove(watcher);
    return watcher;
  }
}
