package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Metrics and health as the manual promises them (4.6), with values that must be right.
class MonitoringIT {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static Broker broker;

  @BeforeAll
  static void start() {
    broker = Broker.started();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static String page() throws Exception {
    Broker.Answer answer = Broker.http(broker.metricsPort(), "/metrics");
    assertEquals(200, answer.status());
    assertTrue(answer.contentType().startsWith("text/plain; version=0.0.4"), answer.contentType());
    return answer.body();
  }

  /// The sum of all values of a name whose labels hold all the fragments; -1 if there is none.
  private static double sum(String page, String name, String... fragments) {
    double sum = -1;
    Matcher lines =
        Pattern.compile("^" + name + "(\\{[^\\n]*\\})? (\\S+)$", Pattern.MULTILINE).matcher(page);
    while (lines.find()) {
      String labels = lines.group(1) == null ? "" : lines.group(1);
      if (List.of(fragments).stream().allMatch(labels::contains)) {
        sum = Math.max(sum, 0) + Double.parseDouble(lines.group(2));
      }
    }
    return sum;
  }

  private static void produce(String topic, int records) {
    try (Producer<String, String> producer =
        new KafkaProducer<>(
            broker.client(Map.of()), new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < records; i++) {
        producer.send(new ProducerRecord<>(topic, 0, null, "x".repeat(1000)));
      }
    }
  }

  @Test
  void theFiveMetricsOfTheManualTellTheTruth() throws Exception {
    broker.createTopic("measured", 1, Map.of());
    String before = page();
    produce("measured", 100);
    String after = page();
    assertTrue(
        sum(after, "takhin_kafka_requests_total", "Produce")
            > Math.max(0, sum(before, "takhin_kafka_requests_total", "Produce")),
        after);
    assertTrue(
        sum(after, "takhin_kafka_request_duration_seconds_count", "Produce") > 0,
        "no produce was timed");
    assertTrue(
        sum(after, "takhin_kafka_request_duration_seconds_bucket", "Produce", "le=\"+Inf\"") > 0);
    double storedBefore = Math.max(0, sum(before, "takhin_storage_bytes_total"));
    double stored = sum(after, "takhin_storage_bytes_total");
    assertTrue(stored >= storedBefore + 100_000, "stored: " + storedBefore + ", then " + stored);

    try (Consumer<String, String> consumer =
        new KafkaConsumer<>(
            broker.client(
                Map.of(
                    "group.id",
                    "measuring",
                    "auto.offset.reset",
                    "earliest",
                    "enable.auto.commit",
                    "false",
                    "max.poll.records",
                    "40")),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.subscribe(List.of("measured"));
      Await.until(
          LIMIT,
          () -> "nothing to consume\n" + broker.output(),
          () -> !consumer.poll(Duration.ofMillis(200)).isEmpty());
      consumer.commitSync();
      lagBecomes(60);
      int[] seen = {40};
      Await.until(
          LIMIT,
          () -> "consumed " + seen[0],
          () -> (seen[0] += consumer.poll(Duration.ofMillis(200)).count()) == 100);
      consumer.commitSync();
      lagBecomes(0);
    }
    produce("measured", 7);
    lagBecomes(7);
  }

  private static void lagBecomes(double lag) {
    Await.until(
        LIMIT,
        () -> "the lag does not become " + lag,
        () -> sum(page(), "takhin_consumer_lag_messages", "\"measuring\"", "\"measured\"") == lag);
  }

  @Test
  void connectionsAreCountedWhileTheyAreOpen() throws Exception {
    double before = sum(page(), "takhin_active_connections");
    try (Socket first = new Socket("127.0.0.1", broker.kafkaPort());
        Socket second = new Socket("127.0.0.1", broker.kafkaPort())) {
      assertTrue(first.isConnected() && second.isConnected());
      Await.until(
          LIMIT,
          () -> "two more than " + before,
          () -> sum(page(), "takhin_active_connections") >= before + 2);
    }
    Await.until(
        LIMIT,
        () -> "back to at most " + before,
        () -> sum(page(), "takhin_active_connections") <= before);
  }

  @Test
  void theJvmAndTheProcessAreThere() throws Exception {
    String page = page();
    for (String name :
        List.of(
            "jvm_memory_used_bytes",
            "jvm_threads_live_threads",
            "process_cpu_usage",
            "process_uptime_seconds",
            "process_files_open_files")) {
      assertTrue(sum(page, name) >= 0, name + " is missing");
    }
  }

  @Test
  void promtoolFindsNothingToSay() throws Exception {
    produce("checked", 5);
    String tools = System.getenv("TEST_TOOLS");
    Path own = tools == null ? null : Path.of(tools, "promtool");
    String promtool =
        own != null && Files.isExecutable(own)
            ? own.toString()
            : Command.installed("promtool") ? "promtool" : null;
    String page = page();
    if (promtool != null) {
      Command check = Command.run(null, Map.of(), page, List.of(promtool, "check", "metrics"));
      assertEquals("", check.all());
      assertEquals(0, check.code());
    }
    // Each family once, each series once, each line well formed, with promtool and without.
    Pattern sample =
        Pattern.compile(
            "[a-zA-Z_:][a-zA-Z0-9_:]*(\\{([a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\\\n]|\\\\[\"\\\\n])*\",?)*})?"
                + " (NaN|[+-]Inf|-?[0-9][0-9.E+-]*)");
    Set<String> seen = new HashSet<>();
    for (String line : page.lines().toList()) {
      if (line.startsWith("# TYPE ")) {
        assertTrue(seen.add(line.substring(0, line.lastIndexOf(' '))), line);
      } else if (!line.startsWith("# HELP ")) {
        assertTrue(sample.matcher(line).matches(), line);
        assertTrue(seen.add(line.substring(0, line.lastIndexOf(' '))), line);
      }
    }
  }

  @Test
  void healthSaysThatItIsHealthyAndWhen() throws Exception {
    Broker.Answer health = Broker.http(broker.healthPort(), "/health");
    assertEquals(200, health.status());
    assertTrue(health.body().contains("\"status\":\"healthy\""), health.body());
    Matcher timestamp = Pattern.compile("\"timestamp\":\"([^\"]+)\"").matcher(health.body());
    assertTrue(timestamp.find(), health.body());
    Duration age = Duration.between(Instant.parse(timestamp.group(1)), Instant.now()).abs();
    assertTrue(age.toSeconds() < 30, health.body());
    assertEquals(200, Broker.http(broker.healthPort(), "/health/ready").status());
    assertEquals(200, Broker.http(broker.healthPort(), "/health/live").status());
    assertEquals(404, Broker.http(broker.healthPort(), "/nothing").status());
  }
}
