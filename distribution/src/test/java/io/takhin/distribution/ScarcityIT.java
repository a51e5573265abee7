package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.junit.jupiter.api.Test;

/// R13: a broker with little memory, few files or no more threads refuses what it cannot do, says
/// why, does not end, and goes on when it has them again.
class ScarcityIT {
  private static final int MEGABYTES = Integer.getInteger("takhin.faults.megabytes", 256);

  private static void create(Broker broker, String topic, int partitions) throws Exception {
    try (Admin admin = broker.admin()) {
      admin
          .createTopics(List.of(new NewTopic(topic, partitions, (short) 1)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }

  private static void healthy(Broker broker) {
    Await.until(
        Duration.ofSeconds(20),
        broker::output,
        () -> Broker.http(broker.healthPort(), "/health").body().contains("\"healthy\""));
    assertTrue(broker.isAlive(), broker::output);
    assertTrue(!broker.output().contains("OutOfMemoryError"), broker::output);
  }

  @Test
  void aSmallHeapAndLittleDirectMemoryAreEnoughForMuchTraffic() throws Exception {
    try (Broker broker =
        new Broker().with("TAKHIN_HEAP", "64m").with("TAKHIN_DIRECT_MEMORY", "64m").start()) {
      broker.createTopic("small", 1, Map.of());
      List<Producer<String, String>> producers = new ArrayList<>();
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      String megabyte = "x".repeat(1_000_000);
      try {
        for (int i = 0; i < 4; i++) {
          producers.add(Records.producer(broker, Map.of("buffer.memory", "16000000")));
        }
        for (int i = 0; i < MEGABYTES; i++) {
          sent.add(producers.get(i % 4).send(new ProducerRecord<>("small", 0, null, megabyte)));
        }
        for (Future<RecordMetadata> each : sent) {
          each.get(60, TimeUnit.SECONDS);
        }
      } finally {
        producers.forEach(Producer::close);
      }
      assertEquals(MEGABYTES, Records.count(broker, "small"));
      healthy(broker);
    }
  }

  /// 256 files for everything: the JVM, its jars, connections and segments.
  @Test
  void a256FilesAreNotExceededWithoutAWord() throws Exception {
    try (Broker broker =
        new Broker().limit("-n 256").with("TAKHIN_STORAGE_LOG_OPEN_FILES", "64").start()) {
      broker.createTopic("before", 1, Map.of());
      List<Socket> sockets = new ArrayList<>();
      try (Producer<String, String> producer = Records.producer(broker, Map.of())) {
        Records.send(producer, "before", "a");
        for (int i = 0; i < 300; i++) {
          sockets.add(new Socket(InetAddress.getByName("127.0.0.1"), broker.kafkaPort()));
        }
        Await.until(
            Duration.ofSeconds(20),
            () -> "nothing is said about it:\n" + broker.output(),
            () -> broker.output().contains("Too many open files"));
        Records.send(producer, "before", "b"); // who is connected is served
        close(sockets);
        Await.until(Duration.ofSeconds(30), broker::output, () -> answers(broker));
        Records.send(producer, "before", "c");
      } finally {
        close(sockets);
      }
      assertEquals(List.of("a", "b", "c"), Records.read(broker, "before"));
      create(broker, "after", 20);
      healthy(broker);
    }
  }

  private static boolean answers(Broker broker) throws Exception {
    try (Admin admin = broker.admin()) {
      return !admin.listTopics().names().get(5, TimeUnit.SECONDS).isEmpty();
    }
  }

  private static void close(List<Socket> sockets) throws IOException {
    for (Socket each : sockets) {
      each.close();
    }
    sockets.clear();
  }

  /// No file for a new partition: it is named and refused until there are some, and the others go
  /// on.
  @Test
  void aPartitionThatGetsNoFileIsRefusedByNameUntilThereAreSome() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("before", 1, Map.of());
      try (Producer<String, String> producer = Records.once(broker, "all")) {
        Records.send(producer, "before", "a");
        faults.set(Faults.rule("open", Faults.EMFILE, 0, 0, -1, broker.dataDirectory() + "/more"));
        create(broker, "more", 2);
        Records.send(producer, "before", "b");
        ExecutionException refused =
            assertThrows(ExecutionException.class, () -> Records.send(producer, "more", "no"));
        assertTrue(refused.getCause() instanceof KafkaStorageException, refused::toString);
        assertTrue(broker.output().contains("more-0"), broker::output);
        faults.heal();
        assertEquals(List.of("a", "b"), Records.read(broker, "before"));
        Await.until(
            Duration.ofSeconds(60),
            broker::output,
            () -> {
              Records.send(producer, "more", "c");
              return true;
            });
        assertEquals(List.of("c"), Records.read(broker, "more"));
      }
      healthy(broker);
    }
  }

  @Test
  void withoutNewThreadsWhatRunsGoesOn() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("threads", 1, Map.of());
      try (Producer<String, String> producer = Records.producer(broker, Map.of())) {
        Records.send(producer, "threads", "a");
        faults.set(Faults.rule("thread", Faults.EAGAIN, 0, 0, -1, "-"));
        for (int i = 0; i < 50; i++) {
          Records.send(producer, "threads", "b" + i);
        }
        try (Load load = new Load(broker, "threads", 1)) {
          load.awaitProgress(20); // new connections, a new group
        }
        try {
          create(broker, "more", 4);
        } catch (ExecutionException refused) {
          System.out.println("without threads a topic cannot be created: " + refused.getCause());
        }
        assertTrue(broker.isAlive(), broker::output);
        faults.heal();
        create(broker, "later", 4);
        Records.send(producer, "later", "c");
      }
      assertTrue(broker.isAlive(), broker::output);
      assertEquals(200, Broker.http(broker.healthPort(), "/health/ready").status());
    }
  }
}
