package io.takhin.testkit.fuzz;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Runs parsers on bytes that may be anything, within bounds: no exception but those that the
/// target itself takes for an answer, no more than 64 MiB allocated, no more than a second of CPU.
///
/// `scripts/fuzz.sh` looks for such bytes guided by coverage; what it found is kept in
/// `src/test/corpus/<target>` and replayed by the tests.
public final class Fuzzing {
  private static final long MAX_ALLOCATED_BYTES = 64L << 20;
  private static final long MAX_CPU_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Object BEAN = bean();
  private static final Method ALLOCATED = count("getCurrentThreadAllocatedBytes");
  private static final Method CPU = count("getCurrentThreadCpuTime");

  private Fuzzing() {}

  /// What is fed.
  @FunctionalInterface
  public interface Target {
    /// Takes an input; whatever is thrown is a finding.
    void accept(byte[] input) throws Exception;
  }

  // By reflection: modules under test do not read java.management.
  private static Object bean() {
    try {
      return Class.forName("java.lang.management.ManagementFactory")
          .getMethod("getThreadMXBean")
          .invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static Method count(String name) {
    try {
      return Class.forName("com.sun.management.ThreadMXBean").getMethod(name);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static long read(Method count) {
    try {
      return (long) count.invoke(BEAN);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /// Feeds one input; a second time if it was beyond a bound, for the first may have loaded
  /// classes, which a fuzzer instruments.
  ///
  /// Errors: AssertionError for whatever it must not do.
  public static void run(Target target, byte[] input) {
    if (measured(target, input) != null) {
      String beyond = measured(target, input);
      if (beyond != null) {
        throw new AssertionError(input.length + " bytes " + beyond);
      }
    }
  }

  private static @Nullable String measured(Target target, byte[] input) {
    long bytes = read(ALLOCATED);
    long nanos = read(CPU);
    try {
      target.accept(input);
    } catch (Exception e) {
      throw new AssertionError("not caught: " + e, e);
    }
    nanos = read(CPU) - nanos;
    bytes = read(ALLOCATED) - bytes;
    if (bytes > MAX_ALLOCATED_BYTES) {
      return "made it allocate " + bytes;
    }
    return nanos > MAX_CPU_NANOS ? "took " + nanos / 1_000_000 + " ms of CPU" : null;
  }

  /// Feeds all that was kept.
  ///
  /// @return how many
  public static int replay(Path corpus, Target target) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(corpus)) {
      files = all.sorted().toList();
    }
    for (Path file : files) {
      try {
        run(target, Files.readAllBytes(file));
      } catch (AssertionError e) {
        throw new AssertionError(file.toString(), e);
      }
    }
    return files.size();
  }
}
