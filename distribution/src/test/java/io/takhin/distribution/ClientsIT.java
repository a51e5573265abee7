package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What one client writes with each codec, every other client reads (manual 4.8): the Java client,
/// kcat (librdkafka), kafka-python and kafkajs, as their projects publish them.
///
/// A client that is not installed is left out, and so is a codec that a client does not have.
/// `TEST_TOOLS`, which `scripts/test.sh` sets, makes a missing client a failure.
class ClientsIT {
  private static final int RECORDS = 20;
  private static final Map<String, Client> CLIENTS = new LinkedHashMap<>();
  private static Broker broker;

  /// A client of some language.
  interface Client {
    /// The codecs that it can write and read.
    Set<String> codecs();

    /// Writes the lines as `key:value` records.
    void produce(String topic, String codec, List<String> lines);

    /// Reads that many records from the beginning, in a group of its own, as `key:value` lines.
    Set<String> consume(String topic, int count);
  }

  @BeforeAll
  static void start() {
    broker = Broker.started();
    CLIENTS.put("java", new JavaClient());
    String tools = System.getenv("TEST_TOOLS");
    if (Command.installed("kcat")) {
      CLIENTS.put("kcat", new KcatClient());
    }
    if (Command.run("/usr/bin/python3", "-c", "import kafka, lz4, snappy, zstandard").code() == 0) {
      CLIENTS.put(
          "python", new ScriptClient(List.of("/usr/bin/python3"), "client.py", Path.of("")));
    }
    if (tools != null && Files.isDirectory(Path.of(tools, "kafkajs", "node_modules", "kafkajs"))) {
      CLIENTS.put(
          "kafkajs", new ScriptClient(List.of("node"), "client.js", Path.of(tools, "kafkajs")));
    }
    if (tools != null) {
      assertEquals(Set.of("java", "kcat", "python", "kafkajs"), CLIENTS.keySet());
    }
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  static Stream<String> codecs() {
    return Stream.of("none", "gzip", "snappy", "lz4", "zstd");
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void whatOneClientCompressesTheOthersRead(String codec) {
    String topic = "codec-" + codec;
    broker.createTopic(topic, 2, Map.of());
    Set<String> expected = new TreeSet<>();
    CLIENTS.forEach(
        (name, client) -> {
          if (client.codecs().contains(codec)) {
            List<String> lines = new ArrayList<>();
            for (int i = 0; i < RECORDS; i++) {
              lines.add("key-" + name + "-" + i + ":" + "Grüße von " + name + " ".repeat(200) + i);
            }
            client.produce(topic, codec, lines);
            expected.addAll(lines);
          }
        });
    Assumptions.assumeFalse(expected.isEmpty());
    CLIENTS.forEach(
        (name, client) -> {
          if (client.codecs().contains(codec)) {
            assertEquals(
                expected, client.consume(topic, expected.size()), () -> name + " reads " + codec);
          }
        });
  }

  /// The Java client of Apache Kafka.
  private static final class JavaClient implements Client {
    @Override
    public Set<String> codecs() {
      return Set.of("none", "gzip", "snappy", "lz4", "zstd");
    }

    @Override
    public void produce(String topic, String codec, List<String> lines) {
      try (Producer<String, String> producer =
          new KafkaProducer<>(
              broker.client(Map.of("compression.type", codec, "linger.ms", "20")),
              new StringSerializer(),
              new StringSerializer())) {
        for (String line : lines) {
          int colon = line.indexOf(':');
          producer.send(
              new ProducerRecord<>(topic, line.substring(0, colon), line.substring(colon + 1)));
        }
        producer.flush();
      }
    }

    @Override
    public Set<String> consume(String topic, int count) {
      Set<String> lines = new TreeSet<>();
      try (Consumer<String, String> consumer =
          new KafkaConsumer<>(
              broker.client(
                  Map.of("group.id", "java-" + UUID.randomUUID(), "auto.offset.reset", "earliest")),
              new StringDeserializer(),
              new StringDeserializer())) {
        consumer.subscribe(List.of(topic));
        Await.until(
            Duration.ofSeconds(30),
            () -> "java read " + lines.size() + " of " + count + "\n" + broker.output(),
            () -> {
              consumer
                  .poll(Duration.ofMillis(200))
                  .forEach(record -> lines.add(record.key() + ":" + record.value()));
              return lines.size() >= count;
            });
      }
      return lines;
    }
  }

  /// librdkafka, by its command-line tool.
  private static final class KcatClient implements Client {
    @Override
    public Set<String> codecs() {
      return Set.of("none", "gzip", "snappy", "lz4", "zstd");
    }

    @Override
    public void produce(String topic, String codec, List<String> lines) {
      Command.run(
              null,
              Map.of(),
              String.join("\n", lines) + "\n",
              List.of(
                  "kcat",
                  "-P",
                  "-b",
                  broker.bootstrap(),
                  "-t",
                  topic,
                  "-K:",
                  "-z",
                  codec,
                  "-X",
                  "linger.ms=50",
                  "-X",
                  "enable.idempotence=true"))
          .succeeded();
    }

    @Override
    public Set<String> consume(String topic, int count) {
      Command read =
          Command.run(
                  "timeout",
                  "40",
                  "kcat",
                  "-b",
                  broker.bootstrap(),
                  "-q",
                  "-f",
                  "%k:%s\\n",
                  "-c",
                  Integer.toString(count),
                  "-X",
                  "auto.offset.reset=earliest",
                  "-G",
                  "kcat-" + UUID.randomUUID(),
                  topic)
              .succeeded();
      return new TreeSet<>(read.out().lines().toList());
    }
  }

  /// A client in a script: `script produce|consume bootstrap topic codec|count`, lines on its
  /// standard streams; `script codecs` names what it has.
  private static final class ScriptClient implements Client {
    private final List<String> command;
    private final Path directory;

    ScriptClient(List<String> interpreter, String script, Path directory) {
      this.command = new ArrayList<>(interpreter);
      this.directory = directory.toAbsolutePath();
      this.command.add(Path.of("src", "test", "clients", script).toAbsolutePath().toString());
    }

    private Command run(String stdin, String... args) {
      List<String> all = new ArrayList<>(command);
      all.addAll(List.of(args));
      Map<String, String> environment =
          Map.of("NODE_PATH", directory.resolve("node_modules").toString());
      return Command.run(null, environment, stdin, all).succeeded();
    }

    @Override
    public Set<String> codecs() {
      return Set.of(run("", "codecs").out().strip().split(" ", -1));
    }

    @Override
    public void produce(String topic, String codec, List<String> lines) {
      run(String.join("\n", lines) + "\n", "produce", broker.bootstrap(), topic, codec);
    }

    @Override
    public Set<String> consume(String topic, int count) {
      Command read = run("", "consume", broker.bootstrap(), topic, Integer.toString(count));
      return new TreeSet<>(read.out().lines().toList());
    }
  }
}
