package io.takhin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.bench.Broker.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
  private final Table table = new Table();

  private void measured(Kind kind, double cost, double rate) {
    table.add(
        kind, List.of(Figure.cost("cost", "s", cost, 0.5), Figure.gain("rate", "/s", rate, 1.5)));
  }

  @Test
  void ratiosAreOfMediansWithWhatTheRunsAllow() {
    measured(Kind.TAKHIN, 1, 30);
    measured(Kind.TAKHIN, 3, 50);
    measured(Kind.KAFKA, 4, 10);
    measured(Kind.KAFKA, 4, 10);
    assertEquals(
        List.of("cost\t0.5000\t0.2500\t0.7500", "rate\t4.0000\t3.0000\t5.0000"), table.ratios());
    assertTrue(table.markdown().contains("| **0.50** | <= 0.50, met |"), table.markdown());
  }

  @Test
  void theGuardSeesCostsThatRoseAndRatesThatFell() {
    measured(Kind.TAKHIN, 2, 20);
    measured(Kind.KAFKA, 4, 10);
    assertEquals(List.of(), table.worseThan(List.of("cost\t0.49\t0.47\t0.48", "rate\t2\t2\t2")));
    assertEquals(
        List.of("cost: ratio 0.50, committed 0.4000", "rate: ratio 2.00, committed 3.0000"),
        table.worseThan(List.of("cost\t0.4000\t0.3900\t0.4100", "rate\t3.0000\t2.9000\t3.1000")));
  }
}
