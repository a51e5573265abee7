package io.takhin.metrics.prometheus;

import io.takhin.api.PluginContext;
import io.takhin.api.Service;
import io.takhin.api.metrics.MetricsProvider;

/// Makes the exporter of Prometheus text.
public final class PrometheusMetricsProvider implements MetricsProvider<PrometheusConfig> {
  /// For ServiceLoader.
  public PrometheusMetricsProvider() {}

  @Override
  public String name() {
    return "prometheus";
  }

  @Override
  public Class<PrometheusConfig> configType() {
    return PrometheusConfig.class;
  }

  @Override
  public Service create(PrometheusConfig config, PluginContext context) {
    return new PrometheusExporter(config, context);
  }
}
