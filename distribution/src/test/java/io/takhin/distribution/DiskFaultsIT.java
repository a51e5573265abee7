package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/// R6 to R12: a broker over a disk that is full, fails, is slow or forgets, and under a clock that
/// jumps.
class DiskFaultsIT {
  private static Producer<String, String> producer(Broker broker, Map<String, Object> more) {
    Map<String, Object> settings = broker.client(Map.of("acks", "all", "linger.ms", "0"));
    settings.putAll(more);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  private static Producer<String, String> once(Broker broker) {
    return producer(broker, Map.of("retries", 0, "enable.idempotence", "false"));
  }

  private static void send(Producer<String, String> producer, String topic, String value)
      throws Exception {
    producer.send(new ProducerRecord<>(topic, 0, null, value)).get(40, TimeUnit.SECONDS);
  }

  private static void fails(Producer<String, String> producer, String topic, String value) {
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> send(producer, topic, value));
    assertInstanceOf(KafkaStorageException.class, failure.getCause());
  }

  private static List<String> read(Broker broker, String topic) {
    List<String> values = new ArrayList<>();
    try (Consumer<String, String> consumer =
        new KafkaConsumer<>(
            broker.client(Map.of("auto.offset.reset", "earliest")),
            new StringDeserializer(),
            new StringDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      Await.until(
          Duration.ofSeconds(30),
          () -> topic + ": " + values.size() + " of " + end,
          () -> {
            consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
            return consumer.position(partition) >= end;
          });
    }
    return values;
  }

  @Test
  void aFullDiskRefusesToProduceGoesOnReadingAndHeals() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("full", 1, Map.of());
      broker.createTopic("gone", 1, Map.of());
      List<String> expected = new ArrayList<>();
      try (Producer<String, String> producer = once(broker)) {
        for (int k = 0; k < 20; k++) {
          send(producer, "full", "before-" + k);
          expected.add("before-" + k);
          faults.set(Faults.rule("write", Faults.ENOSPC, 0, k % 4, -1, "/full-0/0"));
          for (int spared = 0; spared < k % 4; spared++) {
            send(producer, "full", "spared-" + k + "-" + spared);
            expected.add("spared-" + k + "-" + spared);
          }
          fails(producer, "full", "refused-" + k);
          faults.heal();
        }
        faults.set(Faults.rule("write", Faults.ENOSPC, 0, 0, -1, "/full-0/0"));
        fails(producer, "full", "refused");
        assertEquals(expected, read(broker, "full"));
        assertTrue(Broker.http(broker.healthPort(), "/health").body().contains("degraded"));
        try (var admin = broker.admin()) {
          admin.deleteTopics(List.of("gone")).all().get(20, TimeUnit.SECONDS);
        }
        faults.heal();
        send(producer, "full", "after");
        expected.add("after");
        assertEquals(expected, read(broker, "full"));
        assertTrue(Broker.http(broker.healthPort(), "/health").body().contains("\"healthy\""));
      }
    }
  }

  @Test
  void anFsyncThatFailsOnceIsNeverFollowedByAnAcknowledgement() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("forced", 1, Map.of("flush.messages", "1"));
      try (Producer<String, String> producer = once(broker)) {
        send(producer, "forced", "a");
        faults.set(Faults.rule("sync", Faults.EIO, 0, 0, 1, "/forced-0/"));
        long begin = System.nanoTime();
        fails(producer, "forced", "b");
        assertTrue(System.nanoTime() - begin < 10_000_000_000L, "told late");
        faults.heal();
        fails(producer, "forced", "c"); // the disk works again, and is not believed
        Broker.Answer health = Broker.http(broker.healthPort(), "/health");
        assertTrue(health.body().contains("unhealthy"), health::body);
        assertTrue(health.body().contains(broker.dataDirectory().toString()), health::body);
        fails(producer, "forced", "d");
      }
      broker.kill();
      broker.start();
      List<String> found = read(broker, "forced");
      assertEquals("a", found.getFirst());
      assertTrue(!found.contains("c") && !found.contains("d"), found::toString);
    }
  }

  @Test
  void aSlowDiskSlowsItsOwnPartitionAlone() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("slow", 1, Map.of("flush.messages", "1"));
      broker.createTopic("quick", 1, Map.of());
      try (Producer<String, String> slow = producer(broker, Map.of());
          Producer<String, String> quick = producer(broker, Map.of())) {
        send(slow, "slow", "first");
        send(quick, "quick", "first");
        int sent = 1;
        for (int delayMs : new int[] {50, 200, 2000}) {
          faults.set(Faults.rule("sync", 0, delayMs, 0, -1, "/slow-0/"));
          long begin = System.nanoTime();
          var pending = slow.send(new ProducerRecord<>("slow", 0, null, "s" + delayMs));
          slow.flush();
          pending.get(30, TimeUnit.SECONDS);
          assertTrue(System.nanoTime() - begin >= delayMs * 1_000_000L, "acknowledged too early");
          sent++;
        }
        var stalled = slow.send(new ProducerRecord<>("slow", 0, null, "stalled"));
        for (int i = 0; i < 50; i++) {
          send(quick, "quick", "q" + i);
        }
        assertTrue(!stalled.isDone(), "50 records elsewhere took as long as the stall");
        stalled.get(30, TimeUnit.SECONDS);
        faults.heal();
        assertEquals(sent + 1, read(broker, "slow").size());
        assertEquals(51, read(broker, "quick").size());
      }
    }
  }

  @Test
  void aPowerCutTakesNothingThatWasForcedBeforeItsAcknowledgement() throws Exception {
    Random random = new Random(Long.getLong("takhin.faults.seed", 1L));
    int rounds = Integer.getInteger("takhin.faults.cuts", 2);
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, true);
      broker.with("TAKHIN_STORAGE_LOG_FLUSH_MESSAGES", "1").start();
      broker.createTopic("forced", 2, Map.of("segment.bytes", "1048576"));
      try (Load load = new Load(broker, "forced", 2)) {
        for (int round = 0; round < rounds; round++) {
          load.awaitProgress(100);
          broker.kill();
          long commits = load.committed();
          faults.cutPower(random, round % 2 == 0 ? 0 : 0.5);
          broker.start();
          load.check(commits);
        }
        load.finish();
      }
    }
  }

  @Test
  void clockJumpsAndPausesDisturbNeitherSessionsNorRetention() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.with("TAKHIN_STORAGE_LOG_CLEANUP_INTERVAL_MS", "1000").start();
      broker.createTopic("kept", 1, Map.of("retention.ms", "3600000"));
      try (Load load = new Load(broker, "kept", 1)) {
        load.awaitProgress(100);
        for (long jumpMs : new long[] {3_600_000L, -3_600_000L, 315_360_000_000L, 500, 0}) {
          faults.clock(jumpMs);
          load.awaitProgress(50);
        }
        faults.clock(315_360_000_000L);
        Await.until(
            Duration.ofSeconds(20),
            () -> "no warning of the clock\n" + broker.output(),
            () -> broker.output().contains("ahead of what passed"));
        load.awaitProgress(50);
        load.check(load.committed());
        for (int pauseMs : new int[] {1000, 4000}) {
          Command.run("kill", "-STOP", Long.toString(broker.pid())).succeeded();
          Thread.sleep(pauseMs); // the length of the pause is what is tested
          Command.run("kill", "-CONT", Long.toString(broker.pid())).succeeded();
          load.awaitProgress(50);
        }
        load.finish();
      }
    }
  }

  @Test
  void aSmallHeapAndFewFilesDegradeWithErrorsAndRecover() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker
          .with("TAKHIN_HEAP", "64m")
          .with("TAKHIN_JVM_OPTS", "-XX:MaxDirectMemorySize=64m")
          .start();
      broker.createTopic("small", 1, Map.of());
      try (Producer<String, String> producer = once(broker)) {
        String megabyte = "x".repeat(900_000);
        for (int i = 0; i < 60; i++) {
          send(producer, "small", megabyte);
        }
        faults.set(Faults.rule("open", Faults.EMFILE, 0, 0, -1, broker.dataDirectory() + "/more"));
        try (var admin = broker.admin()) {
          admin
              .createTopics(
                  List.of(new org.apache.kafka.clients.admin.NewTopic("more", 2, (short) 1)))
              .all()
              .get(20, TimeUnit.SECONDS);
        }
        send(producer, "small", "meanwhile");
        faults.heal();
        assertTrue(broker.isAlive(), broker::output);
        assertEquals(61, read(broker, "small").size());
      }
    }
  }
}
