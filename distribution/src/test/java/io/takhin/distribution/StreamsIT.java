package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/// Kafka Streams with `exactly_once_v2`: a word count whose processes and whose broker are killed
/// counts each word once, as its readers see it.
class StreamsIT {
  private static final int ROUNDS = Integer.getInteger("takhin.streams.rounds", 1);
  private static final long SEED = Long.getLong("takhin.streams.seed", 1L);
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final int PARTITIONS = 3;
  private static final int WORDS = 20;

  /// Sends words until it is told to stop.
  private static final class Words implements AutoCloseable {
    private final AtomicInteger[] sent =
        IntStream.range(0, WORDS).mapToObj(i -> new AtomicInteger()).toArray(AtomicInteger[]::new);
    private final List<String> failures = new ArrayList<>();
    private final Producer<String, String> producer;
    private final Thread thread;
    private volatile boolean ending;

    Words(Broker broker) {
      producer =
          new KafkaProducer<>(
              broker.client(
                  Map.of(
                      "linger.ms", "5",
                      "request.timeout.ms", "5000",
                      "reconnect.backoff.max.ms", "200",
                      "delivery.timeout.ms", "600000",
                      "max.block.ms", "600000")),
              new StringSerializer(),
              new StringSerializer());
      thread = Thread.ofPlatform().name("words").start(this::send);
    }

    private void send() {
      for (int i = 0; !ending; i++) {
        int word = i * 7 % WORDS;
        producer.send(
            new ProducerRecord<>("words", i % PARTITIONS, null, "word-" + word),
            (metadata, failure) -> {
              if (failure == null) {
                sent[word].incrementAndGet();
              } else {
                synchronized (failures) {
                  failures.add(failure.toString());
                }
              }
            });
        if (i % 4 == 3) {
          LockSupport.parkNanos(10_000_000); // a few hundred words a second
        }
      }
      producer.flush();
    }

    /// Ends it, and says how often each word was sent.
    Map<String, Integer> counts() throws InterruptedException {
      ending = true;
      thread.join(LIMIT);
      synchronized (failures) {
        assertEquals(List.of(), failures);
      }
      Map<String, Integer> counts = new TreeMap<>();
      for (int word = 0; word < WORDS; word++) {
        counts.put("word-" + word, sent[word].get());
      }
      return counts;
    }

    @Override
    public void close() {
      ending = true;
      producer.close(Duration.ZERO);
    }
  }

  /// What a reader of committed counts has seen: of each word 1, 2, 3 and so on, in order.
  private static final class Counts implements AutoCloseable {
    private final Consumer<String, String> consumer;
    private final Map<String, Integer> last = new TreeMap<>();

    Counts(Broker broker) {
      consumer =
          new KafkaConsumer<>(
              broker.client(
                  Map.of(
                      "isolation.level", "read_committed",
                      "auto.offset.reset", "earliest",
                      "reconnect.backoff.max.ms", "200")),
              new StringDeserializer(),
              new StringDeserializer());
      consumer.assign(
          IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition("counts", p)).toList());
    }

    int read() {
      for (ConsumerRecord<String, String> each : consumer.poll(Duration.ofMillis(100))) {
        int count = last.merge(each.key(), 1, Integer::sum);
        assertEquals(
            Integer.toString(count),
            each.value(),
            () -> each + " counts a word anew or not at all");
      }
      return last.values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public void close() {
      consumer.close();
    }
  }

  private final List<Process> programs = new ArrayList<>();
  private final Path directory = Distribution.newDirectory("streams");

  private Process program(Broker broker) throws IOException {
    String number = Integer.toString(programs.size());
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dlogback.configurationFile="
                    + Path.of("src", "test", "resources", "logback-test.xml").toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                StreamsWordCount.class.getName(),
                broker.bootstrap(),
                "word-count",
                directory.resolve("state-" + number).toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(number + ".log").toFile())
            .start();
    programs.add(process);
    return process;
  }

  private String output(Broker broker) {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < programs.size(); i++) {
      try {
        String log = Files.readString(directory.resolve(i + ".log"));
        all.append("program ").append(i).append(", alive: ").append(programs.get(i).isAlive());
        all.append('\n').append(log, Math.max(0, log.length() - 4_000), log.length());
      } catch (IOException e) {
        all.append(e);
      }
    }
    return all + broker.output();
  }

  private void awaitCounts(Broker broker, Counts counts, int total) {
    int[] seen = new int[1];
    Await.until(
        LIMIT,
        () -> seen[0] + " of " + total + " counts\n" + output(broker),
        () -> {
          seen[0] = counts.read();
          return seen[0] >= total;
        });
  }

  @Test
  void eachWordIsCountedOnceOverKillsOfProgramsAndOfTheBroker() throws Exception {
    Random random = new Random(SEED);
    try (Broker broker = new Broker()) {
      broker.with("TAKHIN_KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS", "1000").start();
      broker.createTopic("words", PARTITIONS, Map.of());
      broker.createTopic("counts", PARTITIONS, Map.of());
      try (Words words = new Words(broker);
          Counts counts = new Counts(broker)) {
        Process first = program(broker);
        Process second = program(broker);
        awaitCounts(broker, counts, 300);
        for (int round = 0; round < ROUNDS; round++) {
          LockSupport.parkNanos(random.nextInt(200) * 1_000_000L);
          first.destroyForcibly().waitFor();
          first = second;
          second = program(broker);
          awaitCounts(broker, counts, counts.read() + 300);
          LockSupport.parkNanos(random.nextInt(200) * 1_000_000L);
          broker.kill();
          broker.start();
          awaitCounts(broker, counts, counts.read() + 300);
        }
        Map<String, Integer> sent = words.counts();
        int total = sent.values().stream().mapToInt(Integer::intValue).sum();
        awaitCounts(broker, counts, total);
        assertEquals(sent, counts.last);
        for (Process each : programs) {
          each.destroy(); // in order: commits what is open
          each.waitFor();
        }
        assertEquals(total, counts.read(), "more was counted than was sent");
        System.out.println(ROUNDS + " rounds of kills: " + total + " words counted once");
      } finally {
        programs.forEach(Process::destroyForcibly);
      }
    }
  }
}
