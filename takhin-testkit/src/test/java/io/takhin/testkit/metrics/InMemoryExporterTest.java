package io.takhin.testkit.metrics;

import io.takhin.api.Service;
import io.takhin.testkit.TestContext;

class InMemoryExporterTest extends MetricsExporterContract {
  @Override
  protected TestContext context() {
    return TestContext.real().build();
  }

  @Override
  protected Service exporter(TestContext context) {
    return new InMemoryExporter(context);
  }

  @Override
  protected String exported(Service exporter, TestContext context) {
    return ((InMemoryExporter) exporter).text();
  }
}
