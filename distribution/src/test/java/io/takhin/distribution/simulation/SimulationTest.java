package io.takhin.distribution.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The seeds of the test command; more with `scripts/sim.sh`. A seed that failed once has a test of
/// its own, with what it found.
class SimulationTest {
  private static final int SEEDS = 200;

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

  /// The name of a new data directory was not forced: a power cut took all that was forced inside.
  @Test
  void aPowerCutDoesNotTakeTheDataDirectoryAway() {
    Simulate.hash(3);
  }

  /// Names that were not forced before a kill were never forced afterwards: a power cut took files
  /// that had been forced themselves.
  @Test
  void namesFromBeforeAKillAreForcedAfterIt() {
    Simulate.hash(2);
  }

  /// A segment that a power cut had shortened at a batch was followed by the next one.
  @Test
  void noSegmentFollowsAHole() {
    Simulate.hash(67);
  }

  /// With `flush.messages=1`, what a killed broker had not forced was visible after its restart.
  @Test
  void recoveredRecordsCountWhenTheyAreOnDisk() {
    Simulate.hash(187);
  }

  /// Two partitions whose hashes met were swept for ever.
  @Test
  void theSweepOfParkedAppendsEnds() {
    Simulate.hash(68);
  }
}
