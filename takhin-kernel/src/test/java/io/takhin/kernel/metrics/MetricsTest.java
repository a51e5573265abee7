package io.takhin.kernel.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.metrics.MetricVisitor;
import io.takhin.api.metrics.Metrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetricsTest {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 7, 8, 9, 15, 16, 1_000, 999_999_999, Long.MAX_VALUE - 1})
  void aBucketIsNeverWiderThanAnEighthOfItsValue(long value) {
    int bucket = StripedHistogram.bucket(value);
    long upper = StripedHistogram.upperEdge(bucket);
    assertTrue(value <= upper, value + " above the edge " + upper);
    assertTrue(upper - value <= value / 8.0, value + " is told as " + upper);
    assertTrue(bucket == 0 || StripedHistogram.upperEdge(bucket - 1) < value);
  }

  @Test
  void everyBucketHoldsItsOwnEdge() {
    int last = StripedHistogram.bucket(Long.MAX_VALUE);
    assertEquals(Long.MAX_VALUE, StripedHistogram.upperEdge(last));
    for (int bucket = 0; bucket <= last; bucket++) {
      assertEquals(bucket, StripedHistogram.bucket(StripedHistogram.upperEdge(bucket)));
    }
  }

  @Test
  void quantilesAreWithinTheirError() {
    StripedHistogram histogram = new StripedHistogram();
    long[] values = new Random(42).longs(20_000, 0, 5_000_000_000L).toArray();
    for (long value : values) {
      histogram.record(value);
    }
    Arrays.sort(values);
    for (double q : new double[] {0.01, 0.5, 0.9, 0.99, 0.999, 1}) {
      long exact = values[(int) Math.ceil(q * values.length) - 1];
      long told = histogram.quantileNanos(q);
      assertTrue(told >= exact && told <= exact * 1.125, q + ": " + told + " for " + exact);
    }
    assertEquals(values.length, histogram.count());
    assertEquals(Arrays.stream(values).sum(), histogram.sumNanos());
  }

  @Test
  void nothingIsLostWhenManyThreadsWrite() throws InterruptedException {
    StripedHistogram histogram = new StripedHistogram();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int n = 0; n < 20_000; n++) {
                      histogram.record(n);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(160_000, histogram.count());
    assertEquals(8 * (19_999L * 20_000 / 2), histogram.sumNanos());
  }

  @Test
  void cumulativeCountsWholeBucketsUpToTheBound() {
    StripedHistogram histogram = new StripedHistogram();
    histogram.record(-5);
    histogram.record(3);
    histogram.record(100);
    histogram.record(1_000_000);
    assertArrayEquals(
        new long[] {1, 2, 3, 4}, histogram.cumulative(new long[] {0, 3, 1_000, Long.MAX_VALUE}));
    assertEquals(0, new StripedHistogram().quantileNanos(0.5));
  }

  @Test
  void metricsAreVisitedByNameAndLeaveWithTheirOwner() {
    MetricRegistry registry = new MetricRegistry();
    Metrics one = registry.of("one");
    Metrics two = registry.of("two");
    one.counter("b_total", "B.", "k", "1").add(2);
    assertSame(one.counter("b_total", "B.", "k", "1"), two.counter("b_total", "B.", "k", "1"));
    one.counter("b_total", "B.", "k", "0").add(7);
    two.gauges("a", "A.", sink -> sink.value(1.5));
    one.histogram("c_seconds", "C.").record(5);
    assertEquals(
        List.of("a", "=1.5", "b_total", "k,0=7.0", "k,1=2.0", "c_seconds", "histogram 1"),
        seen(registry));
    registry.drop("one");
    assertEquals(List.of("a", "=1.5", "b_total", "k,1=2.0"), seen(registry));
    registry.drop("two");
    assertEquals(List.of(), seen(registry));
  }

  @Test
  void aSourceThatThrowsDoesNotSpoilTheScrape() {
    MetricRegistry registry = new MetricRegistry();
    Metrics metrics = registry.of("bad");
    metrics.gauges(
        "a",
        "A.",
        sink -> {
          throw new IllegalStateException("boom");
        });
    metrics.counter("b_total", "B.").add(1);
    assertEquals(List.of("a", "b_total", "=1.0"), seen(registry));
  }

  @Test
  void badNamesAndKindsAreRefused() {
    Metrics metrics = new MetricRegistry().of("x");
    metrics.counter("n", "N.");
    assertThrows(IllegalArgumentException.class, () -> metrics.histogram("n", "N."));
    assertThrows(IllegalArgumentException.class, () -> metrics.counter("a-b", "N."));
    assertThrows(IllegalArgumentException.class, () -> metrics.counter("a", "N.", "l-l", "v"));
    assertThrows(IllegalArgumentException.class, () -> metrics.counter("a", "N.", "l"));
  }

  private static List<String> seen(MetricRegistry registry) {
    List<String> seen = new ArrayList<>();
    registry.visit(
        new MetricVisitor() {
          @Override
          public void family(String name, String help, Kind kind) {
            seen.add(name);
          }

          @Override
          public void value(Labels labels, double value) {
            seen.add(String.join(",", labels.namesAndValues()) + "=" + value);
          }

          @Override
          public void histogram(Labels labels, Metrics.Histogram histogram) {
            seen.add("histogram " + histogram.count());
          }
        });
    return seen;
  }
}
