package io.takhin.protocol.kafka.fetch;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FetchDeadlineTest {
  private static final long[] NOWS = {Long.MIN_VALUE / 2, -12_345_678, 0, 98_765_432_109L};

  @Test
  void noFetchWaitsLongerThanItAsked() {
    for (long now : NOWS) {
      for (int waitMs : new int[] {0, 1, 50, 79, 80, 500, 5_000, 300_000}) {
        long wait = MILLISECONDS.toNanos(waitMs);
        long waited = FetchHandler.deadline(now, wait) - now;
        assertTrue(waited <= wait, waited + " of " + wait);
        assertTrue(waited >= wait - wait / 16, waited + " of " + wait);
      }
    }
  }

  @Test
  void shortWaitsAreExact() {
    for (long now : NOWS) {
      assertEquals(
          now + MILLISECONDS.toNanos(79), FetchHandler.deadline(now, MILLISECONDS.toNanos(79)));
    }
  }

  @Test
  void aThousandWaitsEndAtFewTimes() {
    Set<Long> ends = new HashSet<>();
    for (int i = 0; i < 1_000; i++) {
      ends.add(FetchHandler.deadline(i * 500_000L, MILLISECONDS.toNanos(500)));
    }
    assertTrue(ends.size() <= 18, ends.size() + " times");
  }
}
