package io.takhin.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The command line and the life of a real process.
class MainTest {
  private static final Map<String, String> ALONE =
      Map.of(
          "TAKHIN_PLUGINS_REQUIRED", "",
          "TAKHIN_HEALTH_HOST", "127.0.0.1",
          "TAKHIN_HEALTH_PORT", "0");

  @TempDir Path home;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    return new Main(
            environment,
            home,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8))
        .run(args);
  }

  @Test
  void printsItsVersionWithOneDashOrTwo() throws IOException, InterruptedException {
    assertEquals(0, run(Map.of(), "-version"));
    assertEquals(0, run(Map.of(), "--version"));
    String line = out.toString(StandardCharsets.UTF_8).lines().findFirst().orElseThrow();
    assertTrue(
        line.matches("Takhin version v\\d+\\.\\d+\\.\\d+ \\(commit: ([0-9a-f]{7,40}|unknown)\\)"),
        line);
    assertEquals(0, run(Map.of(), "-help"));
    assertTrue(out.toString(StandardCharsets.UTF_8).contains("-data-dir DIR"));
  }

  @Test
  void reportsEverythingWrongAtOnceWithExitCodeTwo() throws IOException, InterruptedException {
    Path file =
        Files.writeString(
            home.resolve("bad.yaml"),
            """
            logging:
              level: loud
              colour: red
            health:
              port: 70000
            health.port: 1
            plugins:
              disabled: [ghost]
            """);
    assertEquals(
        2,
        run(
            Map.of("TAKHIN_HEALTH_ENABLED", "yes", "TAKHIN_LOGING_LEVEL", "info", "HOME", "x"),
            "-config",
            file.toString(),
            "-prt",
            "9"));
    assertEquals(
        List.of(
            "takhin: the configuration has 9 problems:",
            "  flag -prt: is not known; -help lists all",
            "  flag 9: is not known; -help lists all",
            "  " + file + ":6: health.port is set twice; first at " + file + ":5",
            "  " + file + ":3: logging.colour is not a key of the kernel or of a plugin present",
            "  environment TAKHIN_LOGING_LEVEL: no key has this variable; did you mean"
                + " TAKHIN_LOGGING_LEVEL?",
            "  plugins.disabled: no plugin present is named ghost",
            "  " + file + ":2: logging.level: 'loud' is not one of debug, info, warn, error",
            "  environment TAKHIN_HEALTH_ENABLED: health.enabled: 'yes' is not true or false",
            "  " + file + ":5: health.port: '70000' is above 65535"),
        err.toString(StandardCharsets.UTF_8).lines().toList());
  }

  @Test
  void validatesWithoutStarting() throws IOException, InterruptedException {
    assertEquals(0, run(Map.of(), "-validate"));
    assertTrue(out.toString(StandardCharsets.UTF_8).contains("is valid"));
    assertEquals(2, run(Map.of(), "-validate", "-config=" + home.resolve("none.yaml")));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("there is no such file"));
  }

  @Test
  void saysWhichExtensionPointsHaveNoPlugin() throws IOException, InterruptedException {
    try (Broker broker = new Broker(home, Map.of("TAKHIN_HEALTH_PORT", "0"))) {
      assertEquals(1, broker.exitCode());
      assertTrue(broker.err().contains("no plugin for codec, storage, cluster"), broker.err());
    }
  }

  @Test
  void whatTheUserCanMendIsOneClearLine() throws IOException, InterruptedException {
    new PluginJars(home.resolve("work"))
        .jar(
            home.resolve("plugins/unlucky.jar"),
            PluginJars.metricsPlugin(
                "unlucky",
                "",
                """
                return new Service() {
                  public void start() {
                    throw new TakhinException(ErrorCode.UNKNOWN_SERVER_ERROR,
                        "port 9 is taken: set unlucky.text to another one.");
                  }
                  public void close() {}
                };
                """,
                ""));
    Map<String, String> environment = new java.util.HashMap<>(ALONE);
    environment.put("TAKHIN_PLUGINS_REQUIRED", "metrics");
    try (Broker broker = new Broker(home, environment)) {
      assertEquals(1, broker.exitCode());
      assertEquals(
          List.of(
              "takhin: plugin unlucky cannot start: port 9 is taken: set unlucky.text to another"
                  + " one."),
          broker.err().lines().filter(line -> !line.startsWith("WARNING")).toList());
    }
  }

  @Test
  void stopsInOrderOnSigterm() throws IOException, InterruptedException {
    new PluginJars(home.resolve("work"))
        .jar(
            home.resolve("plugins/polite.jar"),
            PluginJars.metricsPlugin(
                "polite",
                "",
                """
                return new Service() {
                  public void drain() { System.out.println("polite drains"); }
                  public void close() { System.out.println("polite closes"); }
                };
                """,
                ""));
    try (Broker broker = new Broker(home, ALONE)) {
      broker.awaitReady();
      assertEquals("{\"ready\":true}", broker.health("/health/ready"));
      broker.process.destroy();
      assertEquals(143, broker.exitCode());
      String out = broker.out();
      int drains = out.indexOf("polite drains");
      assertTrue(drains > 0 && drains < out.indexOf("polite closes"), out);
      assertTrue(out.indexOf("polite closes") < out.indexOf("stopped in"), out);
    }
  }

  @Test
  void aPluginThatCannotGoOnStopsTheProcessInOrderWithAFailure()
      throws IOException, InterruptedException {
    new PluginJars(home.resolve("work"))
        .jar(
            home.resolve("plugins/dying.jar"),
            PluginJars.metricsPlugin(
                "dying",
                "",
                """
                return new Service() {
                  public void start() {
                    context.threads("killer").newThread(
                        () -> context.fatal("the disk is gone", new IllegalStateException()))
                        .start();
                  }
                  public void close() { System.out.println("dying closes"); }
                };
                """,
                ""));
    try (Broker broker = new Broker(home, ALONE)) {
      assertEquals(1, broker.exitCode());
      assertTrue(broker.out().contains("the disk is gone"), broker.out());
      assertTrue(broker.out().contains("dying closes"), broker.out());
    }
  }

  @Test
  void aStopThatHangsIsEndedAndTheCulpritNamed() throws IOException, InterruptedException {
    new PluginJars(home.resolve("work"))
        .jar(
            home.resolve("plugins/stubborn.jar"),
            PluginJars.metricsPlugin(
                "stubborn",
                "",
                """
                return new Service() {
                  public void close() {
                    while (true) {
                      java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
                    }
                  }
                };
                """,
                ""));
    Map<String, String> environment = new java.util.HashMap<>(ALONE);
    environment.put("TAKHIN_SHUTDOWN_TIMEOUT_SECONDS", "1");
    try (Broker broker = new Broker(home, environment)) {
      broker.awaitReady();
      broker.process.destroy();
      assertEquals(1, broker.exitCode());
      assertTrue(broker.err().contains("not stopped within 1 s"), broker.err());
      assertTrue(broker.err().contains("test.stubborn"), broker.err());
    }
  }
}
