package io.takhin.example.metrics.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.HealthCheck;
import io.takhin.api.Service;
import io.takhin.api.TakhinException;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.TestTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {
  private static final long START = TestTime.EPOCH.getEpochSecond();

  @TempDir Path directory;

  @Test
  void writesAllMetricsAtStartAndAtEachInterval() throws IOException {
    Path file = directory.resolve("metrics.graphite");
    try (TestContext context = TestContext.simulated().build();
        Service service = create(file, context)) {
      var counter = context.metrics().counter("records_total", "Records.", "topic", "a b;c");
      counter.add(3);
      context.metrics().gauges("load", "Load.", sink -> sink.value(0.5));
      context.metrics().histogram("wait_seconds", "Waiting.").record(2_000_000_000L);
      service.start();
      assertEquals(
          """
          load 0.5 %1$d
          records_total;topic=a_b_c 3 %1$d
          wait_seconds_count 1 %1$d
          wait_seconds_sum 2 %1$d
          wait_seconds;quantile=0.5 2 %1$d
          wait_seconds;quantile=0.99 2 %1$d
          wait_seconds;quantile=0.999 2 %1$d
          """
              .formatted(START),
          Files.readString(file));

      counter.add(4);
      context.time().advance(Duration.ofSeconds(10));
      assertTrue(
          Files.readString(file).contains("records_total;topic=a_b_c 7 " + (START + 10) + "\n"));
    }
  }

  @Test
  void aDirectoryThatIsMissingIsToldWithTheKeyToChange() {
    try (TestContext context = TestContext.simulated().build();
        Service service = create(directory.resolve("none").resolve("file"), context)) {
      var refused = assertThrows(TakhinException.class, service::start);
      assertTrue(String.valueOf(refused.getMessage()).contains("example.metrics.file.path"));
    }
  }

  @Test
  void aDiskThatFailsLaterShowsInHealthAndHealsItself() throws IOException {
    Path inner = Files.createDirectory(directory.resolve("inner"));
    Path file = inner.resolve("metrics.graphite");
    try (TestContext context = TestContext.simulated().build();
        Service service = create(file, context)) {
      service.start();
      HealthCheck check = context.healthChecks().getFirst();
      Files.delete(file);
      Files.delete(inner);
      context.time().advance(Duration.ofSeconds(10));
      assertEquals(HealthCheck.Status.DEGRADED, check.check().status());
      Files.createDirectory(inner);
      context.time().advance(Duration.ofSeconds(10));
      assertEquals(HealthCheck.Status.HEALTHY, check.check().status());
      assertTrue(Files.exists(file));
    }
  }

  @Test
  void thePathMustNameAFile() {
    assertThrows(IllegalArgumentException.class, () -> new MetricsFileConfig(Path.of(""), 10));
  }

  private static Service create(Path file, TestContext context) {
    return new MetricsFileProvider().create(new MetricsFileConfig(file, 10), context);
  }
}
