package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `bin/takhin.sh` as people call it: where from, with which Java, in the background, and with what
/// is wrong on their machine (manual 3.1, 7.1).
class LauncherIT {
  private static Command takhin(Map<String, String> environment, String... args) {
    return takhin(null, environment, Distribution.script(), args);
  }

  private static Command takhin(
      Path directory, Map<String, String> environment, String script, String... args) {
    List<String> command = new ArrayList<>(List.of(script));
    command.addAll(List.of(args));
    return Command.run(directory, environment, "", command);
  }

  private static void oneLine(String output, String... parts) {
    List<String> lines = output.lines().filter(line -> !line.isBlank()).toList();
    assertEquals(1, lines.size(), output);
    for (String part : parts) {
      assertTrue(output.contains(part), "'" + part + "' is missing in: " + output);
    }
  }

  @Test
  void theVersionIsPrintedFromAnyDirectoryAndThroughLinks() throws Exception {
    Path directory = Distribution.newDirectory("links");
    Path link =
        Files.createSymbolicLink(directory.resolve("takhin"), Path.of(Distribution.script()));
    Path second = Files.createSymbolicLink(directory.resolve("again"), Path.of("takhin"));
    for (String script : List.of(Distribution.script(), link.toString(), second.toString())) {
      for (String flag : List.of("-version", "--version")) {
        Command version = takhin(Path.of("/"), Map.of(), script, flag).succeeded();
        assertTrue(
            version
                .out()
                .matches(
                    "(?s)Takhin version v" + Distribution.version() + " \\(commit: \\w+\\)\\s*"),
            version.all());
      }
    }
  }

  @Test
  void helpNamesCommandsAndFlags() {
    String help = takhin(Map.of(), "--help").succeeded().out();
    for (String word :
        List.of("start", "stop", "status", "-config", "-data-dir", "-port", "TAKHIN_JAVA_HOME")) {
      assertTrue(help.contains(word), word);
    }
    Command unknown = takhin(Map.of(), "restart");
    assertEquals(1, unknown.code());
    oneLine(unknown.err(), "restart", "--help");
  }

  @Test
  void trainingMakesStartsUseWhatItLearned() throws Exception {
    Path home = Distribution.newDirectory("trained");
    Command.run(
            null, Map.of(), "", List.of("cp", "-r", Distribution.home() + "/.", home.toString()))
        .succeeded();
    String script = home.resolve("bin/takhin.sh").toString();
    oneLine(takhin(null, Map.of(), script, "train").succeeded().out(), "starts will use", ".jsa");
    Command loaded =
        takhin(null, Map.of("TAKHIN_JVM_OPTS", "-Xlog:class+load"), script, "-config-reference")
            .succeeded();
    String ratis = "io.takhin.cluster.raft.RaftClusterProvider source: shared objects file";
    assertTrue(loaded.out().contains(ratis), "the classes of plugins come from the archive");
    // A jar of another installation: the archive does not fit, and nobody hears of it.
    Files.setLastModifiedTime(
        home.resolve("lib/takhin-kernel-" + Distribution.version() + ".jar"),
        java.nio.file.attribute.FileTime.fromMillis(0));
    Command version = takhin(null, Map.of(), script, "-version").succeeded();
    oneLine(version.all(), "Takhin version");
  }

