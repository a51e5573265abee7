package io.takhin.testkit.metrics;

import io.takhin.api.PluginContext;
import io.takhin.api.Service;
import io.takhin.api.metrics.MetricVisitor;
import io.takhin.api.metrics.Metrics.Histogram;

/// Exports to a string, one line for each value.
public final class InMemoryExporter implements Service {
  private final PluginContext context;

  /// An exporter of what this context's metrics hold.
  public InMemoryExporter(PluginContext context) {
    this.context = context;
  }

  /// All values now: `name [label, value] number`.
  public String text() {
    Lines lines = new Lines();
    context.metrics().visit(lines);
    return lines.text.toString();
  }

  @Override
  public void close() {}

  private static final class Lines implements MetricVisitor {
    private final StringBuilder text = new StringBuilder();
    private String name = "";

    @Override
    public void family(String family, String help, Kind kind) {
      name = family;
    }

    @Override
    public void value(Labels labels, double value) {
      text.append(name).append(' ').append(labels.namesAndValues()).append(' ');
      text.append(value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value));
      text.append('\n');
    }

    @Override
    public void histogram(Labels labels, Histogram histogram) {
      value(labels, histogram.count());
    }
  }
}
