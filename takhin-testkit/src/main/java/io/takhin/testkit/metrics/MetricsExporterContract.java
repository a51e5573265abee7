package io.takhin.testkit.metrics;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.Service;
import io.takhin.api.metrics.Metrics;
import io.takhin.testkit.TestContext;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// What every implementation of the extension point `metrics` does. Extend it, and say how an
/// exporter is made and where its output is seen.
public abstract class MetricsExporterContract {
  /// For subclasses.
  protected MetricsExporterContract() {}

  /// A context for the exporter; closed by the test.
  protected abstract TestContext context();

  /// An exporter that is not started.
  protected abstract Service exporter(TestContext context);

  /// What the exporter shows now, in its own format: an exporter that pushes is made to push.
  protected abstract String exported(Service exporter, TestContext context) throws Exception;

  @Test
  void showsCountersGaugesAndHistogramsWithTheirLabels() throws Exception {
    try (TestContext context = context();
        Service exporter = exporter(context)) {
      Metrics metrics = context.metrics();
      metrics.counter("contract_records_total", "Records.", "topic", "orders").add(41);
      metrics.gauges("contract_lag", "Lag.", sink -> sink.value(17, "topic", "orders"));
      metrics.histogram("contract_wait_seconds", "Waiting.").record(2_000_000_000L);
      exporter.start();
      String shown = exported(exporter, context);
      assertTrue(shown.contains("contract_records_total"), shown);
      assertTrue(shown.contains("41"), shown);
      assertTrue(shown.contains("contract_lag"), shown);
      assertTrue(shown.contains("17"), shown);
      assertTrue(shown.contains("contract_wait_seconds"), shown);
      assertTrue(shown.contains("orders"), shown);
    }
  }

  @Test
  void showsWhatChangedSince() throws Exception {
    try (TestContext context = context();
        Service exporter = exporter(context)) {
      Metrics.Counter counter = context.metrics().counter("contract_late_total", "Late.");
      exporter.start();
      counter.add(1234);
      assertTrue(exported(exporter, context).contains("1234"));
    }
  }

  @Test
  void aGaugeThatFailsDoesNotHideTheOthersForGood() throws Exception {
    try (TestContext context = context();
        Service exporter = exporter(context)) {
      boolean[] fail = {false};
      context
          .metrics()
          .gauges(
              "contract_moody",
              "Fails at times.",
              sink -> {
                if (fail[0]) {
                  throw new IllegalStateException("not now");
                }
                sink.value(5);
              });
      context.metrics().counter("contract_steady_total", "Steady.").add(77);
      exporter.start();
      fail[0] = true;
      try {
        exported(exporter, context);
      } catch (java.io.IOException | IllegalStateException refused) {
        // An exporter may answer with an error rather than with half of the truth.
        assertFalse(String.valueOf(refused.getMessage()).isEmpty());
      }
      fail[0] = false;
      assertTrue(exported(exporter, context).contains("77"));
    }
  }

  @Test
  void noThreadIsLeftAfterClose() throws Exception {
    try (TestContext context = context()) {
      Service exporter = exporter(context);
      exporter.start();
      exported(exporter, context);
      exporter.close();
      for (Thread thread : context.liveThreads()) {
        if (!thread.getName().contains("scheduler") && !thread.getName().contains("blocking")) {
          assertTrue(thread.join(Duration.ofSeconds(20)), () -> "still running: " + thread);
        }
      }
    }
  }

  @Test
  void closesWithoutHavingStarted() {
    try (TestContext context = context()) {
      exporter(context).close();
    }
  }
}
