package io.takhin.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Does what a stranger does with the plugin author's guide: copies the example's sources out of
/// this repository, compiles them against takhin-api alone, drops the one jar into `plugins/` and
/// starts the process.
class ExamplePluginTest {
  private static final Path SOURCES = Path.of("../plugins/example-metrics-file/src/main");

  @TempDir Path home;

  @Test
  void aStrangersBuildOfTheExampleRunsFromOneJar() throws IOException, InterruptedException {
    Path outside = home.resolve("outside");
    copy(SOURCES, outside);
    List<String> arguments =
        new ArrayList<>(
            List.of("-d", outside.resolve("classes").toString(), "-p", PluginJars.apiPath()));
    try (Stream<Path> files = Files.walk(outside.resolve("java"))) {
      files.filter(Files::isRegularFile).map(Path::toString).forEach(arguments::add);
    }
    PluginJars.javac(arguments);
    copy(outside.resolve("resources"), outside.resolve("classes"));
    Files.createDirectory(home.resolve("plugins"));
    PluginJars.pack(outside.resolve("classes"), home.resolve("plugins/metrics-to-file.jar"));

    Path written = home.resolve("seen.graphite");
    Map<String, String> environment =
        Map.of(
            "TAKHIN_PLUGINS_REQUIRED", "",
            "TAKHIN_HEALTH_HOST", "127.0.0.1",
            "TAKHIN_HEALTH_PORT", "0",
            "TAKHIN_EXAMPLE_METRICS_FILE_PATH", written.toString(),
            "TAKHIN_EXAMPLE_METRICS_FILE_INTERVAL_SECONDS", "1");
    try (Broker broker = new Broker(home, environment)) {
      broker.awaitReady();
      String first = Files.readString(written);
      assertTrue(first.matches("(?s).*takhin_plugins;state=\\w+ 1 \\d+\n.*"), first);
      broker.await(() -> isOtherThan(written, first), "written again");
      assertTrue(broker.health("/health").contains("\"metrics-file\":{\"status\":\"healthy\"}"));
      broker.process.destroy();
      assertEquals(143, broker.exitCode());
    }
  }

  private static boolean isOtherThan(Path file, String first) {
    try {
      return !Files.readString(file).equals(first);
    } catch (IOException e) {
      return false; // between two files: looked at again
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }
}
