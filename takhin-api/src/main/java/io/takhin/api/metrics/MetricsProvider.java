package io.takhin.api.metrics;

import io.takhin.api.Api;
import io.takhin.api.Provider;
import io.takhin.api.Service;

/// Extension point `metrics`: shows [Metrics] to the outside, as Prometheus text or by pushing it
/// somewhere. Any number of exporters may run at a time.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface MetricsProvider<C extends Record> extends Provider<C, Service> {}
