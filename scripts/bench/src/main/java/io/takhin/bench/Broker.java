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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
    /// Apache Kafka tuned for two cores: 2 + 2 threads, the system's socket buffers, G1 regions so
    /// large that no request is a humongous object.
    TUNED,
    /// `floor.c`: the least that produce can cost on this machine.
    FLOOR
  }

  /// Every process that was started; those that still live when the run is cut short go with it.
  private static final Set<Process> LIVING = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> LIVING.forEach(Process::destroyForcibly)));
  }

  private final Kind kind;
  private final Installation installation;
  private final Path dir;
  private final int port;
  private @Nullable Process process;

  Broker(Kind kind, Installation installation, Path dir) {
    this.kind = kind;
    this.installation = installation;
    this.dir = dir;
    this.port = freePort();
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
    if (isKafka()) {
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
      command(
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
          case KAFKA, TUNED ->
              kafkaCommand("kafka.Kafka", dir.resolve("server.properties").toString());
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
      // Kafka's shipped setting leaves flushing to the operating system: so do we here.
      env.put("TAKHIN_STORAGE_LOG_FLUSH_MESSAGES", Long.toString(Long.MAX_VALUE));
      env.put("TAKHIN_STORAGE_LOG_FLUSH_INTERVAL_MS", Integer.toString(Integer.MAX_VALUE));
      env.put("TAKHIN_KAFKA_MAX_CONNECTIONS", "20000");
      env.put("TAKHIN_KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0");
    }
    process = builder.start();
    LIVING.add(process);
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
    Files.delete(dirtyPages(bytes));
  }

  /// Leaves so many bytes to be written to the disk, in a file that the caller removes.
  Path dirtyPages(long bytes) throws IOException {
    Path file = dir.resolve("pages");
    ByteBuffer block = ByteBuffer.allocateDirect(8 << 20);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (long written = 0; written < bytes; written += block.capacity()) {
        channel.write(block.rewind());
      }
    }
    return file;
  }

  /// Writes a topic's files to the disk and drops them from the page cache, as time would.
  void forgetPages(String topic) throws IOException, InterruptedException {
    List<Path> files;
    try (Stream<Path> tree = Files.walk(data())) {
      files =
          tree.filter(path -> path.toString().contains(topic) && Files.isRegularFile(path))
              .toList();
    }
    for (Path file : files) {
      command(List.of("dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"));
    }
  }

  void kill9() throws InterruptedException {
    process().destroyForcibly().waitFor();
  }

  /// Stops the process in order and waits for its end.
  void stop() throws InterruptedException {
    if (process != null) {
      process.destroy();
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    }
  }

  boolean isAlive() {
    return process != null && process.isAlive();
  }

  /// Where the broker's logs lie.
  Path data() {
    return kind == Kind.FLOOR ? dir : dir.resolve("data");
  }

  /// Whether it is a JVM that can be asked over JMX.
  boolean isJvm() {
    return kind != Kind.FLOOR;
  }

  private boolean isKafka() {
    return kind == Kind.KAFKA || kind == Kind.TUNED;
  }

  /// The last lines that the broker wrote, for a report of what went wrong.
  String lastWords() throws IOException {
    List<String> lines = Files.readString(dir.resolve("broker.log")).lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 10), lines.size()));
  }

  @Override
  public void close() throws IOException {
    try {
      stop();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process().destroyForcibly();
    }
    spend(dir);
  }

  /// Puts a directory aside without its bytes; bench.sh removes it in the end. To remove thousands
  /// of files now would cost the next broker: ext4 passes over inodes that were freed in the last
  /// minutes, one by one, for each file that is made.
  private static void spend(Path dir) throws IOException {
    try (Stream<Path> tree = Files.walk(dir)) {
      for (Path file : tree.filter(Files::isRegularFile).toList()) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(0);
        }
      }
    }
    Path spent = dir.resolveSibling("spent");
    Files.createDirectories(spent);
    Files.move(dir, spent.resolve(Long.toString(System.nanoTime())));
  }

  private Process process() {
    if (process == null) {
      throw new IllegalStateException("not started");
    }
    return process;
  }

  private List<String> kafkaCommand(String main, String... args) {
    List<String> command = new ArrayList<>(List.of(installation.java()));
    if (kind == Kind.TUNED) {
      command.add("-XX:G1HeapRegionSize=16m");
    }
    command.addAll(
        List.of(
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
    boolean tuned = kind == Kind.TUNED;
    return """
            process.roles=broker,controller
            node.id=1
            controller.quorum.bootstrap.servers=127.0.0.1:%d
            listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d
            advertised.listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d
            inter.broker.listener.name=PLAINTEXT
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
            num.network.threads=%d
            num.io.threads=%d
            socket.send.buffer.bytes=%d
            socket.receive.buffer.bytes=%d
            socket.request.max.bytes=104857600
            log.dirs=%s
            num.partitions=1
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            share.coordinator.state.topic.replication.factor=1
            share.coordinator.state.topic.min.isr=1
            group.initial.rebalance.delay.ms=0
            log.segment.delete.delay.ms=500
            """
        .formatted(
            controller,
            port,
            controller,
            port,
            controller,
            tuned ? 2 : 3,
            tuned ? 2 : 8,
            tuned ? -1 : 102_400,
            tuned ? -1 : 102_400,
            dir.resolve("data"));
  }

  /// Runs one of Kafka's tools with the flags that its scripts give it; returns what it said.
  String kafkaTool(String main, String... args) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                installation.java(),
                "-Xmx512M",
                "-XX:+UseG1GC",
                "-cp",
                installation.kafkaLibs() + "/*",
                main));
    command.addAll(List.of(args));
    return command(command);
  }

  /// Runs a program, given as words with spaces between; returns what it said.
  String tool(String words) throws IOException, InterruptedException {
    return command(List.of(words.split(" ", -1)));
  }

  /// Runs a program; returns what it said, and throws if it failed.
  String command(List<String> command) throws IOException, InterruptedException {
    Path output = dir.resolve("tool.log");
    Process tool =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    LIVING.add(tool);
    try {
      if (!tool.waitFor(150, TimeUnit.SECONDS) || tool.exitValue() != 0) {
        throw new IOException("failed: " + command + "\n" + Files.readString(output));
      }
      return Files.readString(output);
    } finally {
      tool.destroyForcibly();
      LIVING.remove(tool);
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
