import io.takhin.api.metrics.MetricsProvider;
import io.takhin.metrics.prometheus.PrometheusMetricsProvider;
import org.jspecify.annotations.NullMarked;

/// Shows what the broker counts, and what the JVM says of itself, as Prometheus text over HTTP.
///
/// `jdk.management` is wanted by Micrometer's binders, which are automatic modules and cannot say
/// so.
@NullMarked
module io.takhin.metrics.prometheus {
  requires io.takhin.api;
  requires jdk.httpserver;
  requires jdk.management;
  requires micrometer.core;
  requires micrometer.registry.prometheus;
  requires org.slf4j;

  provides MetricsProvider with
      PrometheusMetricsProvider;
}
