package io.takhin.storage.local;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// R11: retention and a clock that jumps.
class RetentionClockTest {
  private static final long HOUR_MS = 3_600_000L;
  private static final long DAY_MS = 24 * HOUR_MS;
  private static final long BEGIN_MS = 1_700_000_000_000L;

  private final RetentionClock clock = new RetentionClock(BEGIN_MS, 0);

  private long at(long wallMs, long passedMs) {
    return clock.nowMs(wallMs, TimeUnit.MILLISECONDS.toNanos(passedMs));
  }

  @Test
  void aClockThatRunsEvenlyIsBelieved() {
    for (long passed = 0; passed < 10 * DAY_MS; passed += HOUR_MS) {
      assertEquals(BEGIN_MS + passed + 500, at(BEGIN_MS + passed + 500, passed));
    }
  }

  @Test
  void aJumpAheadCountsAfterADay() {
    long jumped = BEGIN_MS + 3650 * DAY_MS;
    assertEquals(BEGIN_MS + 1000, at(jumped, 1000));
    assertEquals(BEGIN_MS + HOUR_MS, at(jumped + HOUR_MS, HOUR_MS));
    assertEquals(jumped + DAY_MS + HOUR_MS, at(jumped + DAY_MS + HOUR_MS, DAY_MS + HOUR_MS));
  }

  /// Found by TimeFaultsIT: a jump of exactly an hour was believed, and removed what had an hour to
  /// live.
  @Test
  void aJumpOfAnHourIsNotBelievedEither() {
    assertEquals(BEGIN_MS + 1000, at(BEGIN_MS + 1000 + HOUR_MS, 1000));
    assertEquals(BEGIN_MS + 2000, at(BEGIN_MS + 2000 + HOUR_MS - 1, 2000));
  }

  @Test
  void aJumpThatIsTakenBackLeavesNothing() {
    assertEquals(BEGIN_MS + 1000, at(BEGIN_MS + 30 * DAY_MS, 1000));
    assertEquals(BEGIN_MS + 2000, at(BEGIN_MS + 2000, 2000));
    assertEquals(BEGIN_MS + 3000, at(BEGIN_MS + 30 * DAY_MS, 3000));
  }

  @Test
  void aJumpBackIsFollowedAtOnce() {
    assertEquals(BEGIN_MS - DAY_MS, at(BEGIN_MS - DAY_MS, 1000));
    assertEquals(BEGIN_MS - DAY_MS + 1000, at(BEGIN_MS - DAY_MS + 1000, 2000));
  }
}
