package io.takhin.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.testkit.TestTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AlarmTest {
  private final TestTime time = new TestTime();
  private final List<Long> rang = new ArrayList<>();
  private final Alarm alarm = new Alarm(time.scheduler(), this::nowMs, () -> rang.add(nowMs()));

  private long nowMs() {
    return time.nanoTime() / 1_000_000;
  }

  @Test
  void ringsOnceForTheEarliestTime() {
    long start = nowMs();
    alarm.set(start + 100);
    alarm.set(start + 50);
    alarm.set(start + 70);
    time.advanceMs(1_000);
    assertEquals(List.of(start + 50), rang);
  }

  @Test
  void overtakenTasksDoNotPileUp() {
    Alarm[] self = new Alarm[1];
    int[] rings = new int[1];
    self[0] =
        new Alarm(
            time.scheduler(),
            this::nowMs,
            () -> {
              rings[0]++;
              self[0].set(nowMs() + 100);
            });
    for (int i = 0; i < 50; i++) {
      self[0].set(nowMs() + 60);
      time.advanceMs(61);
    }
    int tasks = time.pendingTasks();
    time.advanceMs(10_000);
    assertEquals(1, time.pendingTasks(), "there were " + tasks);
  }
}
