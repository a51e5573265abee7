package io.takhin.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The kernel in a process of its own, started as `bin/takhin.sh` starts it: on the module path.
final class Broker implements AutoCloseable {
  private static final Pattern HEALTH = Pattern.compile("health on /127.0.0.1:(\\d+)");
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

  final Process process;
  private final Path out;
  private final Path err;

  Broker(Path home, Map<String, String> environment, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx64m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "--add-modules",
            "ALL-SYSTEM",
            "--enable-native-access=io.takhin.kernel",
            "--illegal-native-access=deny",
            "-Dtakhin.home=" + home,
            "-p",
            System.getProperty("jdk.module.path", ""),
            "-m",
            "io.takhin.kernel/io.takhin.kernel.Main"));
    command.addAll(List.of(args));
    out = Files.createTempFile(home, "out", ".txt");
    err = Files.createTempFile(home, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("TAKHIN_"));
    builder.environment().putAll(environment);
    process = builder.start();
  }

  String out() {
    return read(out);
  }

  String err() {
    return read(err);
  }

  int exitCode() throws InterruptedException {
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new AssertionError("still runs: " + out() + err());
    }
    return process.exitValue();
  }

  void awaitReady() {
    await(() -> out().contains("Takhin ready in"), "ready");
  }

  void await(BooleanSupplier condition, String what) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > PATIENCE_NANOS || !process.isAlive()) {
        throw new AssertionError("never " + what + ":\n" + out() + err());
      }
      Thread.onSpinWait();
      java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
    }
  }

  String health(String path) throws IOException {
    Matcher address = HEALTH.matcher(out());
    if (!address.find()) {
      throw new AssertionError(out());
    }
    URI uri = URI.create("http://127.0.0.1:" + address.group(1) + path);
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    try (var body = connection.getInputStream()) {
      return new String(body.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
