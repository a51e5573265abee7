package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The programs of docs/transactions.md, run: each client bills orders in transactions, aborts
/// some of it, and every client reads of the others what was committed, once.
///
/// A client that is not installed is left out; `TEST_TOOLS`, which `scripts/test.sh` sets, makes a
/// missing client a failure.
class TransactionalClientsIT {
  private static final int ORDERS = 50;
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Map<String, Client> CLIENTS = new LinkedHashMap<>();
  private static Broker broker;

  /// A client of some language.
  interface Client {
    /// Bills so many orders in transactions.
    void bill(String orders, String invoices, int count);

    /// Committed values from the beginning, sorted.
    List<String> read(String topic, int count);
  }

  @BeforeAll
  static void start() {
    broker = Broker.started();
    CLIENTS.put("java", new JavaClient());
    String tools = System.getenv("TEST_TOOLS");
    if (Command.run("/usr/bin/python3", "-c", "import confluent_kafka").code() == 0) {
      CLIENTS.put(
          "python", new ScriptClient(List.of("/usr/bin/python3"), "transactions.py", Path.of("")));
    }
    if (tools != null && Files.isDirectory(Path.of(tools, "kafkajs", "node_modules", "kafkajs"))) {
      CLIENTS.put(
          "kafkajs",
          new ScriptClient(List.of("node"), "transactions.js", Path.of(tools, "kafkajs")));
    }
    if (tools != null) {
      assertEquals(List.of("java", "python", "kafkajs"), List.copyOf(CLIENTS.keySet()));
    }
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  @Test
  void whatOneClientCommitsTheOthersReadOnce() throws Exception {
    Map<String, List<String>> expected = new LinkedHashMap<>();
    for (Map.Entry<String, Client> each : CLIENTS.entrySet()) {
      String orders = "orders-" + each.getKey();
      String invoices = "invoices-" + each.getKey();
      broker.createTopic(orders, 2, Map.of());
      broker.createTopic(invoices, 2, Map.of());
      List<String> bills = new ArrayList<>();
      try (Producer<String, String> producer =
          new KafkaProducer<>(
              broker.client(Map.of()), new StringSerializer(), new StringSerializer())) {
        for (int i = 0; i < ORDERS; i++) {
          String order = i == 30 ? "fails" : "order " + i;
          producer.send(new ProducerRecord<>(orders, i % 2, "k" + i, order));
          bills.add("bill for " + order);
        }
      }
      each.getValue().bill(orders, invoices, ORDERS);
      bills.sort(null);
      expected.put(invoices, bills);
      assertEquals(ORDERS, committed("billing-" + each.getKey(), orders), orders);
      assertTrue(uncommitted(invoices) > ORDERS, () -> invoices + " has nothing that was aborted");
    }
    expected.forEach(
        (invoices, bills) ->
            CLIENTS.forEach(
                (name, client) ->
                    assertEquals(
                        bills,
                        client.read(invoices, ORDERS),
                        () -> name + " reads " + invoices + "\n" + broker.output())));
  }

  /// Sum of what a group has committed.
  private static long committed(String group, String topic) throws Exception {
    try (Admin admin = broker.admin()) {
      return admin
          .listConsumerGroupOffsets(group)
          .partitionsToOffsetAndMetadata()
          .get(20, TimeUnit.SECONDS)
          .entrySet()
          .stream()
          .filter(each -> each.getKey().topic().equals(topic))
          .mapToLong(each -> each.getValue().offset())
          .sum();
    }
  }

  private static int uncommitted(String topic) {
    return JavaClient.read(topic, "read_uncommitted", ORDERS + 1).size();
  }

  /// The samples in the documents are what these programs run.
  @Test
  void theDocumentsShowWhatWasRun() throws Exception {
    String page = Files.readString(Distribution.repository().resolve("docs/transactions.md"));
    for (String file :
        List.of(
            "src/test/clients/transactions.py",
            "src/test/clients/transactions.js",
            "src/test/java/io/takhin/distribution/TransactionalClientsIT.java")) {
      String sample = sample(Path.of(file));
      assertTrue(page.contains(sample), () -> file + " has, and the page has not:\n" + sample);
    }
  }

  /// What stands between the two marks, moved to the left margin.
  private static String sample(Path file) {
    try {
      List<String> lines = Files.readAllLines(file);
      int from = 0;
      while (!lines.get(from).strip().endsWith("begin sample")) {
        from++;
      }
      int to = from;
      while (!lines.get(to).strip().endsWith("end sample")) {
        to++;
      }
      return String.join("\n", lines.subList(from + 1, to)).stripTrailing().stripIndent();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The Java client of Apache Kafka.
  private static final class JavaClient implements Client {
    private boolean failed;

    private String bill(String order) {
      if (order.equals("fails") && !failed) {
        failed = true;
        throw new IllegalArgumentException("an order that cannot be billed at first");
      }
      return "bill for " + order;
    }

    @Override
    public void bill(String orders, String invoices, int count) {
      try (Producer<String, String> producer =
              new KafkaProducer<>(
                  broker.client(Map.of("transactional.id", "billing-java", "linger.ms", "0")),
                  new StringSerializer(),
                  new StringSerializer());
          Consumer<String, String> consumer =
              new KafkaConsumer<>(
                  broker.client(
                      Map.of(
                          "group.id", "billing-java",
                          "auto.offset.reset", "earliest",
                          "enable.auto.commit", "false",
                          "max.poll.records", "7")),
                  new StringDeserializer(),
                  new StringDeserializer())) {
        consumer.subscribe(List.of(orders));
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(invoices, "never"));
        producer.flush(); // so that there is something to abort
        producer.abortTransaction();
        int[] billed = new int[1];
        Await.until(
            LIMIT,
            () -> billed[0] + " billed\n" + broker.output(),
            () -> {
              var batch = consumer.poll(Duration.ofMillis(200));
              billed[0] += batch.isEmpty() ? 0 : billAll(producer, consumer, invoices, batch);
              return billed[0] >= count;
            });
      }
    }

    // begin sample
    int billAll(
        Producer<String, String> producer,
        Consumer<String, String> consumer,
        String invoices,
        ConsumerRecords<String, String> batch) {
      producer.beginTransaction();
      try {
        for (ConsumerRecord<String, String> order : batch) {
          producer.send(new ProducerRecord<>(invoices, order.key(), bill(order.value())));
        }
        producer.sendOffsetsToTransaction(batch.nextOffsets(), consumer.groupMetadata());
        producer.commitTransaction();
        return batch.count();
      } catch (ProducerFencedException | InvalidProducerEpochException e) {
        throw e; // another instance has this transactional id now
      } catch (RuntimeException e) {
        producer.abortTransaction();
        Map<TopicPartition, OffsetAndMetadata> committed =
            consumer.committed(consumer.assignment());
        for (TopicPartition partition : consumer.assignment()) { // read them again
          OffsetAndMetadata offset = committed.get(partition);
          consumer.seek(partition, offset == null ? 0 : offset.offset());
        }
        return 0;
      }
    }

    // end sample

    @Override
    public List<String> read(String topic, int count) {
      return read(topic, "read_committed", count);
    }

    static List<String> read(String topic, String isolation, int count) {
      List<String> values = new ArrayList<>();
      Map<String, Object> more = new HashMap<>();
      more.put("group.id", "java-" + UUID.randomUUID());
      more.put("auto.offset.reset", "earliest");
      more.put("isolation.level", isolation);
      try (Consumer<String, String> consumer =
          new KafkaConsumer<>(
              broker.client(more), new StringDeserializer(), new StringDeserializer())) {
        consumer.subscribe(List.of(topic));
        Await.until(
            LIMIT,
            () -> "java read " + values.size() + " of " + count + "\n" + broker.output(),
            () -> {
              consumer.poll(Duration.ofMillis(200)).forEach(each -> values.add(each.value()));
              return values.size() >= count;
            });
      } catch (KafkaException e) {
        throw new AssertionError(broker.output(), e);
      }
      values.sort(null);
      return values;
    }
  }

  /// A client in a script: its head says what it does.
  private static final class ScriptClient implements Client {
    private final List<String> interpreter;
    private final Path script;
    private final Path directory;

    ScriptClient(List<String> interpreter, String script, Path directory) {
      this.interpreter = interpreter;
      this.script = Path.of("src", "test", "clients", script).toAbsolutePath();
      this.directory = directory.toAbsolutePath();
    }

    private Command run(String... args) {
      List<String> all = new ArrayList<>(interpreter);
      all.add(script.toString());
      all.addAll(List.of(args));
      Map<String, String> environment =
          Map.of("NODE_PATH", directory.resolve("node_modules").toString());
      return Command.run(null, environment, "", all).succeeded();
    }

    @Override
    public void bill(String orders, String invoices, int count) {
      run("bill", broker.bootstrap(), "id-" + orders, orders, invoices, Integer.toString(count));
    }

    @Override
    public List<String> read(String topic, int count) {
      Stream<String> lines =
          run("read", broker.bootstrap(), topic, Integer.toString(count)).out().lines();
      return lines.sorted().toList();
    }
  }
}
