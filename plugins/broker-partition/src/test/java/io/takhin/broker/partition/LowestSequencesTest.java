package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LowestSequencesTest {
  private final LowestSequences lowest = new LowestSequences();

  private int highest(int epoch) {
    return lowest.highest(9, (short) epoch);
  }

  @Test
  void theLowestOfTheNewestEpochCounts() {
    assertEquals(Integer.MAX_VALUE, highest(0));
    lowest.failed(9, (short) 1, 5);
    lowest.failed(9, (short) 1, 7);
    assertEquals(5, highest(1));
    lowest.failed(9, (short) 1, 3);
    lowest.failed(9, (short) 0, 0);
    assertEquals(3, highest(1));
    assertEquals(Integer.MAX_VALUE, highest(2));
    lowest.failed(9, (short) 2, 4);
    assertEquals(4, highest(2));
    assertEquals(Integer.MAX_VALUE, lowest.highest(8, (short) 2));
    lowest.written(9);
    assertEquals(Integer.MAX_VALUE, highest(2));
  }

  @Test
  void t48AMarkerOfTheSecondGenerationLeavesTheNextTransactionsAlone() {
    lowest.failed(9, (short) 1, 0);
    lowest.ended(9, (short) 1, 2);
    assertEquals(0, highest(1));
    lowest.ended(9, (short) 2, 2);
    assertEquals(Integer.MAX_VALUE, highest(1));
    lowest.failed(9, (short) 1, 0);
    lowest.ended(9, (short) 1, 0);
    assertEquals(Integer.MAX_VALUE, highest(1));
  }

  @Test
  void b21ProducersThatNobodyComesBackWithAreBounded() {
    for (int i = 0; i < 10 * LowestSequences.MOST; i++) {
      lowest.failed(i, (short) 0, 0);
    }
    assertEquals(LowestSequences.MOST, lowest.size());
    assertEquals(Integer.MAX_VALUE, lowest.highest(0, (short) 0));
    assertEquals(0, lowest.highest(10 * LowestSequences.MOST - 1, (short) 0));
  }
}
