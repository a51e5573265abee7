package io.takhin.kernel;

import io.takhin.testkit.fuzz.Fuzzing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Configuration files: whatever stands in one, it is valid, or the exit code is 2 and each line
/// says one thing that is wrong.
final class FuzzYaml {
  private static final long MAX_NANOS = 5_000_000_000L;

  private static final String EXCEPTION = "Exception";

  /// A fuzzer instruments classes while the first input waits; CPU is bounded all the same.
  private static final boolean FUZZED = Boolean.getBoolean("takhin.fuzz");

  private static final Path HOME = home();

  private FuzzYaml() {}

  private static Path home() {
    try {
      Path home = Files.createTempDirectory("takhin-yaml");
      home.toFile().deleteOnExit();
      home.resolve("m.yaml").toFile().deleteOnExit();
      return home;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Fuzzing.run(FuzzYaml::feed, input);
  }

  static void feed(byte[] input) throws IOException, InterruptedException {
    validate(HOME, input);
  }

  static int validate(Path home, byte[] content) throws IOException, InterruptedException {
    Path file = Files.write(home.resolve("m.yaml"), content);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    long before = System.nanoTime();
    int exitCode =
        new Main(
                Map.of("TAKHIN_PLUGINS_REQUIRED", ""),
                home,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8))
            .run(new String[] {"-validate", "-config", file.toString()});
    String told = err.toString(StandardCharsets.UTF_8);
    check(FUZZED || System.nanoTime() - before < MAX_NANOS, "it took too long", told);
    if (exitCode != 0) {
      check(exitCode == 2, "exit code " + exitCode, told);
      // A key that is called so is told as it stands there.
      boolean named = new String(content, StandardCharsets.UTF_8).contains(EXCEPTION);
      check(told, named);
    }
    return exitCode;
  }

  private static void check(String told, boolean namesException) {
    List<String> lines = told.lines().toList();
    int problems = lines.size() - 1;
    check(problems >= 1, "no problem", told);
    check(
        lines.getFirst().startsWith("takhin: the configuration has ")
            && lines.getFirst().endsWith(problems == 1 ? " a problem:" : problems + " problems:"),
        "the first line",
        told);
    for (String line : lines.subList(1, lines.size())) {
      check(line.startsWith("  ") && line.length() > 20, "a line that says nothing", told);
      check(line.length() < 1500, "a line without end", told);
      check(namesException || !line.contains(EXCEPTION), "a line for programmers", told);
      check(line.chars().noneMatch(Character::isISOControl), "a line with control", told);
    }
  }

  private static void check(boolean holds, String what, String told) {
    if (!holds) {
      throw new AssertionError(what + " in: " + told);
    }
  }
}
