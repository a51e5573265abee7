package io.takhin.metrics.prometheus;

import io.takhin.api.config.Key;

/// Where and whether metrics are shown.
///
/// @param enabled whether there is a listener at all
/// @param host the address to listen on; empty listens on all
/// @param port the port; 0 takes a free one
/// @param path the path that answers
public record PrometheusConfig(
    @Key(
            value = "metrics.enabled",
            defaultValue = "true",
            doc = "Whether metrics are served over HTTP. Counting goes on either way.")
        boolean enabled,
    @Key(
            value = "metrics.host",
            defaultValue = "0.0.0.0",
            doc = "The address that the metrics listener binds. Empty binds all addresses.")
        String host,
    @Key(
            value = "metrics.port",
            defaultValue = "9090",
            min = 0,
            max = 65535,
            doc = "The port of the metrics listener. 0 takes a free one and logs which.")
        int port,
    @Key(
            value = "metrics.path",
            defaultValue = "/metrics",
            doc = "The path below which metrics are served; it begins with a slash.")
        String path) {
  /// Checks what bounds cannot say.
  public PrometheusConfig {
    if (!path.startsWith("/") || path.length() < 2 || path.contains("?") || path.contains("#")) {
      throw new IllegalArgumentException(
          "metrics.path is '" + path + "': it must be a path such as /metrics");
    }
  }
}
