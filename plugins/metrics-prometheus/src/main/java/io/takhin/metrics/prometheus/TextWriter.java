package io.takhin.metrics.prometheus;

import io.takhin.api.metrics.MetricVisitor;
import io.takhin.api.metrics.Metrics;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Writes the broker's own families as text.
///
/// A family is held back until its first value, so that a family without values leaves no lines.
/// Label sets that come twice are dropped, because a scraper refuses the whole page for one
/// duplicate. The page is bounded: past the limit, values are left out and counted in
/// `takhin_metrics_dropped_values`.
///
/// A gauge whose name ends in `_total`, such as the manual's `takhin_storage_bytes_total`, is
/// written as a family of unknown type: the name promises a counter, but the value may fall.
///
/// Threading: one scrape, one thread.
final class TextWriter implements MetricVisitor {
  /// Bounds of the buckets in nanoseconds, from 100 us to 10 s; the last counts everything.
  private static final long[] BOUNDS_NANOS = {
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000L,
    5_000_000_000L,
    10_000_000_000L,
    Long.MAX_VALUE
  };

  /// The same bounds as they stand in the label `le`.
  private static final String[] BOUNDS_SECONDS = {
    "1.0E-4", "2.5E-4", "5.0E-4", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"
  };

  private final TextFormat format;
  private final StringBuilder out;
  private final int limitChars;
  private final Set<List<String>> seen = new HashSet<>();
  private String name = "";
  private String help = "";
  private Kind kind = Kind.GAUGE;
  private boolean announced;
  private long dropped;

  /// @param out takes the text
  /// @param limitChars how long the text may become before values are left out
  TextWriter(TextFormat format, StringBuilder out, int limitChars) {
    this.format = format;
    this.out = out;
    this.limitChars = limitChars;
  }

  @Override
  public void family(String name, String help, Kind kind) {
    this.name = name;
    this.help = help;
    this.kind = kind;
    this.announced = false;
    seen.clear();
  }

  @Override
  public void value(Labels labels, double value) {
    List<String> pairs = labels.namesAndValues();
    if (!admit(pairs)) {
      return;
    }
    out.append(name);
    labels(pairs, null);
    out.append(' ');
    number(value);
    out.append('\n');
  }

  @Override
  public void histogram(Labels labels, Metrics.Histogram histogram) {
    List<String> pairs = labels.namesAndValues();
    if (!admit(pairs)) {
      return;
    }
    double sumSeconds = histogram.sumNanos() / 1e9;
    long[] cumulative = histogram.cumulative(BOUNDS_NANOS);
    for (int i = 0; i < BOUNDS_NANOS.length; i++) {
      out.append(name).append("_bucket");
      labels(pairs, BOUNDS_SECONDS[i]);
      out.append(' ').append(cumulative[i]).append('\n');
    }
    out.append(name).append("_count");
    labels(pairs, null);
    out.append(' ').append(cumulative[BOUNDS_NANOS.length - 1]).append('\n');
    out.append(name).append("_sum");
    labels(pairs, null);
    out.append(' ');
    number(sumSeconds);
    out.append('\n');
  }

  /// Ends the page with what had to be left out of it.
  void finish() {
    name = "takhin_metrics_dropped_values";
    help = "Values that this page leaves out, as it is too long or they came twice.";
    kind = Kind.GAUGE;
    announced = false;
    announce();
    out.append(name).append(' ').append(dropped).append('\n');
  }

  private boolean admit(List<String> pairs) {
    if (out.length() >= limitChars || !seen.add(pairs)) {
      dropped++;
      return false;
    }
    if (!announced) {
      announce();
    }
    return true;
  }

  private void announce() {
    announced = true;
    boolean total = name.endsWith("_total");
    String family = name;
    if (format == TextFormat.OPEN_METRICS && kind == Kind.COUNTER && total) {
      family = name.substring(0, name.length() - "_total".length());
    }
    out.append("# HELP ").append(family).append(' ');
    escape(help, format == TextFormat.OPEN_METRICS);
    out.append("\n# TYPE ").append(family).append(' ');
    out.append(
        switch (kind) {
          case COUNTER -> "counter";
          case HISTOGRAM -> "histogram";
          case GAUGE ->
              !total ? "gauge" : format == TextFormat.OPEN_METRICS ? "unknown" : "untyped";
        });
    out.append('\n');
  }

  private void labels(List<String> pairs, @Nullable String bound) {
    if (pairs.isEmpty() && bound == null) {
      return;
    }
    out.append('{');
    for (int i = 0; i < pairs.size(); i += 2) {
      if (i > 0) {
        out.append(',');
      }
      out.append(pairs.get(i)).append("=\"");
      escape(pairs.get(i + 1), true);
      out.append('"');
    }
    if (bound != null) {
      out.append(pairs.isEmpty() ? "" : ",").append("le=\"").append(bound).append('"');
    }
    out.append('}');
  }

  private void escape(String text, boolean quotes) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '"' -> out.append(quotes ? "\\\"" : "\"");
        default -> {
          // Half a surrogate pair has no bytes in UTF-8.
          boolean whole =
              !Character.isSurrogate(c)
                  || (Character.isHighSurrogate(c)
                      && i + 1 < text.length()
                      && Character.isLowSurrogate(text.charAt(i + 1)))
                  || (Character.isLowSurrogate(c)
                      && i > 0
                      && Character.isHighSurrogate(text.charAt(i - 1)));
          out.append(whole ? c : '\uFFFD');
        }
      }
    }
  }

  private void number(double value) {
    if (value == Double.POSITIVE_INFINITY) {
      out.append("+Inf");
    } else if (value == Double.NEGATIVE_INFINITY) {
      out.append("-Inf");
    } else if (value == Math.rint(value) && Math.abs(value) < 1L << 53) {
      out.append((long) value);
    } else {
      out.append(value);
    }
  }
}
