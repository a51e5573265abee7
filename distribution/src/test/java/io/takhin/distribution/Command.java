package io.takhin.distribution;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;

/// A process that is run to its end, with what it wrote.
///
/// @param code the exit code
/// @param out standard output
/// @param err standard error
record Command(int code, String out, String err) {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  /// Runs with this process' environment and `environment` on top; an empty value removes.
  static Command run(
      Path directory, Map<String, String> environment, String stdin, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    if (directory != null) {
      builder.directory(directory.toFile());
    }
    environment.forEach(
        (name, value) -> {
          if (value.isEmpty()) {
            builder.environment().remove(name);
          } else {
            builder.environment().put(name, value);
          }
        });
    try {
      Process process = builder.start();
      CompletableFuture<String> out = drain(process.getInputStream());
      CompletableFuture<String> err = drain(process.getErrorStream());
      try (OutputStream in = process.getOutputStream()) {
        in.write(stdin.getBytes(StandardCharsets.UTF_8));
      } catch (IOException ignoresItsInput) {
        // Its exit code and output tell the rest.
        Assertions.assertTrue(stdin.isEmpty() || !process.isAlive(), ignoresItsInput::toString);
      }
      if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
        throw new AssertionError(
            "still running after " + LIMIT + ": " + command + "\n" + out.join() + err.join());
      }
      return new Command(process.exitValue(), out.join(), err.join());
    } catch (IOException e) {
      throw new AssertionError("cannot run " + command, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /// Runs without input in any directory.
  static Command run(String... command) {
    return run(null, Map.of(), "", List.of(command));
  }

  private static CompletableFuture<String> drain(InputStream in) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (in) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            return "[" + e + "]";
          }
        },
        task -> Thread.ofVirtual().start(task));
  }

  /// Both streams.
  String all() {
    return out + err;
  }

  /// This, if it ended with 0.
  Command succeeded() {
    Assertions.assertEquals(0, code, () -> "exit code " + code + "\n" + all());
    return this;
  }

  /// Whether a program is on the path.
  static boolean installed(String program) {
    return run("sh", "-c", "command -v " + program).code() == 0;
  }
}
