package io.takhin.metrics.prometheus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.metrics.MetricVisitor.Kind;
import io.takhin.api.metrics.Metrics;
import io.takhin.testkit.TestContext;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TextWriterTest {
  private static String write(TextFormat format, int limit, Consumer<TextWriter> families) {
    StringBuilder out = new StringBuilder();
    TextWriter writer = new TextWriter(format, out, limit);
    families.accept(writer);
    return out.toString();
  }

  @Test
  void aCounterLosesItsSuffixInOpenMetricsOnlyInTheFamilyName() {
    Consumer<TextWriter> family =
        writer -> {
          writer.family("takhin_requests_total", "Requests.", Kind.COUNTER);
          writer.value(Metrics.labels("api", "Fetch"), 7);
        };
    assertEquals(
        """
        # HELP takhin_requests_total Requests.
        # TYPE takhin_requests_total counter
        takhin_requests_total{api="Fetch"} 7
        """,
        write(TextFormat.PROMETHEUS, 9999, family));
    assertEquals(
        """
        # HELP takhin_requests Requests.
        # TYPE takhin_requests counter
        takhin_requests_total{api="Fetch"} 7
        """,
        write(TextFormat.OPEN_METRICS, 9999, family));
  }

  @Test
  void aGaugeThatIsNamedTotalHasNoType() {
    String page =
        write(
            TextFormat.PROMETHEUS,
            9999,
            writer -> {
              writer.family("takhin_storage_bytes_total", "Bytes on disk.", Kind.GAUGE);
              writer.value(Metrics.labels(), 0.5);
            });
    assertTrue(page.contains("# TYPE takhin_storage_bytes_total untyped\n"), page);
    assertTrue(page.endsWith("takhin_storage_bytes_total 0.5\n"), page);
  }

  @Test
  void labelsAndHelpAreEscaped() {
    String page =
        write(
            TextFormat.PROMETHEUS,
            9999,
            writer -> {
              writer.family("g", "a \\ b\n\"c\"", Kind.GAUGE);
              writer.value(Metrics.labels("group", "a\"b\\c\nd\uD800e\uD83D\uDE00"), 1);
            });
    assertEquals(
        """
        # HELP g a \\\\ b\\n"c"
        # TYPE g gauge
        g{group="a\\"b\\\\c\\nd\uFFFDe\uD83D\uDE00"} 1
        """,
        page);
  }

  @Test
  void numbersThatAreNotFiniteAreSpelledAsPrometheusDoes() {
    String page =
        write(
            TextFormat.PROMETHEUS,
            9999,
            writer -> {
              writer.family("g", "h", Kind.GAUGE);
              writer.value(Metrics.labels("v", "1"), Double.POSITIVE_INFINITY);
              writer.value(Metrics.labels("v", "2"), Double.NEGATIVE_INFINITY);
              writer.value(Metrics.labels("v", "3"), Double.NaN);
              writer.value(Metrics.labels("v", "4"), 9_007_199_254_740_991.0);
              writer.value(Metrics.labels("v", "5"), 1e300);
            });
    assertTrue(page.contains("g{v=\"1\"} +Inf\n"), page);
    assertTrue(page.contains("g{v=\"2\"} -Inf\n"), page);
    assertTrue(page.contains("g{v=\"3\"} NaN\n"), page);
    assertTrue(page.contains("g{v=\"4\"} 9007199254740991\n"), page);
    assertTrue(page.contains("g{v=\"5\"} 1.0E300\n"), page);
  }

  @Test
  void aHistogramEndsWithAllItsValues() {
    try (TestContext context = TestContext.simulated().build()) {
      Metrics.Histogram histogram = context.metrics().histogram("t_seconds", "h", "api", "Fetch");
      histogram.record(50_000);
      histogram.record(20_000_000);
      histogram.record(60_000_000_000L);
      String page = write(TextFormat.PROMETHEUS, 99999, writer -> context.metrics().visit(writer));
      assertTrue(page.contains("# TYPE t_seconds histogram\n"), page);
      assertTrue(page.contains("t_seconds_bucket{api=\"Fetch\",le=\"1.0E-4\"} 1\n"), page);
      assertTrue(page.contains("t_seconds_bucket{api=\"Fetch\",le=\"0.05\"} 2\n"), page);
      assertTrue(page.contains("t_seconds_bucket{api=\"Fetch\",le=\"10.0\"} 2\n"), page);
      assertTrue(page.contains("t_seconds_bucket{api=\"Fetch\",le=\"+Inf\"} 3\n"), page);
      assertTrue(page.contains("t_seconds_count{api=\"Fetch\"} 3\n"), page);
      assertTrue(page.contains("t_seconds_sum{api=\"Fetch\"} 60.02005\n"), page);
    }
  }

  @Test
  void aFamilyWithoutValuesLeavesNoLines() {
    assertEquals(
        "", write(TextFormat.PROMETHEUS, 9999, writer -> writer.family("g", "h", Kind.GAUGE)));
  }

  @Test
  void whatComesTwiceOrDoesNotFitIsLeftOutAndCounted() {
    String page =
        write(
            TextFormat.PROMETHEUS,
            60,
            writer -> {
              writer.family("g", "h", Kind.GAUGE);
              writer.value(Metrics.labels("v", "1"), 1);
              writer.value(Metrics.labels("v", "1"), 2);
              for (int i = 0; i < 100; i++) {
                writer.value(Metrics.labels("v", "x" + i), i);
              }
              writer.finish();
            });
    assertFalse(page.contains("g{v=\"1\"} 2"), page);
    assertFalse(page.contains("x99"), page);
    assertTrue(page.contains("\ntakhin_metrics_dropped_values 9"), page);
  }
}
