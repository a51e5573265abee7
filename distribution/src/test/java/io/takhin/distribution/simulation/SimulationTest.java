package io.takhin.distribution.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/// The seeds of the test command; more with `scripts/sim.sh`. What a seed found is no test of its
/// own here: any change of the code moves what a seed does.
class SimulationTest {
  private static final int SEEDS = 200;
  private static final Logger PLUGINS = (Logger) LoggerFactory.getLogger("io.takhin");

  /// Brokers complain about their disks here, some thousand times.
  @BeforeAll
  static void silence() {
    PLUGINS.setLevel(Level.OFF);
  }

  @AfterAll
  static void speak() {
    PLUGINS.setLevel(null);
  }

  @Test
  void invariantsHoldUnderTwoHundredSeeds() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      Simulate.hash(seed);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 67})
  void aSeedReplaysBitForBit(long seed) {
    assertEquals(Simulate.hash(seed), Simulate.hash(seed));
  }
}
