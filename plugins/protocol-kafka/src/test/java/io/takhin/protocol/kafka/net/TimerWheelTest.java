package io.takhin.protocol.kafka.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TimerWheelTest {
  private static final long START = Long.MAX_VALUE - 1_000_000;
  private final TimerWheel wheel = new TimerWheel(10, 8, 0);
  private final List<String> fired = new ArrayList<>();

  private final class Named extends TimerWheel.Timer {
    private final String name;
    private long at = -1;

    Named(String name) {
      this.name = name;
    }

    @Override
    protected void expired(long nowNanos) {
      at = nowNanos;
      fired.add(name);
    }
  }

  @Test
  void firesAtTheTickAfterTheDeadlineAndNotBefore() {
    Named timer = new Named("a");
    wheel.schedule(timer, 25);
    assertEquals(30, wheel.nextNanos());
    wheel.advance(29);
    assertTrue(timer.waiting());
    wheel.advance(30);
    assertFalse(timer.waiting());
    assertEquals(List.of("a"), fired);
    assertEquals(Long.MAX_VALUE, wheel.nextNanos());
  }

  @Test
  void deadlinesInThePastFireAtTheNextTick() {
    wheel.advance(1000);
    wheel.schedule(new Named("late"), 5);
    wheel.advance(1010);
    assertEquals(List.of("late"), fired);
  }

  @Test
  void cancelledTimersDoNotFireAndMovedOnesFireOnce() {
    Named moved = new Named("moved");
    Named cancelled = new Named("cancelled");
    wheel.schedule(moved, 10);
    wheel.schedule(cancelled, 10);
    wheel.schedule(moved, 30);
    wheel.cancel(cancelled);
    wheel.cancel(cancelled);
    assertEquals(1, wheel.size());
    wheel.advance(20);
    assertEquals(List.of(), fired);
    wheel.advance(100);
    assertEquals(List.of("moved"), fired);
    assertEquals(0, wheel.size());
  }

  @Test
  void timersOfLaterTurnsWaitTheirTurn() {
    wheel.schedule(new Named("soon"), 20);
    wheel.schedule(new Named("one turn later"), 100);
    wheel.schedule(new Named("two turns later"), 180);
    for (long now = 0; now <= 90; now += 10) {
      wheel.advance(now);
    }
    assertEquals(List.of("soon"), fired);
    wheel.advance(100);
    assertEquals(List.of("soon", "one turn later"), fired);
    wheel.advance(100_000);
    assertEquals(3, fired.size());
  }

  @Test
  void aTimerMayCancelAndScheduleOthersWhileItFires() {
    Named victim = new Named("victim");
    Named again = new Named("again");
    wheel.schedule(
        new TimerWheel.Timer() {
          @Override
          protected void expired(long nowNanos) {
            wheel.cancel(victim);
            wheel.schedule(again, nowNanos + 10);
          }
        },
        10);
    wheel.schedule(victim, 10);
    wheel.advance(10);
    assertEquals(List.of(), fired);
    wheel.advance(20);
    assertEquals(List.of("again"), fired);
  }

  @Test
  void nothingIsLateByMoreThanATickWhateverTheOrder() {
    Random random = new Random(42);
    TimerWheel large = new TimerWheel(10, 64, START);
    List<Named> timers = new ArrayList<>();
    List<Long> deadlines = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      long deadline = START + random.nextInt(20_000);
      Named timer = new Named("t");
      timers.add(timer);
      deadlines.add(deadline);
      large.schedule(timer, deadline);
    }
    long now = START;
    while (large.size() > 0) {
      long next = large.nextNanos();
      assertTrue(next > now);
      now = next;
      large.advance(now);
      for (int i = 0; i < timers.size(); i++) {
        boolean due = deadlines.get(i) + 10 < now;
        assertTrue(!due || timers.get(i).at >= deadlines.get(i), "timer " + i);
      }
    }
    assertEquals(2000, fired.size());
  }
}
