package io.takhin.example.metrics.file;

import io.takhin.api.PluginContext;
import io.takhin.api.Service;
import io.takhin.api.metrics.MetricsProvider;

/// What the kernel finds: a name, a config and a factory.
public final class MetricsFileProvider implements MetricsProvider<MetricsFileConfig> {
  /// Made by ServiceLoader.
  public MetricsFileProvider() {}

  @Override
  public String name() {
    return "file";
  }

  @Override
  public Class<MetricsFileConfig> configType() {
    return MetricsFileConfig.class;
  }

  @Override
  public Service create(MetricsFileConfig config, PluginContext context) {
    return new MetricsFile(config, context);
  }
}
