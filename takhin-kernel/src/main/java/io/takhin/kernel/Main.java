package io.takhin.kernel;

import io.takhin.kernel.config.Config;
import io.takhin.kernel.config.ConfigReference;
import io.takhin.kernel.config.Problems;
import io.takhin.kernel.health.HealthConfig;
import io.takhin.kernel.health.HealthServer;
import io.takhin.kernel.logging.Logging;
import io.takhin.kernel.logging.LoggingConfig;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where the process begins.
///
/// Exit codes: 0 after an answer such as -version; 1 if the broker could not start or a plugin
/// could not go on; 2 for a command line or configuration that is wrong; 143 after SIGTERM and 130
/// after Ctrl-C, as for every Java program, once everything was closed in order.
public final class Main {
  // The class is loaded first of all: what the JVM took before it is not ours to measure, and the
  // kernel's own record of the process start drifts in virtual machines.
  private static final long STARTED_NANOS = System.nanoTime();

  private static final int FAILED = 1;
  private static final int MISUSED = 2;

  private final Map<String, String> environment;
  private final Path home;
  private final PrintStream out;
  private final PrintStream err;
  private final StopSignal stopSignal = new StopSignal();
  private final CountDownLatch stopped = new CountDownLatch(1);

  Main(Map<String, String> environment, Path home, PrintStream out, PrintStream err) {
    this.environment = environment;
    this.home = home;
    this.out = out;
    this.err = err;
  }

  /// Runs until the process ends.
  public static void main(String[] args) {
    Path home = Path.of(System.getProperty("takhin.home", "")).toAbsolutePath().normalize();
    Main main = new Main(System.getenv(), home, utf8(FileDescriptor.out), utf8(FileDescriptor.err));
    int exitCode;
    try {
      exitCode = main.run(args);
    } catch (Throwable e) { // the last line of defence: one clear line, then the details
      System.err.println("takhin: stopped by an unexpected failure: " + e);
      e.printStackTrace(System.err);
      exitCode = FAILED;
    }
    main.stopped.countDown();
    System.exit(exitCode);
  }

