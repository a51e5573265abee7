package io.takhin.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.takhin.api.HealthCheck;
import io.takhin.api.TakhinException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TestTimeTest {
  private final TestTime time = new TestTime();
  private final List<String> ran = new ArrayList<>();

  @Test
  void tasksRunInTheOrderOfTheirTimesAndSeeTheirOwnTime() {
    time.scheduler().schedule(() -> ran.add("late@" + elapsedMs()), 20, TimeUnit.MILLISECONDS);
    time.scheduler().schedule(() -> ran.add("early@" + elapsedMs()), 10, TimeUnit.MILLISECONDS);
    assertEquals(0, time.advanceMs(9));
    assertEquals(2, time.advanceMs(91));
    assertEquals(List.of("early@10", "late@20"), ran);
    assertEquals(TestTime.EPOCH.toEpochMilli() + 100, time.wallMs());
  }

  @Test
  void periodicTasksRepeatUntilCancelledOrFailed() {
    var task =
        time.scheduler().scheduleAtFixedRate(() -> ran.add("tick"), 10, 10, TimeUnit.MILLISECONDS);
    time.advanceMs(35);
    assertEquals(3, ran.size());
    task.cancel(false);
    time.advanceMs(100);
    assertEquals(3, ran.size());
    assertEquals(0, time.pendingTasks());
  }

  @Test
  void theWallClockMayJumpAndTheMonotonicOneDoesNot() {
    long before = time.nanoTime();
    time.jumpWallClock(TestTime.EPOCH.minus(Duration.ofDays(1)));
    assertEquals(before, time.nanoTime());
    assertEquals(TestTime.EPOCH.minus(Duration.ofDays(1)), time.clock().instant());
  }

  @Test
  void aContextKeepsWhatThePluginTellsIt() {
    try (var context = TestContext.simulated().service(String.class, "service").build()) {
      assertEquals("service", context.service(String.class));
      assertThrows(TakhinException.class, () -> context.service(Integer.class));
      context.metrics().counter("a_total", "A.", "k", "v").add(2);
      context.metrics().gauges("b", "B.", sink -> sink.value(3.5));
      assertEquals(2.0, context.metrics().value("a_total", "k", "v"));
      assertEquals(3.5, context.metrics().value("b"));
      assertNull(context.metrics().value("c"));
      context.fatal("disk gone", new IllegalStateException());
      assertEquals("disk gone", context.fatals().getFirst().reason());
      context.blocking().execute(() -> ran.add("blocking"));
      assertEquals(List.of(), ran);
      context.time().runDue();
      assertEquals(List.of("blocking"), ran);
      context.health(
          new HealthCheck() {
            @Override
            public String name() {
              return "disk";
            }

            @Override
            public Health check() {
              return Health.healthy();
            }
          });
      assertEquals("disk", context.healthChecks().getFirst().name());
    }
  }

  private long elapsedMs() {
    return time.wallMs() - TestTime.EPOCH.toEpochMilli();
  }
}
