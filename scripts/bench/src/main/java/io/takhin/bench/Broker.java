package io.takhin.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A broker process on loopback with a data directory of its own.
///
/// Threading: one thread.
final class Broker implements AutoCloseable {
  /// What is measured.
  enum Kind {
    /// Ours, from the unpacked tarball.
    TAKHIN,
    /// Apache Kafka with the settings that it ships with: G1, 1 GiB heap, 3 + 8 threads.
    KAFKA,
    /// `floor.c`: the least that produce can cost on this machine.
    FLOOR
  }

  private final Kind kind;
  private final Installation installation;
  private final Path dir;
  private final int port;
  private final Map<String, String> settings;
  private @Nullable Process process;

  /// @param settings broker settings by Kafka's names; Takhin gets their equivalents
  Broker(Kind kind, Installation installation, Path dir, Map<String, String> settings) {
    this.kind = kind;
    this.installation = installation;
    this.dir = dir;
    this.port = freePort();
    this.settings = settings;
  }

  /// Where the brokers' programs are.
  ///
  /// @param takhinHome the unpacked tarball
  /// @param kafkaLibs the jars of Apache Kafka
  /// @param javaHome the JDK for both
  /// @param floor the yardstick's program, if it could be compiled
  record Installation(Path takhinHome, Path kafkaLibs, Path javaHome, @Nullable Path floor) {
    String java() {
      return javaHome.resolve("bin/java").toString();
    }
  }

  /// Makes the data directory anew, as a first start wants it.
  void prepare() throws IOException, InterruptedException {
    deleteTree(dir);
    Files.createDirectories(dir);
    if (kind == Kind.KAFKA) {
      Files.writeString(dir.resolve("server.properties"), kafkaProperties());
      Files.writeString(
          dir.resolve("log4j2.yaml"),
          """
          Configuration:
            Appenders:
              Console: {name: C, PatternLayout: {pattern: "%d %p %m (%c)%n"}}
            Loggers:
              Root: {level: WARN, AppenderRef: {ref: C}}
          """);
      run(
          kafkaCommand(
              "kafka.tools.StorageTool",
              "format",
              "-t",
              "MkU3OEVBNTcwNTJENDM2Qg",
              "-c",
              dir.resolve("server.properties").toString(),
              "--standalone"));
    }
  }

  /// Starts the process; returns at once.
  void launch() throws IOException {
    List<String> command =
        switch (kind) {
          case TAKHIN -> {
            List<String> c = new ArrayList<>();
            c.add(installation.takhinHome().resolve("bin/takhin.sh").toString());
            c.add("-port");
            c.add(Integer.toString(port));
            c.add("-data-dir");
            c.add(dir.resolve("data").toString());
            yield c;
          }
          case FLOOR ->
              List.of(String.valueOf(installation.floor()), Integer.toString(port), dir.toString());
          case KAFKA -> kafkaCommand("kafka.Kafka", dir.resolve("server.properties").toString());
        };
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("broker.log").toFile());
    Map<String, String> env = builder.environment();
    env.put("JAVA_HOME", installation.javaHome().toString());
    if (kind == Kind.TAKHIN) {
      env.put("TAKHIN_METRICS_PORT", Integer.toString(freePort()));
      env.put("TAKHIN_HEALTH_PORT", Integer.toString(freePort()));
      if (settings.containsKey("log.flush.interval.messages")) {
        env.put("TAKHIN_STORAGE_LOG_FLUSH_MESSAGES", settings.get("log.flush.interval.messages"));
      } else {
        // Kafka's shipped setting leaves flushing to the operating system: so do we here.
        env.put("TAKHIN_STORAGE_LOG_FLUSH_MESSAGES", Long.toString(Long.MAX_VALUE));
        env.put("TAKHIN_STORAGE_LOG_FLUSH_INTERVAL_MS", Integer.toString(Integer.MAX_VALUE));
      }
    }
    process = builder.start();
  }

  /// Waits until the broker answers; the time limit covers a slow machine.
  void awaitReady() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    while (true) {
      try (Client client = new Client(address())) {
        client.apiVersions();
        return;
      } catch (IOException e) {
        if (!process().isAlive() || System.nanoTime() > deadline) {
          throw new IllegalStateException(
              kind + " did not start:\n" + Files.readString(dir.resolve("broker.log")), e);
        }
        Thread.sleep(5);
      }
    }
  }

  Kind kind() {
    return kind;
  }

  InetSocketAddress address() {
    return new InetSocketAddress("127.0.0.1", port);
  }

  ProcessStats stats() {
    return new ProcessStats(process().pid());
  }

  /// Fills and frees page cache: in a virtual machine memory that was never touched, or was given
  /// back, comes from the host page by page, which costs more than a broker's whole work. What is
  /// written next takes these pages.
  void freshPages(long bytes) throws IOException {
    Path file = dir.resolve("pages");
    ByteBuffer block = ByteBuffer.allocateDirect(8 << 20);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (long written = 0; written < bytes; written += block.capacity()) {
        channel.write(block.rewind());
      }
    }
    Files.delete(file);
  }

  void kill9() throws InterruptedException {
    process().destroyForcibly().waitFor();
  }

  @Override
  public void close() throws IOException {
    if (process != null) {
      process.destroy();
      try {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    deleteTree(dir);
  }

  private Process process() {
    if (process == null) {
      throw new IllegalStateException("not started");
    }
    return process;
  }

  private List<String> kafkaCommand(String main, String... args) {
    List<String> command =
        new ArrayList<>(
            List.of(
                installation.java(),
                "-Xmx1G",
                "-Xms1G",
                "-server",
                "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35",
                "-XX:+ExplicitGCInvokesConcurrent",
                "-Djava.awt.headless=true",
                "-Dlog4j2.configurationFile=" + dir.resolve("log4j2.yaml"),
                "-cp",
                installation.kafkaLibs() + "/*",
                main));
    command.addAll(List.of(args));
    return command;
  }

  private String kafkaProperties() {
    int controller = freePort();
    StringBuilder text =
        new StringBuilder(
            """
            process.roles=broker,controller
            node.id=1
            controller.quorum.bootstrap.servers=127.0.0.1:%d
            listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d
            advertised.listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d
            inter.broker.listener.name=PLAINTEXT
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
            num.network.threads=3
            num.io.threads=8
            socket.send.buffer.bytes=102400
            socket.receive.buffer.bytes=102400
            socket.request.max.bytes=104857600
            log.dirs=%s
            num.partitions=1
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            share.coordinator.state.topic.replication.factor=1
            share.coordinator.state.topic.min.isr=1
            """
                .formatted(controller, port, controller, port, controller, dir.resolve("data")));
    settings.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
    return text.toString();
  }

  private void run(List<String> command) throws IOException, InterruptedException {
    Process tool =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("format.log").toFile())
            .start();
    if (tool.waitFor() != 0) {
      throw new IOException(
          "failed: " + command + "\n" + Files.readString(dir.resolve("format.log")));
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
