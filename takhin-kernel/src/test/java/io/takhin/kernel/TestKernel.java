package io.takhin.kernel;

import io.takhin.kernel.config.Config;
import io.takhin.kernel.config.Problems;
import io.takhin.kernel.layer.Refusal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/// A kernel in this process, for plugins in a directory of the test.
final class TestKernel implements AutoCloseable {
  final Problems problems = new Problems();
  final StopSignal stopSignal = new StopSignal();
  final Kernel kernel;

  TestKernel(Path home, Map<String, String> settings) throws IOException {
    Map<String, Config.Flag> flags = new TreeMap<>();
    flags.put("plugins.required", new Config.Flag("test", ""));
    settings.forEach((key, value) -> flags.put(key, new Config.Flag("test", value)));
    kernel =
        new Kernel(home, Config.read(null, Map.of(), flags, home, problems), problems, stopSignal);
    kernel.load();
    kernel.bind();
  }

  static TestKernel started(Path home) throws IOException, StartFailure {
    return started(home, Map.of());
  }

  static TestKernel started(Path home, Map<String, String> settings)
      throws IOException, StartFailure {
    TestKernel test = new TestKernel(home, settings);
    if (!test.problems.isEmpty()) {
      throw new AssertionError(test.problems.lines());
    }
    test.kernel.start();
    return test;
  }

  /// The refusal of a plugin, by its name or that of its file.
  Refusal refusal(String plugin) {
    return kernel.refusals().stream()
        .filter(refusal -> refusal.plugin().equals(plugin))
        .findFirst()
        .orElseThrow(() -> new AssertionError(plugin + " was not refused: " + kernel.refusals()));
  }

  String state(String plugin) {
    return kernel.plugins().stream()
        .filter(each -> each.name().equals(plugin))
        .findFirst()
        .orElseThrow()
        .state()
        .label();
  }

  @Override
  public void close() {
    kernel.stop();
  }
}
