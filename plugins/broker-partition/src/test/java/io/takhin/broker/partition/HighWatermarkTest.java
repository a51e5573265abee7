package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HighWatermarkTest {
  private final HighWatermark highWatermark = new HighWatermark(1);

  @Test
  void oneReplicaFollowsItsOwnLog() {
    highWatermark.opened(5);
    assertEquals(5, highWatermark.offset());
    assertTrue(highWatermark.lead(List.of(1), 7, true) > 0);
    assertEquals(7, highWatermark.offset());
    assertEquals(100, highWatermark.logReached(10, 100));
    assertEquals(10, highWatermark.offset());
    assertEquals(0, highWatermark.logReached(10, 0));
  }

  @Test
  void itFollowsTheSlowestInSyncReplica() {
    highWatermark.opened(0);
    highWatermark.lead(List.of(1, 2, 3), 0, true);
    assertEquals(0, highWatermark.logReached(10, 1000));
    assertEquals(0, highWatermark.replicaReached(2, 8));
    assertEquals(500, highWatermark.replicaReached(3, 5));
    assertEquals(5, highWatermark.offset());
    assertEquals(300, highWatermark.replicaReached(3, 9));
    assertEquals(8, highWatermark.offset());
    assertEquals(0, highWatermark.replicaReached(9, 99));
    assertEquals(200, highWatermark.lead(List.of(1, 3), 10, false) + visibleAt(3, 10));
    assertEquals(10, highWatermark.offset());
  }

  private long visibleAt(int replica, long end) {
    return highWatermark.replicaReached(replica, end);
  }

  @Test
  void itNeverFalls() {
    highWatermark.opened(50);
    highWatermark.lead(List.of(1, 2), 60, true);
    assertEquals(50, highWatermark.offset());
    highWatermark.replicaReached(2, 55);
    assertEquals(55, highWatermark.offset());
    highWatermark.replicaReached(2, 40);
    assertEquals(55, highWatermark.offset());
    highWatermark.lead(List.of(1, 2), 60, true);
    assertEquals(55, highWatermark.offset());
  }

  @Test
  void aNewEpochForgetsWhatOthersSaid() {
    highWatermark.lead(List.of(1, 2), 10, true);
    highWatermark.replicaReached(2, 5);
    highWatermark.lead(List.of(1, 2), 20, true);
    highWatermark.logReached(30, 10);
    assertEquals(5, highWatermark.offset());
    highWatermark.replicaReached(2, 7);
    assertEquals(7, highWatermark.offset());
  }

  @Test
  void aFollowersStands() {
    highWatermark.lead(List.of(1), 10, true);
    highWatermark.follow();
    assertEquals(0, highWatermark.logReached(20, 100));
    assertEquals(10, highWatermark.offset());
    assertEquals(100, highWatermark.lead(List.of(1), 20, true));
    assertEquals(20, highWatermark.offset());
  }

  @Test
  void allBytesBecomeVisibleWhateverTheOrder() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      HighWatermark subject = new HighWatermark(1);
      subject.lead(List.of(1, 2, 3), 0, true);
      long written = 0;
      long end = 0;
      long visible = 0;
      for (int step = 0; step < 50; step++) {
        long before = subject.offset();
        int replica = 1 + random.nextInt(3);
        long told;
        if (replica == 1) {
          end += 10;
          written += 1000;
          told = subject.logReached(end, 1000);
        } else {
          told = subject.replicaReached(replica, random.nextLong(end + 1));
        }
        assertEquals(told > 0, subject.offset() > before, "seed " + seed);
        assertTrue(subject.offset() >= before && subject.offset() <= end);
        visible += told;
      }
      visible += subject.replicaReached(2, end) + subject.replicaReached(3, end);
      assertEquals(end, subject.offset());
      assertEquals(written, visible, "seed " + seed);
    }
  }
}
