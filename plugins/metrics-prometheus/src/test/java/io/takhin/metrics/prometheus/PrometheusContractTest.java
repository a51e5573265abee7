package io.takhin.metrics.prometheus;

import io.takhin.api.Service;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.metrics.MetricsExporterContract;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;

class PrometheusContractTest extends MetricsExporterContract {
  @Override
  protected TestContext context() {
    return TestContext.real().build();
  }

  @Override
  protected Service exporter(TestContext context) {
    return new PrometheusExporter(new PrometheusConfig(true, "127.0.0.1", 0, "/metrics"), context);
  }

  @Override
  protected String exported(Service exporter, TestContext context) throws IOException {
    int port = ((PrometheusExporter) exporter).port();
    try (InputStream page =
        URI.create("http://127.0.0.1:" + port + "/metrics").toURL().openStream()) {
      return new String(page.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
