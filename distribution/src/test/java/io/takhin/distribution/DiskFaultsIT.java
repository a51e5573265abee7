package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// R6 to R8: a broker over a disk that is full, fails or is slow.
class DiskFaultsIT {
  /// Nothing but the system writes its pages.
  static final Map<String, String> UNFORCED =
      Map.of("flush.messages", "9223372036854775807", "flush.ms", "9223372036854775807");

  /// Its records alone: housekeeping writes indexes when it likes.
  private static final String FULL_LOG = "/full-0/00000000000000000000.log";

  private static final int CALLS = Integer.getInteger("takhin.faults.calls", 20);

  @Test
  void aFullDiskRefusesToProduceGoesOnReadingAndHeals() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("full", 1, Map.of());
      broker.createTopic("gone", 1, Map.of());
      broker.createTopic("full-forced", 1, Map.of("flush.messages", "1"));
      List<String> expected = new ArrayList<>();
      try (Producer<String, String> producer = Records.once(broker, "all");
          Producer<String, String> leader = Records.once(broker, "1")) {
        for (int k = 0; k < CALLS; k++) {
          Records.send(producer, "full", "before-" + k);
          expected.add("before-" + k);
          faults.set(Faults.rule("write", Faults.ENOSPC, 0, k % 4, -1, FULL_LOG));
          for (int spared = 0; spared < k % 4; spared++) {
            Records.send(producer, "full", "spared-" + k + "-" + spared);
            expected.add("spared-" + k + "-" + spared);
          }
          Records.fails(producer, "full", "refused-" + k);
          faults.heal();
        }
        faults.set(Faults.rule("write", Faults.ENOSPC, 0, 0, -1, FULL_LOG));
        Records.fails(producer, "full", "refused");
        assertEquals(expected, Records.read(broker, "full"));
        assertTrue(Broker.http(broker.healthPort(), "/health").body().contains("degraded"));
        faults.set(Faults.rule("write", Faults.ENOSPC, 0, 0, -1, "/full"));
        Records.fails(leader, "full-forced", "refused");
        Records.fails(leader, "full", "refused");
        try (var admin = broker.admin()) {
          admin.deleteTopics(List.of("gone")).all().get(20, TimeUnit.SECONDS);
        }
        faults.heal();
        Records.send(producer, "full", "after");
        expected.add("after");
        Records.send(leader, "full-forced", "after");
        assertEquals(expected, Records.read(broker, "full"));
        assertEquals(List.of("after"), Records.read(broker, "full-forced"));
        assertTrue(Broker.http(broker.healthPort(), "/health").body().contains("\"healthy\""));
      }
    }
  }

  /// R6: partitions that cannot be made, and those that a start cannot open, the one of a group's
  /// offsets too.
  @Test
  void partitionsThatFindNoRoomOpenWhenThereIsSomeWithoutARestart() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("before", 1, Map.of());
      try (Producer<String, String> producer = Records.once(broker, "all")) {
        Records.send(producer, "before", "a");
        commit(broker, 1);
        faults.set(
            Faults.rule("mkdir", Faults.ENOSPC, 0, 0, -1, "/made-"),
            Faults.rule("create", Faults.ENOSPC, 0, 0, -1, "/made-"));
        broker.createTopic("made", 3, Map.of());
        Records.fails(producer, "made", "refused");
        Records.send(producer, "before", "b");
        awaitHealth(broker, "made-0");
        faults.heal();
        awaitSent(broker, producer, "made", "b");
        awaitHealth(broker, "\"healthy\"");
        onceSaid(broker, "It is tried again", broker.dataDirectory().toString());
        onceSaid(broker, "there is room again", "3 partitions");
      }
      broker.kill();
      deleteIndexes(broker, "before-", "__consumer_offsets-"); // a start makes them anew
      faults.set(
          Faults.rule("create", Faults.ENOSPC, 0, 0, -1, "/before-"),
          Faults.rule("create", Faults.ENOSPC, 0, 0, -1, "/__consumer_offsets-"));
      broker.launch();
      awaitHealth(broker, "partitions are offline");
      try (Producer<String, String> producer = Records.once(broker, "all")) {
        Records.fails(producer, "before", "refused");
        Records.send(producer, "made", "c");
        faults.heal();
        awaitSent(broker, producer, "before", "c");
      }
      awaitHealth(broker, "\"healthy\"");
      assertEquals(List.of("a", "b", "c"), Records.read(broker, "before"));
      assertEquals(List.of("b", "c"), Records.read(broker, "made"));
      assertEquals(1, committed(broker));
      commit(broker, 3);
      assertEquals(Broker.STOPPED, broker.stop());
      broker.start();
      assertEquals(List.of("a", "b", "c"), Records.read(broker, "before"));
      assertEquals(3, committed(broker));
    }
  }

  private static void awaitHealth(Broker broker, String words) {
    Await.until(
        Duration.ofSeconds(60),
        () -> "health does not say " + words + "\n" + broker.output(),
        () -> Broker.http(broker.healthPort(), "/health").body().contains(words));
  }

  /// Those that are refused are not written.
  private static void awaitSent(
      Broker broker, Producer<String, String> producer, String topic, String value) {
    Await.until(
        Duration.ofSeconds(60),
        broker::output,
        () -> {
          Records.send(producer, topic, value);
          return true;
        });
  }

  private static void onceSaid(Broker broker, String words, String more) {
    List<String> said = broker.output().lines().filter(line -> line.contains(words)).toList();
    assertEquals(1, said.size(), said::toString);
    assertTrue(said.getFirst().contains(more), said::toString);
  }

  private static void deleteIndexes(Broker broker, String... topics) throws IOException {
    try (Stream<Path> all = Files.walk(broker.dataDirectory())) {
      for (Path file : all.filter(each -> each.toString().endsWith("index")).toList()) {
        String log = file.getParent().getFileName().toString();
        if (Stream.of(topics).anyMatch(log::startsWith)) {
          Files.delete(file);
        }
      }
    }
  }

  private static void commit(Broker broker, long offset) throws Exception {
    try (var admin = broker.admin()) {
      admin
          .alterConsumerGroupOffsets(
              "group", Map.of(new TopicPartition("before", 0), new OffsetAndMetadata(offset)))
          .all()
          .get(40, TimeUnit.SECONDS);
    }
  }

  private static long committed(Broker broker) throws Exception {
    try (var admin = broker.admin()) {
      return admin
          .listConsumerGroupOffsets("group")
          .partitionsToOffsetAndMetadata()
          .get(40, TimeUnit.SECONDS)
          .get(new TopicPartition("before", 0))
          .offset();
    }
  }

  /// R7: once, after which the disk works again and is not believed, and always.
  @ParameterizedTest
  @ValueSource(ints = {1, -1})
  void anFsyncThatFailsIsNeverFollowedByAnAcknowledgement(int times) throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("forced", 1, Map.of("flush.messages", "1"));
      broker.createTopic("timed", 1, Map.of());
      broker.createTopic("unforced", 1, UNFORCED);
      List<String> topics = List.of("forced", "timed", "unforced");
      try (Producer<String, String> producer = Records.once(broker, "all");
          Producer<String, String> leader = Records.once(broker, "1")) {
        for (String topic : topics) {
          Records.send(producer, topic, "a");
          Records.send(leader, topic, "b");
        }
        faults.set(Faults.rule("sync", Faults.EIO, 0, 0, times, "/forced-0/"));
        long begin = System.nanoTime();
        Records.fails(leader, "forced", "c");
        assertTrue(System.nanoTime() - begin < 10_000_000_000L, "told late");
        if (times > 0) {
          faults.heal();
        }
        Broker.Answer health = Broker.http(broker.healthPort(), "/health");
        assertTrue(health.body().contains("unhealthy"), health::body);
        assertTrue(health.body().contains(broker.dataDirectory().toString()), health::body);
        for (String topic : topics) { // the whole directory
          Records.fails(producer, topic, "d");
          Records.fails(leader, topic, "e");
        }
      }
      assertTrue(broker.isAlive(), broker::output);
      broker.kill();
      faults.heal();
      broker.start();
      for (String topic : topics) {
        List<String> found = Records.read(broker, topic);
        assertEquals(List.of("a", "b"), found.subList(0, 2));
        assertTrue(found.equals(List.of("a", "b")) || found.equals(List.of("a", "b", "c")));
        try (Producer<String, String> producer = Records.once(broker, "all")) {
          Records.send(producer, topic, "f");
        }
      }
    }
  }

  @Test
  void aSlowDiskSlowsItsOwnPartitionAlone() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.start();
      broker.createTopic("slow", 1, Map.of("flush.messages", "1"));
      broker.createTopic("quick", 1, Map.of());
      try (Producer<String, String> slow = Records.producer(broker, Map.of());
          Producer<String, String> quick = Records.producer(broker, Map.of())) {
        Records.send(slow, "slow", "first");
        Records.send(quick, "quick", "first");
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
          Records.send(quick, "quick", "q" + i);
        }
        assertTrue(!stalled.isDone(), "50 records elsewhere took as long as the stall");
        stalled.get(30, TimeUnit.SECONDS);
        faults.heal();
        assertEquals(sent + 1, Records.read(broker, "slow").size());
        assertEquals(51, Records.read(broker, "quick").size());
      }
    }
  }

  /// R8: an fsync that hangs for ten seconds holds back what waits for it, and no more memory than
  /// that: the broker has little.
  @Test
  void aStalledDiskHoldsBackTheProducersAndNotMuchMemory() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.with("TAKHIN_HEAP", "96m").with("TAKHIN_DIRECT_MEMORY", "96m").start();
      broker.createTopic("stalled", 1, Map.of("flush.messages", "1"));
      broker.createTopic("quick", 1, Map.of());
      List<Producer<String, String>> many = new ArrayList<>();
      List<Future<RecordMetadata>> pending = new ArrayList<>();
      try (Producer<String, String> quick = Records.producer(broker, Map.of())) {
        Records.send(quick, "stalled", "first");
        Records.send(quick, "quick", "first");
        faults.set(Faults.rule("sync", 0, 10_000, 0, 1, "/stalled-0/"));
        String large = "x".repeat(100_000);
        for (int i = 0; i < 8; i++) {
          Producer<String, String> each = Records.producer(broker, Map.of());
          many.add(each);
          for (int k = 0; k < 200; k++) { // 160 MB in all
            pending.add(each.send(new ProducerRecord<>("stalled", 0, null, large)));
          }
        }
        int acknowledged = 0;
        while (pending.stream().noneMatch(Future::isDone)) { // those before the stall may be
          Records.send(quick, "quick", "q" + acknowledged++);
        }
        assertTrue(acknowledged > 20, acknowledged + " elsewhere meanwhile");
        for (Future<RecordMetadata> each : pending) {
          each.get(60, TimeUnit.SECONDS);
        }
      } finally {
        many.forEach(Producer::close);
      }
      assertTrue(broker.isAlive(), broker::output);
      assertTrue(Broker.http(broker.healthPort(), "/health").body().contains("\"healthy\""));
      assertEquals(1601, Records.read(broker, "stalled").size());
    }
  }
}
