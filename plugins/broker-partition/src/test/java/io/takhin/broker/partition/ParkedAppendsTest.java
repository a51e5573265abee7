package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.testkit.partition.CapturedProduce;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ParkedAppendsTest {
  private final ParkedAppends parked = new ParkedAppends();

  @Test
  void theyLeaveInTheOrderOfOffsetsWhateverTheOrderOfArrival() {
    for (long offset : new long[] {3, 5, 4, 9, 0, 5, 7}) {
      parked.add(append(offset), 100);
    }
    assertEquals(List.of(), offsets(parked.takeBelow(0)));
    assertEquals(List.of(0L, 3L, 4L), offsets(parked.takeBelow(5)));
    assertEquals(List.of(5L, 5L, 7L), offsets(parked.takeBelow(9)));
    parked.add(append(8), 100);
    assertEquals(List.of(8L, 9L), offsets(parked.takeBelow(Long.MAX_VALUE)));
    assertTrue(parked.isEmpty());
    parked.add(append(20), 100);
    assertEquals(List.of(20L), offsets(parked.takeAll()));
    assertEquals(List.of(), offsets(parked.takeAll()));
  }

  @Test
  void deadlinesAreEachTheirOwn() {
    parked.add(append(1), 300);
    parked.add(append(2), 100);
    parked.add(append(3), 200);
    parked.add(append(4), 100);
    assertEquals(List.of(), offsets(parked.takeExpired(99)));
    assertEquals(List.of(2L, 4L), offsets(parked.takeExpired(100)));
    parked.add(append(5), 150);
    assertEquals(List.of(3L, 5L), offsets(parked.takeExpired(250)));
    assertEquals(List.of(1L), offsets(parked.takeBelow(10)));
  }

  @Test
  void deadlinesSurviveTheWrapOfTheClock() {
    long almost = Long.MAX_VALUE - 10;
    parked.add(append(1), almost + 5);
    parked.add(append(2), almost + 20);
    assertEquals(List.of(), offsets(parked.takeExpired(almost)));
    assertEquals(List.of(1L), offsets(parked.takeExpired(almost + 15)));
    assertEquals(List.of(2L), offsets(parked.takeExpired(almost + 20)));
  }

  @Test
  void itIsSweptWhileSomebodyWaitsAndOnceMore() {
    assertTrue(parked.add(append(1), 100));
    assertFalse(parked.add(append(2), 100));
    offsets(parked.takeAll());
    assertTrue(parked.swept());
    assertFalse(parked.add(append(3), 100));
    assertEquals(List.of(3L), offsets(parked.takeExpired(100)));
    assertTrue(parked.swept());
    assertEquals(List.of(), offsets(parked.takeExpired(100)));
    assertFalse(parked.swept());
    assertTrue(parked.add(append(4), 100));
  }

  @Test
  void itAgreesWithASortedMap() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      ParkedAppends subject = new ParkedAppends();
      TreeMap<Long, Long> model = new TreeMap<>();
      long now = 0;
      long end = 0;
      for (int step = 0; step < 80; step++) {
        switch (random.nextInt(4)) {
          case 0, 1 -> {
            end += 1 + random.nextInt(3);
            long offset = random.nextInt(5) == 0 ? Math.max(0, end - 2) : end;
            if (!model.containsKey(offset)) {
              long deadline = now + random.nextInt(50);
              model.put(offset, deadline);
              subject.add(append(offset), deadline);
            }
          }
          case 2 -> {
            long below = end - random.nextInt(6);
            List<Long> expected = List.copyOf(model.headMap(below).keySet());
            assertEquals(expected, offsets(subject.takeBelow(below)), "seed " + seed);
            model.headMap(below).clear();
          }
          default -> {
            now += random.nextInt(30);
            long at = now;
            List<Long> expected =
                model.entrySet().stream()
                    .filter(each -> each.getValue() <= at)
                    .map(java.util.Map.Entry::getKey)
                    .toList();
            assertEquals(expected, offsets(subject.takeExpired(now)), "seed " + seed);
            model.values().removeIf(deadline -> deadline <= at);
          }
        }
        assertEquals(model.isEmpty(), subject.isEmpty());
      }
      assertEquals(List.copyOf(model.keySet()), offsets(subject.takeAll()), "seed " + seed);
    }
  }

  private static PendingAppend append(long offset) {
    PendingAppend append =
        new PendingAppend(
            written -> {}, new CapturedProduce(ByteBuffer.allocateDirect(1), -1, 1000), 0);
    append.place(offset, offset, -1, 0);
    return append;
  }

  private static List<Long> offsets(@Nullable PendingAppend chain) {
    List<Long> offsets = new ArrayList<>();
    for (PendingAppend next = chain; next != null; next = next.nextParked) {
      offsets.add(next.lastOffset());
    }
    return offsets;
  }
}
