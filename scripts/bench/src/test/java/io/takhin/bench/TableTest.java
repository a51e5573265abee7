package io.takhin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.bench.Broker.Kind;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final Set<String> RUN = Set.of("C");

  private final Table table = new Table();

  private void measured(Kind kind, double cost, double rate) {
    table.add(
        "C",
        kind,
        List.of(
            Figure.cost("cost", "s", cost, 0.5),
            Figure.gain("rate", "/s", rate, 1.5),
            Figure.limit("promise", "ms", cost, 2),
            Figure.cost("median", "ms", cost)));
  }

  @Test
  void ratiosAreOfMediansWithWhatTheRunsAllow() {
    measured(Kind.TAKHIN, 1, 30);
    measured(Kind.TAKHIN, 3, 50);
    measured(Kind.KAFKA, 4, 10);
    measured(Kind.KAFKA, 4, 10);
    assertEquals("C\tcost\t0.5000\t0.2500\t0.7500", table.ratios().getFirst());
    assertEquals("C\trate\t4.0000\t3.0000\t5.0000", table.ratios().get(1));
    assertTrue(table.markdown().contains("| **0.50** | <= 0.50, met |"), table.markdown());
  }

  @Test
  void aPromiseIsHeldToItsOwnNumber() {
    measured(Kind.TAKHIN, 3, 30);
    measured(Kind.KAFKA, 100, 10);
    assertTrue(table.markdown().contains("<= 2.00 itself, missed"), table.markdown());
  }

  @Test
  void theOtherBrokersHaveColumnsIfTheyWereMeasured() {
    measured(Kind.TAKHIN, 1, 1);
    assertTrue(
        table.markdown().startsWith("| case | unit | Takhin | Apache Kafka | ratio | goal |\n"));
    measured(Kind.TUNED, 7, 1);
    measured(Kind.FLOOR, 0.5, 1);
    assertTrue(table.markdown().contains("| Kafka tuned | floor |\n"), table.markdown());
    assertTrue(table.markdown().contains("| 7.00 | 0.50 |\n"), table.markdown());
  }

  @Test
  void theGuardSeesCostsThatRoseAndRatesThatFell() {
    measured(Kind.TAKHIN, 2, 20);
    measured(Kind.KAFKA, 4, 10);
    assertEquals(
        List.of(), table.worseThan(List.of("C\tcost\t0.49\t0.47\t0.48", "C\trate\t2\t2\t2"), RUN));
    assertEquals(
        List.of("cost: ratio 0.50, committed 0.4000", "rate: ratio 2.00, committed 3.0000"),
        table.worseThan(
            List.of("C\tcost\t0.4000\t0.3900\t0.4100", "C\trate\t3.0000\t2.9000\t3.1000"), RUN));
  }

  @Test
  void theGuardLooksAtPromisesOnly() {
    measured(Kind.TAKHIN, 2, 20);
    measured(Kind.KAFKA, 4, 10);
    assertEquals(List.of(), table.worseThan(List.of("C\tmedian\t0.1\t0.1\t0.1"), RUN));
  }

  @Test
  void theGuardMissesWhatWasToBeMeasuredAndNothingElse() {
    assertEquals(
        List.of("cost: not measured, committed 0.4"),
        table.worseThan(List.of("C\tcost\t0.4\t0.4\t0.4", "D\tother\t1\t1\t1"), RUN));
  }
}
