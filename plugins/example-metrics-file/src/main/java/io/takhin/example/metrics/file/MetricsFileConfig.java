package io.takhin.example.metrics.file;

import io.takhin.api.config.Key;
import java.nio.file.Path;

/// Where to, and how often.
public record MetricsFileConfig(
    @Key(
            value = "example.metrics.file.path",
            defaultValue = "${takhin.home}/metrics.graphite",
            doc = "The file with the newest values. It is replaced as a whole at each interval.")
        Path path,
    @Key(
            value = "example.metrics.file.interval.seconds",
            defaultValue = "10",
            min = 1,
            max = 86400,
            doc = "The time from one write to the next, in seconds.")
        int intervalSeconds) {

  /// Checks what the kernel cannot know.
  public MetricsFileConfig {
    if (path.getFileName() == null || path.toString().isEmpty()) {
      throw new IllegalArgumentException("example.metrics.file.path must name a file");
    }
  }
}
