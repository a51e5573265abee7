package io.takhin.testkit;

import io.takhin.api.metrics.MetricVisitor;
import io.takhin.api.metrics.MetricVisitor.Kind;
import io.takhin.api.metrics.MetricVisitor.Labels;
import io.takhin.api.metrics.Metrics;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Metrics that a test can ask: exact histograms, every name checked as the kernel checks it.
public final class TestMetrics implements Metrics {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

  private final Map<String, Family> families = new ConcurrentSkipListMap<>();

  /// No metrics yet.
  public TestMetrics() {}

  @Override
  public Counter counter(String name, String help, String... labels) {
    return (Counter)
        family(name, help, Kind.COUNTER)
            .values
            .computeIfAbsent(checked(labels), key -> new TestCounter());
  }

  @Override
  public Histogram histogram(String name, String help, String... labels) {
    return (Histogram)
        family(name, help, Kind.HISTOGRAM)
            .values
            .computeIfAbsent(checked(labels), key -> new TestHistogram());
  }

  @Override
  public void gauges(String name, String help, Consumer<GaugeSink> source) {
    family(name, help, Kind.GAUGE).sources.add(source);
  }

  @Override
  public void counters(String name, String help, Consumer<GaugeSink> source) {
    family(name, help, Kind.COUNTER).sources.add(source);
  }

  @Override
  public void visit(MetricVisitor visitor) {
    families.forEach(
        (name, family) -> {
          visitor.family(name, family.help, family.kind);
          for (var source : family.sources) {
            source.accept((value, labels) -> visitor.value(checked(labels), value));
          }
          new TreeMap<>(byText(family.values))
              .values()
              .forEach(
                  entry -> {
                    switch (entry.getValue()) {
                      case Counter counter -> visitor.value(entry.getKey(), counter.value());
                      case Histogram histogram -> visitor.histogram(entry.getKey(), histogram);
                      default -> throw new AssertionError(entry.getValue());
                    }
                  });
        });
  }

  /// The value of a counter or gauge now, or null if there is none with exactly these labels.
  public @Nullable Double value(String name, String... labels) {
    Labels wanted = Metrics.labels(labels);
    Double[] found = new Double[1];
    visit(
        new MetricVisitor() {
          private String current = "";

          @Override
          public void family(String family, String help, Kind kind) {
            current = family;
          }

          @Override
          public void value(Labels present, double value) {
            if (current.equals(name) && present.equals(wanted)) {
              found[0] = value;
            }
          }

          @Override
          public void histogram(Labels present, Histogram histogram) {}
        });
    return found[0];
  }

  private static Map<String, Map.Entry<Labels, Object>> byText(Map<Labels, Object> values) {
    Map<String, Map.Entry<Labels, Object>> sorted = new TreeMap<>();
    values.forEach((labels, value) -> sorted.put(labels.toString(), Map.entry(labels, value)));
    return sorted;
  }

  private Family family(String name, String help, Kind kind) {
    checkName(name);
    Family family = families.computeIfAbsent(name, key -> new Family(help, kind));
    if (family.kind != kind) {
      throw new IllegalArgumentException(name + " is a " + family.kind + ", not a " + kind);
    }
    return family;
  }

  private static Labels checked(String... labels) {
    Labels made = Metrics.labels(labels);
    for (int i = 0; i < labels.length; i += 2) {
      checkName(labels[i]);
    }
    return made;
  }

  private static void checkName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("not a metric or label name: " + name);
    }
  }

  private static final class Family {
    private final String help;
    private final Kind kind;
    private final Map<Labels, Object> values = new ConcurrentHashMap<>();
    private final CopyOnWriteArrayList<Consumer<GaugeSink>> sources = new CopyOnWriteArrayList<>();

    Family(String help, Kind kind) {
      this.help = help;
      this.kind = kind;
    }
  }

  private static final class TestCounter implements Counter {
    private final LongAdder sum = new LongAdder();

    @Override
    public void add(long n) {
      if (n < 0) {
        throw new IllegalArgumentException("a counter only grows: " + n);
      }
      sum.add(n);
    }

    @Override
    public long value() {
      return sum.sum();
    }
  }

  private static final class TestHistogram implements Histogram {
    private long[] values = new long[16];
    private int size;

    @Override
    public synchronized void record(long nanos) {
      if (size == values.length) {
        values = Arrays.copyOf(values, size * 2);
      }
      values[size++] = Math.max(0, nanos);
    }

    @Override
    public synchronized long count() {
      return size;
    }

    @Override
    public synchronized long sumNanos() {
      return Arrays.stream(values, 0, size).sum();
    }

    @Override
    public synchronized long quantileNanos(double q) {
      if (size == 0) {
        return 0;
      }
      long[] sorted = Arrays.copyOf(values, size);
      Arrays.sort(sorted);
      return sorted[Math.clamp((int) Math.ceil(q * size) - 1, 0, size - 1)];
    }

    @Override
    public synchronized long[] cumulative(long[] boundsNanos) {
      long[] counts = new long[boundsNanos.length];
      for (int i = 0; i < counts.length; i++) {
        long bound = boundsNanos[i];
        counts[i] = Arrays.stream(values, 0, size).filter(value -> value <= bound).count();
      }
      return counts;
    }
  }
}
