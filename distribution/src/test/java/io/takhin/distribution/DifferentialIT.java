package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.distribution.differential.Replay;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The same answers as Apache Kafka: the fixed request scripts, whose answers by Kafka
/// `scripts/differential.sh --record` has kept.
@Timeout(300)
class DifferentialIT {
  private static final int SHOWN = 20;

  @Test
  void kafkasAnswersAreGivenToEveryFixedScript() throws IOException {
    Path recordings = Path.of("src", "test", "resources", "differential");
    try (Broker broker = Broker.started()) {
      Replay replay =
          new Replay(
              io.takhin.distribution.differential.Broker.takhin("127.0.0.1", broker.kafkaPort()),
              recordings);
      List<String> differing = new ArrayList<>();
      for (String family : Replay.families()) {
        differing.addAll(replay.differing(family));
      }
      String report = String.join("\n", differing.subList(0, Math.min(SHOWN, differing.size())));
      assertTrue(differing.isEmpty(), () -> differing.size() + " scripts differ\n" + report);
      assertTrue(replay.scripts() > 300, () -> replay.scripts() + " scripts only");
      assertEquals(List.of(), replay.acceptedForNothing(), "accepted, but no script shows it");
    }
  }
}