  /// What we print is UTF-8 wherever it goes: without a locale the JVM would print question marks.
  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }

  int run(String[] args) throws IOException, InterruptedException {
    Problems problems = new Problems();
    CommandLine commandLine = CommandLine.parse(args, problems);
    if (commandLine.action() == CommandLine.Action.HELP) {
      out.print(CommandLine.HELP);
      return 0;
    }
    if (commandLine.action() == CommandLine.Action.VERSION) {
      out.println(Version.current());
      return 0;
    }
    Config config =
        Config.read(configFile(commandLine), environment, commandLine.settings(), home, problems);
    Kernel kernel = new Kernel(home, config, problems, stopSignal);
    kernel.load();
    if (commandLine.action() == CommandLine.Action.CONFIG_REFERENCE) {
      out.print(ConfigReference.markdown(kernel.schema()));
      return reportRefusals(kernel);
    }
    kernel.bind();
    LoggingConfig logging = kernel.bindOwn(LoggingConfig.class);
    HealthConfig health = kernel.bindOwn(HealthConfig.class);
    if (!problems.isEmpty() || logging == null || health == null) {
      reportRefusals(kernel);
      List<String> lines = problems.lines();
      err.println(
          "takhin: the configuration has "
              + (lines.size() == 1 ? "a problem:" : lines.size() + " problems:"));
      lines.forEach(line -> err.println("  " + line));
      return MISUSED;
    }
    if (commandLine.action() == CommandLine.Action.VALIDATE) {
      int exitCode = reportRefusals(kernel);
      out.println("takhin: the configuration is valid");
      return exitCode;
    }
    return serve(kernel, config, logging, health);
  }

  private int reportRefusals(Kernel kernel) {
    kernel.refusals().forEach(refusal -> err.println("takhin: " + refusal.line()));
    return kernel.refusals().isEmpty() ? 0 : FAILED;
  }

  private @Nullable Path configFile(CommandLine commandLine) {
    String named = commandLine.configFile();
    if (named == null) {
      named = environment.get("TAKHIN_CONFIG");
    }
    if (named != null && !named.isEmpty()) {
      return Path.of(named);
    }
    Path shipped = home.resolve("configs").resolve("takhin.yaml");
    return Files.exists(shipped) ? shipped : null;
  }

  private int serve(
      Kernel kernel, Config config, LoggingConfig loggingConfig, HealthConfig healthConfig)
      throws IOException, InterruptedException {
    try {
      Logging.configure(loggingConfig);
    } catch (IOException e) {
      err.println("takhin: " + e.getMessage());
      return FAILED;
    }
    Logger log = LoggerFactory.getLogger(Main.class);
    log.info(
        "{} on Java {}, pid {}, home {}",
        Version.current(),
        Runtime.version(),
        ProcessHandle.current().pid(),
        home);
    log.info("configured: {}", config.describeSet(kernel.schema()));
    Duration patience = kernel.shutdownTimeout();
    Thread hook = new Thread(() -> stopOnSignal(patience), "takhin-shutdown");
    Runtime.getRuntime().addShutdownHook(hook);
    try (HealthServer server = healthServer(kernel, healthConfig)) {
      kernel.start();
      log.info(
          "Takhin ready in {} ms{}{}",
          (System.nanoTime() - STARTED_NANOS) / 1_000_000,
          kernel.servers().isEmpty()
              ? ""
              : ", clients connect to "
                  + kernel.servers().stream().flatMap(s -> s.addresses().stream()).toList(),
          server == null ? "" : ", health on " + server.address());
      StopSignal.Stop stop = stopSignal.await();
      log.info("stopping: {}", stop.reason());
      armReaper(patience, stop.exitCode());
      long startNanos = System.nanoTime();
      kernel.stop();
      log.info("stopped in {} ms", (System.nanoTime() - startNanos) / 1_000_000);
      return stop.exitCode();
    } catch (StartFailure e) {
      e.lines().forEach(line -> err.println("takhin: " + line));
      log.error("Takhin did not start: {}", e.lines().getLast());
      return FAILED;
    } catch (IOException e) {
      err.println("takhin: " + e.getMessage());
      log.error("Takhin did not start: {}", e.getMessage());
      kernel.stop();
      return FAILED;
    }
  }

  private static @Nullable HealthServer healthServer(Kernel kernel, HealthConfig config)
      throws IOException {
    return config.enabled()
        ? new HealthServer(config, kernel.health(), InstantSource.system())
        : null;
  }

  /// The shutdown hook: SIGTERM and Ctrl-C end here. The main thread does the work, so that plugins
  /// are called on one thread only; the JVM waits for this hook.
  private void stopOnSignal(Duration patience) {
    stopSignal.request("a signal", 0);
    try {
      // The reaper ends the process first if the time is over.
      if (!stopped.await(patience.toMillis() + 5_000, TimeUnit.MILLISECONDS)) {
        err.println("takhin: the stop took too long");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Ends the process if an orderly stop takes too long, and says what it hung on.
  private void armReaper(Duration patience, int exitCode) {
    Thread main = Thread.currentThread();
    Thread reaper =
        new Thread(
            () -> {
              try {
                if (!stopped.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                  StringBuilder stack = new StringBuilder();
                  for (StackTraceElement frame : main.getStackTrace()) {
                    stack.append("\n    at ").append(frame);
                  }
                  err.println(
                      "takhin: not stopped within "
                          + patience.toSeconds()
                          + " s (shutdown.timeout.seconds), ending anyway; it hangs in:"
                          + stack);
                  err.flush();
                  Runtime.getRuntime().halt(exitCode == 0 ? FAILED : exitCode);
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "takhin-reaper");
    reaper.setDaemon(true);
    reaper.start();
  }
}
