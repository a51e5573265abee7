package io.takhin.example.metrics.file;

import io.takhin.api.Service;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.metrics.MetricsExporterContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileContractTest extends MetricsExporterContract {
  @TempDir Path directory;

  @Override
  protected TestContext context() {
    return TestContext.simulated().build();
  }

  @Override
  protected Service exporter(TestContext context) {
    return new MetricsFileProvider()
        .create(new MetricsFileConfig(directory.resolve("metrics"), 10), context);
  }

  @Override
  protected String exported(Service exporter, TestContext context) throws IOException {
    context.time().advance(Duration.ofSeconds(10));
    return Files.readString(directory.resolve("metrics"));
  }
}