  @Test
  void anOldJavaIsNamedWithTheWayOut() throws Exception {
    Path old = Distribution.newDirectory("jdk-17");
    Files.createDirectories(old.resolve("bin"));
    Files.writeString(old.resolve("release"), "JAVA_VERSION=\"17.0.15\"\n");
    Path java = Files.writeString(old.resolve("bin/java"), "#!/bin/sh\nexit 1\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    Command refused = takhin(Map.of("TAKHIN_JAVA_HOME", old.toString()), "-version");
    assertEquals(1, refused.code());
    oneLine(refused.err(), "Java 17", "JDK 25", "TAKHIN_JAVA_HOME");
    Command missing = takhin(Map.of("TAKHIN_JAVA_HOME", "/nowhere"), "-version");
    oneLine(missing.err(), "/nowhere", "JDK 25");
  }

  @Test
  void itRunsInTheBackgroundAndSaysSo() throws Exception {
    Path state = Distribution.newDirectory("state");
    Map<String, String> environment = new HashMap<>();
    int port = Broker.freePort();
    environment.put("TAKHIN_PID_FILE", state.resolve("takhin.pid").toString());
    environment.put("TAKHIN_LOG_FILE", state.resolve("takhin.log").toString());
    environment.put("TAKHIN_STORAGE_DATA_DIR", state.resolve("data").toString());
    environment.put("TAKHIN_METRICS_PORT", Integer.toString(Broker.freePort()));
    environment.put("TAKHIN_HEALTH_PORT", Integer.toString(Broker.freePort()));
    String flag = Integer.toString(port);

    Command before = takhin(environment, "status");
    assertEquals(3, before.code());
    oneLine(before.out(), "not running");
    oneLine(takhin(environment, "stop").succeeded().out(), "not running");

    // As a shell does it: with the output of a background process kept by nobody.
    Command start = takhin(environment, "start", "-port", flag).succeeded();
    try {
      oneLine(start.out(), "running as process");
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + port))) {
        // -port alone moves the advertised port as well, or no client would find its way.
        assertEquals(
            port,
            admin.describeCluster().nodes().get(20, TimeUnit.SECONDS).iterator().next().port());
      }
      oneLine(takhin(environment, "status").succeeded().out(), "running as process");
      Command twice = takhin(environment, "start", "-port", flag);
      assertEquals(1, twice.code());
      oneLine(twice.err(), "already running", "stop");
    } finally {
      oneLine(takhin(environment, "stop").succeeded().out(), "stopped");
    }
    assertEquals(3, takhin(environment, "status").code());
    assertFalse(Files.exists(state.resolve("takhin.pid")));
  }

  @Test
  void aPidFileOfADeadOrStrangeProcessHindersNobody() throws Exception {
    Path state = Distribution.newDirectory("stale");
    Map<String, String> environment =
        Map.of(
            "TAKHIN_PID_FILE", state.resolve("takhin.pid").toString(),
            "TAKHIN_LOG_FILE", state.resolve("takhin.log").toString());
    for (String stale :
        List.of(Long.toString(ProcessHandle.current().pid()), "2147483646", "-1", "nonsense", "")) {
      Files.writeString(state.resolve("takhin.pid"), stale + "\n");
      Command status = takhin(environment, "status");
      assertEquals(3, status.code(), stale);
      oneLine(takhin(environment, "stop").succeeded().out(), "not running");
      assertTrue(ProcessHandle.current().isAlive());
    }
  }

  @Test
  void everyMistakeInTheConfigurationIsReportedAtOnceAndExitsWith2() throws Exception {
    Path file =
        Files.writeString(
            Distribution.newDirectory("config").resolve("takhin.yaml"),
            """
            server:
              prot: 9093
            storage:
              log:
                segment:
                  size: many
            """);
    Command refused = takhin(Map.of("TAKHIN_LOGGING_LEVEL", "loud"), "-config", file.toString());
    assertEquals(2, refused.code(), refused::all);
    for (String part :
        List.of("server.prot", "server.port", "storage.log.segment.size", "many", "loud")) {
      assertTrue(refused.all().contains(part), part + " is missing in: " + refused.all());
    }
    Command missing = takhin(Map.of(), "-config", "/nowhere/takhin.yaml");
    assertEquals(2, missing.code(), missing::all);
    assertTrue(missing.all().contains("/nowhere/takhin.yaml"), missing::all);
    Command flag = takhin(Map.of(), "-prot", "9093");
    assertEquals(2, flag.code(), flag::all);
    assertTrue(flag.all().contains("-prot"), flag::all);
  }

  @ParameterizedTest
  @ValueSource(strings = {"takhin.yaml", "high-throughput.yaml", "low-latency.yaml"})
  void theConfigurationsInTheBoxStart(String name) {
    try (Broker broker = new Broker()) {
      broker
          .flags("-config", Distribution.home().resolve("configs").resolve(name).toString())
          .start();
      assertEquals(Broker.STOPPED, broker.stop(), broker::output);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TAKHIN_SERVER_PORT", "TAKHIN_HEALTH_PORT"})
  void aTakenPortIsNamedWithTheWayOut(String variable) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
        Broker broker = new Broker()) {
      String port = Integer.toString(taken.getLocalPort());
      assertEquals(1, broker.with(variable, port).launch().awaitExit(), broker::output);
      failsWithOneLine(broker.output(), port, variable);
    }
  }

  @Test
  void aTakenMetricsPortIsNamedAndTheRestServes() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
        Broker broker = new Broker()) {
      String port = Integer.toString(taken.getLocalPort());
      broker.with("TAKHIN_METRICS_PORT", port).start();
      failsWithOneLine(broker.output(), port, "TAKHIN_METRICS_PORT");
      String health = Broker.http(broker.healthPort(), "/health").body();
      assertTrue(health.contains("\"degraded\"") && health.contains(port), health);
    }
  }

  private static void failsWithOneLine(String output, String... parts) {
    List<String> errors =
        output.lines().filter(line -> List.of(parts).stream().allMatch(line::contains)).toList();
    assertFalse(errors.isEmpty(), () -> "no line with " + List.of(parts) + " in: " + output);
    assertFalse(output.contains("\tat "), () -> "a stack trace: " + output);
  }

  @Test
  void aDataDirectoryThatCannotBeWrittenIsNamed() throws Exception {
    Path file = Files.writeString(Distribution.newDirectory("file").resolve("data"), "a file");
    try (Broker broker = new Broker()) {
      broker.with("TAKHIN_STORAGE_DATA_DIR", file.toString());
      assertEquals(1, broker.launch().awaitExit(), broker::output);
      failsWithOneLine(broker.output(), file.toString());
    }
    Path locked = Files.createDirectory(Distribution.newDirectory("locked").resolve("data"));
    Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
    if (!Files.isWritable(locked)) {
      try (Broker broker = new Broker()) {
        broker.with("TAKHIN_STORAGE_DATA_DIR", locked.toString());
        assertEquals(1, broker.launch().awaitExit(), broker::output);
        failsWithOneLine(broker.output(), locked.toString(), "permission");
      }
    }
  }

  @Test
  void aFullDiskAtStartIsNamed() throws Exception {
    Path full = Distribution.newDirectory("full");
    Command mount = Command.run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", full.toString());
    Assumptions.assumeTrue(mount.code() == 0, "only root mounts");
    try (Broker broker = new Broker()) {
      Command.run("sh", "-c", "head -c 100000 /dev/zero > " + full + "/filler; true");
      broker.with("TAKHIN_STORAGE_DATA_DIR", full.resolve("data").toString());
      assertEquals(1, broker.launch().awaitExit(), broker::output);
      failsWithOneLine(broker.output(), full.toString(), "space");
    } finally {
      Command.run("umount", "-l", full.toString());
    }
  }

  @Test
  void aSecondBrokerOnTheSameDataIsRefused() throws IOException {
    try (Broker broker = Broker.started();
        Broker second = new Broker()) {
      second.with("TAKHIN_STORAGE_DATA_DIR", broker.dataDirectory().toString());
      assertEquals(1, second.launch().awaitExit(), second::output);
      failsWithOneLine(second.output(), broker.dataDirectory().toString());
      assertTrue(broker.isAlive());
    }
  }

  @Test
  void sigtermDrainsAndEndsAsJavaDoesAfterIt() {
    try (Broker broker = Broker.started()) {
      long began = System.nanoTime();
      assertEquals(Broker.STOPPED, broker.stop(), broker::output);
      assertTrue(Duration.ofNanos(System.nanoTime() - began).toSeconds() < 15, broker::output);
      assertFalse(broker.output().contains("\tat "), broker::output);
    }
  }

  @Test
  void aStartWithoutAFileUsesTheDefaults() {
    try (Broker broker = new Broker()) {
      broker.flags("-data-dir", broker.dataDirectory().resolve("below").toString()).start();
      assertTrue(Files.isDirectory(broker.dataDirectory().resolve("below")));
    }
  }
}
