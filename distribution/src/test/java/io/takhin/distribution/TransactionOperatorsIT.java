package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Transactions as operators see and mend them: lists with filters, descriptions, metrics, a
/// transaction that hangs because its coordinator forgot it, ids that expire.
class TransactionOperatorsIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static Broker broker;

  @BeforeAll
  static void start() {
    broker = Broker.started();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static Producer<String, String> producer(String id) {
    return producer(broker, id);
  }

  private static Producer<String, String> producer(Broker of, String id) {
    Producer<String, String> producer =
        new KafkaProducer<>(
            of.client(
                Map.of(
                    "transactional.id", id,
                    "transaction.timeout.ms", "600000",
                    "max.block.ms", "30000",
                    "linger.ms", "0")),
            new StringSerializer(),
            new StringSerializer());
    producer.initTransactions();
    return producer;
  }

  private static double metric(String line) throws IOException {
    String page = Broker.http(broker.metricsPort(), "/metrics").body();
    return page.lines()
        .filter(each -> each.startsWith(line + " "))
        .map(each -> Double.parseDouble(each.substring(each.lastIndexOf(' '))))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + line + " in\n" + page));
  }

  private static Set<String> listed(Admin admin, ListTransactionsOptions options) throws Exception {
    return admin.listTransactions(options).all().get(20, TimeUnit.SECONDS).stream()
        .map(TransactionListing::transactionalId)
        .collect(Collectors.toSet());
  }

  @Test
  void openTransactionsAreListedDescribedAndCounted() throws Exception {
    broker.createTopic("seen", 2, Map.of());
    TopicPartition partition = new TopicPartition("seen", 1);
    double fenced = metric("takhin_transactions_fenced_total");
    double refused = metric("takhin_transaction_requests_fenced_total");
    double aborted = metric("takhin_transactions_decided_total{outcome=\"abort\"}");
    double committed = metric("takhin_transactions_decided_total{outcome=\"commit\"}");
    try (Admin admin = broker.admin();
        Producer<String, String> open = producer("seen-open");
        Producer<String, String> done = producer("seen-done")) {
      done.beginTransaction();
      done.send(new ProducerRecord<>("seen", 0, "k", "v"));
      done.commitTransaction();
      open.beginTransaction();
      open.send(new ProducerRecord<>("seen", 1, "k", "v"));
      open.flush();

      TransactionDescription description =
          admin.describeTransactions(List.of("seen-open")).description("seen-open").get();
      assertEquals(TransactionState.ONGOING, description.state());
      assertEquals(Set.of(partition), description.topicPartitions());
      assertEquals(600_000, description.transactionTimeoutMs());
      ProducerState state =
          admin
              .describeProducers(List.of(partition))
              .partitionResult(partition)
              .get()
              .activeProducers()
              .getFirst();
      assertEquals(description.producerId(), state.producerId());
      assertEquals(description.producerEpoch(), state.producerEpoch());
      assertEquals(0, state.currentTransactionStartOffset().orElse(-1));

      var states = new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING));
      assertEquals(Set.of("seen-open"), listed(admin, states));
      var ids = new ListTransactionsOptions().filterProducerIds(Set.of(description.producerId()));
      assertEquals(Set.of("seen-open"), listed(admin, ids));
      var pattern = new ListTransactionsOptions().filterOnTransactionalIdPattern("seen-d.*");
      assertEquals(Set.of("seen-done"), listed(admin, pattern));
      var longer = new ListTransactionsOptions().filterOnDuration(3_600_000);
      assertEquals(Set.of(), listed(admin, longer));
      Await.until(
          LIMIT,
          () -> "no transaction is longer open than 100 ms",
          () ->
              listed(admin, new ListTransactionsOptions().filterOnDuration(100))
                  .equals(Set.of("seen-open")));

      assertEquals(1, metric("takhin_transactions_open"));
      assertEquals(1, metric("takhin_transactions{state=\"Ongoing\"}"));
      assertTrue(metric("takhin_transaction_oldest_open_seconds") >= 0.1);
      assertEquals(committed + 1, metric("takhin_transactions_decided_total{outcome=\"commit\"}"));

      try (Producer<String, String> successor = producer("seen-open")) {
        assertThrows(ProducerFencedException.class, open::commitTransaction);
        assertEquals(fenced + 1, metric("takhin_transactions_fenced_total"));
        assertTrue(metric("takhin_transaction_requests_fenced_total") > refused);
        assertEquals(aborted + 1, metric("takhin_transactions_decided_total{outcome=\"abort\"}"));
        Await.until(LIMIT, () -> "still open", () -> metric("takhin_transactions_open") == 0);
        assertEquals(0, metric("takhin_transaction_oldest_open_seconds"));
        successor.beginTransaction();
        successor.abortTransaction();
      }
    }
  }

  /// The log of the coordinator is lost, as an operator can lose it, and with it all knowledge of a
  /// transaction that is open in a partition: nobody will end it but the tool.
  @Test
  void aTransactionThatItsCoordinatorForgotIsFoundAndAborted() throws Exception {
    broker.createTopic("forgotten", 1, Map.of());
    long anHourAgo = System.currentTimeMillis() - 3_600_000;
    try (Producer<String, String> lost = producer("forgotten")) {
      lost.beginTransaction();
      lost.send(new ProducerRecord<>("forgotten", 0, anHourAgo, "k", "never seen"));
      lost.flush();
      broker.kill();
      try (Stream<Path> files = Files.walk(broker.dataDirectory())) {
        List<Path> state =
            files.filter(each -> each.toString().contains("__transaction_state-")).toList();
        for (Path each : state.reversed()) {
          Files.delete(each);
        }
      }
      broker.start();
      lost.close(Duration.ZERO);
    }
    try (Producer<String, String> other = producer("after")) {
      other.beginTransaction();
      other.send(new ProducerRecord<>("forgotten", 0, "k", "held up"));
      other.commitTransaction();
    }
    KafkaTools tools = new KafkaTools(broker);
    try (Consumer<String, String> consumer =
        new KafkaConsumer<>(
            broker.client(Map.of("isolation.level", "read_committed")),
            new StringDeserializer(),
            new StringDeserializer())) {
      TopicPartition partition = new TopicPartition("forgotten", 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      assertEquals(0, consumer.endOffsets(List.of(partition)).get(partition));
      // The tool adds five minutes to the longest timeout that it is told.
      String found =
          tools
              .transactions("find-hanging", "--broker-id", "1", "--max-transaction-timeout", "1")
              .succeeded()
              .out();
      assertEquals(2, found.lines().count(), found);
      assertTrue(found.lines().toList().getLast().startsWith("forgotten"), found);
      tools
          .transactions("abort", "--topic", "forgotten", "--partition", "0", "--start-offset", "0")
          .succeeded();
      List<String> values = new ArrayList<>();
      Await.until(
          LIMIT,
          () -> "the reader is still held up\n" + broker.output(),
          () -> {
            consumer.poll(Duration.ofMillis(100)).forEach(each -> values.add(each.value()));
            return !values.isEmpty();
          });
      assertEquals(List.of("held up"), values);
    }
    String after =
        tools
            .transactions("find-hanging", "--broker-id", "1", "--max-transaction-timeout", "1")
            .succeeded()
            .out();
    assertEquals(1, after.lines().count(), after);
  }

  /// C7: an id that nobody used for long is forgotten; who comes back late has to begin anew.
  @Test
  void anIdExpiresAndItsProducerIsTold() throws Exception {
    Broker own = new Broker();
    own.with("TAKHIN_KAFKA_TRANSACTIONAL_ID_EXPIRATION_MS", "3000")
        .with("TAKHIN_KAFKA_TRANSACTION_REMOVE_EXPIRED_TRANSACTION_CLEANUP_INTERVAL_MS", "200");
    try (own) {
      own.start();
      own.createTopic("expiring", 1, Map.of());
      expire(own);
    }
  }

  private static void expire(Broker own) throws Exception {
    try (Admin admin = own.admin();
        Producer<String, String> late = producer(own, "expiring")) {
      late.beginTransaction();
      late.send(new ProducerRecord<>("expiring", 0, "k", "v"));
      late.commitTransaction();
      var pattern = new ListTransactionsOptions().filterOnTransactionalIdPattern("expiring");
      Await.until(
          LIMIT, () -> "the id stays\n" + own.output(), () -> listed(admin, pattern).isEmpty());
      late.beginTransaction();
      assertThrows(
          KafkaException.class,
          () -> {
            late.send(new ProducerRecord<>("expiring", 0, "k", "too late"));
            late.commitTransaction();
          });
      try (Producer<String, String> anew = producer(own, "expiring")) {
        anew.beginTransaction();
        anew.send(new ProducerRecord<>("expiring", 0, "k", "v"));
        anew.commitTransaction();
      }
    }
  }
}
