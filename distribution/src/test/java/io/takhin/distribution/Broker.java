package io.takhin.distribution;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/// One broker: a process of the unpacked tarball, started by its script on free ports, with a data
/// directory of its own that outlives restarts.
final class Broker implements AutoCloseable {
  /// The exit code after SIGTERM, once everything was closed in order: 128 + 15.
  static final int STOPPED = 143;

  private static final Duration START_LIMIT =
      Duration.ofSeconds(Integer.getInteger("takhin.start.limit.seconds", 120));
  private static final Duration STOP_LIMIT = Duration.ofSeconds(60);

  private final Path dataDirectory = Distribution.newDirectory("data");
  private final Map<String, String> environment = new TreeMap<>();
  private final List<String> flags = new ArrayList<>();
  private final List<String> before = new ArrayList<>();
  private final int kafkaPort = freePort();
  private final int metricsPort = freePort();
  private final int healthPort = freePort();
  private Process process;
  private Path log;
  private int starts;

  Broker() {
    environment.put("TAKHIN_STORAGE_DATA_DIR", dataDirectory.toString());
    environment.put("TAKHIN_SERVER_HOST", "127.0.0.1");
    environment.put("TAKHIN_SERVER_PORT", Integer.toString(kafkaPort));
    environment.put("TAKHIN_KAFKA_ADVERTISED_HOST", "127.0.0.1");
    environment.put("TAKHIN_KAFKA_ADVERTISED_PORT", Integer.toString(kafkaPort));
    environment.put("TAKHIN_METRICS_HOST", "127.0.0.1");
    environment.put("TAKHIN_METRICS_PORT", Integer.toString(metricsPort));
    environment.put("TAKHIN_HEALTH_HOST", "127.0.0.1");
    environment.put("TAKHIN_HEALTH_PORT", Integer.toString(healthPort));
    environment.put("TAKHIN_HEAP", "512m");
    // Nobody else joins the tests' groups.
    environment.put("TAKHIN_KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0");
  }

  /// A broker that is ready.
  static Broker started() {
    return new Broker().start();
  }

  /// Sets or, with an empty value, removes an environment variable for the next start.
  Broker with(String variable, String value) {
    environment.put(variable, value);
    return this;
  }

  /// Adds flags for the next start.
  Broker flags(String... more) {
    flags.addAll(List.of(more));
    return this;
  }

  /// Limits the next start as the shell's `ulimit` does, for example with `-n 256`.
  Broker limit(String limit) {
    before.addAll(List.of("bash", "-c", "ulimit " + limit + " && exec \"$@\"", "limited"));
    return this;
  }

  /// Starts and waits until the broker says that it is ready.
  Broker start() {
    launch();
    Await.until(
        START_LIMIT,
        () -> "the broker is not ready:\n" + output(),
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError("it ended with " + process.exitValue() + ":\n" + output());
          }
          return http(healthPort, "/health/ready").status() == 200;
        });
    return this;
  }

  /// Starts without waiting.
  Broker launch() {
    log = dataDirectory.resolveSibling(dataDirectory.getFileName() + "-" + ++starts + ".log");
    List<String> command = new ArrayList<>(before);
    command.add(Distribution.script());
    command.addAll(flags);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    environment.forEach(
        (name, value) -> {
          if (value.isEmpty()) {
            builder.environment().remove(name);
          } else {
            builder.environment().put(name, value);
          }
        });
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /// Waits for the end of a process that ends by itself, and returns its exit code.
  int awaitExit() {
    try {
      if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("still running after " + STOP_LIMIT + ":\n" + output());
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /// SIGTERM, and its exit code.
  int stop() {
    process.destroy();
    return awaitExit();
  }

  /// SIGKILL.
  void kill() {
    process.destroyForcibly();
    awaitExit();
  }

  /// Whether the process lives.
  boolean isAlive() {
    return process.isAlive();
  }

  /// The process id: of the JVM, as the script replaces itself by it.
  long pid() {
    return process.pid();
  }

  String bootstrap() {
    return "127.0.0.1:" + kafkaPort;
  }

  int kafkaPort() {
    return kafkaPort;
  }

  int metricsPort() {
    return metricsPort;
  }

  int healthPort() {
    return healthPort;
  }

  Path dataDirectory() {
    return dataDirectory;
  }

  /// What the process wrote since its last start.
  String output() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return "[no log: " + e + "]";
    }
  }

  /// Settings for a Java client, with more on top.
  Map<String, Object> client(Map<String, Object> more) {
    Map<String, Object> settings = new TreeMap<>();
    settings.put("bootstrap.servers", bootstrap());
    settings.putAll(more);
    return settings;
  }

  /// An admin client.
  Admin admin() {
    Properties settings = new Properties();
    settings.putAll(client(Map.of()));
    return Admin.create(settings);
  }

  /// Creates a topic and waits for it.
  void createTopic(String topic, int partitions, Map<String, String> configs) {
    try (Admin admin = admin()) {
      admin
          .createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs)))
          .all()
          .get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("cannot create " + topic + "\n" + output(), e);
    }
  }

  /// An answer over HTTP.
  record Answer(int status, String contentType, String body) {}

  /// GET of a page of this machine.
  static Answer http(int port, String path) throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
    connection.setConnectTimeout(5_000);
    connection.setReadTimeout(30_000);
    int status = connection.getResponseCode();
    try (InputStream in =
        status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      String body = in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return new Answer(status, String.valueOf(connection.getContentType()), body);
    }
  }

  /// A port that nobody had a moment ago, outside the range of outgoing connections.
  static int freePort() {
    for (int attempt = 0; attempt < 200; attempt++) {
      int port = 20_000 + (int) (Math.random() * 10_000);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        continue;
      }
    }
    throw new AssertionError("no free port between 20000 and 30000");
  }

  @Override
  public void close() {
    if (process != null && process.isAlive()) {
      process.destroyForcibly();
      awaitExit();
    }
  }
}
