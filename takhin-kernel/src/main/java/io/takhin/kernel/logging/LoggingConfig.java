package io.takhin.kernel.logging;

import io.takhin.api.config.Key;
import java.nio.file.Path;
import java.util.List;

/// What is logged, how, and where to.
public record LoggingConfig(
    @Key(
            value = "logging.level",
            defaultValue = "info",
            oneOf = {"debug", "info", "warn", "error"},
            doc = "Lines below this level are left out. debug tells much; use it for a short time.")
        String level,
    @Key(
            value = "logging.quiet",
            defaultValue = "org.apache.ratis,org.apache.kafka,io.netty,io.micrometer",
            doc =
                "Loggers, by prefix, of which only warnings and errors are told, unless"
                    + " logging.level is debug: libraries that talk about themselves.")
        List<String> quiet,
    @Key(
            value = "logging.format",
            defaultValue = "json",
            oneOf = {"json", "text"},
            doc = "json: one object for each line; text: for people.")
        String format,
    @Key(
            value = "logging.output.path",
            doc = "The file to write to; its directory is made. Empty means standard output.")
        Path outputPath,
    @Key(
            value = "logging.rotation.max.file.bytes",
            defaultValue = "104857600",
            min = 1048576,
            doc = "A log file that grows beyond this is rotated and compressed.")
        long maxFileBytes,
    @Key(
            value = "logging.rotation.max.total.bytes",
            defaultValue = "1073741824",
            min = 1048576,
            doc = "The oldest rotated files are deleted when all together take more than this.")
        long maxTotalBytes,
    @Key(
            value = "logging.rotation.max.days",
            defaultValue = "14",
            min = 1,
            max = 3650,
            doc = "Rotated files older than this are deleted.")
        int maxDays) {

  /// Checks what belongs together.
  public LoggingConfig {
    if (maxTotalBytes < maxFileBytes) {
      throw new IllegalArgumentException(
          "logging.rotation.max.total.bytes ("
              + maxTotalBytes
              + ") is below logging.rotation.max.file.bytes ("
              + maxFileBytes
              + ")");
    }
  }
}
