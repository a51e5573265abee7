package io.takhin.api.metrics;

import io.takhin.api.Api;
import java.util.List;

/// Sees every metric once per scrape. Calls for one name come together: first [#family], then its
/// values.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface MetricVisitor {
  /// What follows belongs to this name.
  void family(String name, String help, Kind kind);

  /// A counter or gauge.
  void value(Labels labels, double value);

  /// A histogram.
  void histogram(Labels labels, Metrics.Histogram histogram);

  /// What a family holds.
  @Api(status = Api.Status.EVOLVING, since = "0.1")
  enum Kind {
    /// Only grows.
    COUNTER,
    /// Goes up and down.
    GAUGE,
    /// Durations.
    HISTOGRAM
  }

  /// Label names and values, alternating.
  @Api(status = Api.Status.EVOLVING, since = "0.1")
  record Labels(List<String> namesAndValues) {
    /// Checks that each name has a value.
    public Labels {
      namesAndValues = List.copyOf(namesAndValues);
      if (namesAndValues.size() % 2 != 0) {
        throw new IllegalArgumentException("a label without a value: " + namesAndValues);
      }
    }
  }
}
