package io.takhin.protocol.kafka.wire;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class HashedElementsTest {
  @Test
  void honestNamesCostLittle() {
    int[] hashes = new int[10_000];
    for (int i = 0; i < hashes.length; i++) {
      hashes[i] = ("sensor-data-" + i).hashCode() & Integer.MAX_VALUE;
    }
    long steps = HashedElements.steps(hashes);
    assertTrue(steps < HashedElements.MAX_STEPS / 2, steps + " steps");
  }

  @Test
  void numbersInARowCostTheirSquare() {
    int[] hashes = new int[4_000];
    Arrays.setAll(hashes, i -> i);
    long steps = HashedElements.steps(hashes);
    assertTrue(steps > 1_000_000 && steps < HashedElements.MAX_STEPS, steps + " steps");
  }

  @Test
  void hashesThatFallOnEachOtherAreSeenWithoutPayingForThem() {
    for (int apart : new int[] {0, 1_000 * 2 + 1, 0x10000}) {
      int[] hashes = new int[10_000];
      Arrays.setAll(hashes, i -> (int) ((long) i * apart & Integer.MAX_VALUE));
      long from = System.nanoTime();
      if (apart != 0x10000) {
        assertTrue(HashedElements.steps(hashes) > HashedElements.MAX_STEPS, apart + " apart");
      } else {
        assertTrue(HashedElements.steps(hashes) > 0);
      }
      assertTrue(System.nanoTime() - from < 1_000_000_000L);
    }
  }
}
