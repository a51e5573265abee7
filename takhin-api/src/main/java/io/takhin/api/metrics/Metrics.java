package io.takhin.api.metrics;

import io.takhin.api.Api;
import io.takhin.api.metrics.MetricVisitor.Labels;
import java.util.List;
import java.util.function.Consumer;

/// Where plugins register what they count. Everything that a plugin registered goes away when it
/// closes.
///
/// Threading: any thread. Blocking: no. Buffers: none. Errors: IllegalArgumentException for a name
/// or label that is not `[a-zA-Z_][a-zA-Z0-9_]*`, or a name registered before as another kind.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface Metrics {
  /// A counter; the same name and labels give the same counter.
  ///
  /// @param name ends in `_total`
  /// @param help one sentence
  /// @param labels label names and values, alternating
  Counter counter(String name, String help, String... labels);

  /// A histogram of durations, exported in seconds; the same name and labels give the same one.
  ///
  /// @param name ends in `_seconds`
  Histogram histogram(String name, String help, String... labels);

  /// Gauges that are computed when somebody scrapes, such as one for each partition: nothing is
  /// kept per value between scrapes. The source is called on the exporter's thread.
  void gauges(String name, String help, Consumer<GaugeSink> source);

  /// The same for values that only grow and are counted elsewhere; the name ends in `_total`.
  void counters(String name, String help, Consumer<GaugeSink> source);

  /// Walks all metrics of all plugins in the order of their names: for exporters.
  void visit(MetricVisitor visitor);

  /// A count that only grows. Writes are cheap from many threads.
  @Api(status = Api.Status.EVOLVING, since = "0.1")
  interface Counter {
    /// Adds `n >= 0`.
    void add(long n);

    /// Adds one.
    default void increment() {
      add(1);
    }

    /// The value now.
    long value();
  }

  /// A distribution of durations in buckets that grow by powers of two with linear steps between:
  /// the error of a quantile is below 12.5 %. Writes neither lock nor allocate.
  @Api(status = Api.Status.EVOLVING, since = "0.1")
  interface Histogram {
    /// Counts one duration in nanoseconds; negative counts as 0.
    void record(long nanos);

    /// How many were counted.
    long count();

    /// Their sum in nanoseconds.
    long sumNanos();

    /// An upper estimate of the quantile `q` in `[0, 1]`, in nanoseconds; 0 when empty.
    long quantileNanos(double q);

    /// The number of durations at most `nanos`, for each bound, in one consistent pass.
    long[] cumulative(long[] boundsNanos);
  }

  /// Takes the values of one scrape.
  @Api(status = Api.Status.EVOLVING, since = "0.1")
  interface GaugeSink {
    /// One value with its labels, names and values alternating.
    void value(double value, String... labels);
  }

  /// Label names and values, alternating, made into [Labels].
  static Labels labels(String... namesAndValues) {
    return new Labels(List.of(namesAndValues));
  }
}
