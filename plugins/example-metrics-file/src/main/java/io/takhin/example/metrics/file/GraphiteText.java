package io.takhin.example.metrics.file;

import io.takhin.api.metrics.MetricVisitor;
import io.takhin.api.metrics.Metrics;
import java.util.List;

/// Turns metrics into Graphite's plain text: `name;tag=value;tag=value number seconds`, one line
/// each. A histogram becomes `_count`, `_sum` and three quantiles, in seconds.
final class GraphiteText implements MetricVisitor {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double[] QUANTILES = {0.5, 0.99, 0.999};

  private final StringBuilder lines = new StringBuilder();
  private final long epochSeconds;
  private String name = "";

  GraphiteText(long epochSeconds) {
    this.epochSeconds = epochSeconds;
  }

  @Override
  public void family(String family, String help, Kind kind) {
    name = family;
  }

  @Override
  public void value(Labels labels, double value) {
    line(name, labels, "", value);
  }

  @Override
  public void histogram(Labels labels, Metrics.Histogram histogram) {
    line(name + "_count", labels, "", histogram.count());
    line(name + "_sum", labels, "", histogram.sumNanos() / NANOS_PER_SECOND);
    for (double q : QUANTILES) {
      line(name, labels, ";quantile=" + q, histogram.quantileNanos(q) / NANOS_PER_SECOND);
    }
  }

  String text() {
    return lines.toString();
  }

  private void line(String path, Labels labels, String moreTags, double value) {
    lines.append(path);
    List<String> pairs = labels.namesAndValues();
    for (int i = 0; i < pairs.size(); i += 2) {
      lines.append(';').append(pairs.get(i)).append('=').append(clean(pairs.get(i + 1)));
    }
    lines.append(moreTags).append(' ');
    if (value == Math.rint(value) && Math.abs(value) < 1e15) {
      lines.append((long) value);
    } else {
      lines.append(value);
    }
    lines.append(' ').append(epochSeconds).append('\n');
  }

  /// A tag's value may not be empty, and may have no semicolon, blank or leading tilde.
  private static String clean(String value) {
    String clean = value.replaceAll("[;\\s\\p{Cntrl}]", "_");
    return clean.isEmpty() || clean.startsWith("~") ? "_" + clean : clean;
  }
}
