package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.Producer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// R9: the power goes, and with it what was not synced: the table in `docs/durability.md`, row by
/// row.
class PowerCutIT {
  private static final long SEED = Long.getLong("takhin.faults.seed", 1L);
  private static final int CUTS = Integer.getInteger("takhin.faults.cuts", 2);

  /// `flush.ms` of the timed topic, and how often the broker looks whether that has passed.
  private static final long FLUSH_MS = 300;

  private static final long LOOK_MS = 200;

  /// What a loaded machine may add to that: the flush itself, and the tests' own clock.
  private static final long SLACK_MS = 1000;

  private record Acknowledged(String value, long atNanos) {}

  @Test
  void aPowerCutTakesNothingThatWasForcedBeforeItsAcknowledgement() throws Exception {
    Random random = new Random(SEED);
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, true);
      broker.with("TAKHIN_STORAGE_LOG_FLUSH_MESSAGES", "1").start();
      broker.createTopic("forced", 2, Map.of("segment.bytes", "1048576"));
      broker.createTopic("cached", 2, DiskFaultsIT.UNFORCED);
      try (Load load = new Load(broker, "forced", 2);
          Producer<String, String> beside = Records.producer(broker, Map.of())) {
        int undone = 0;
        for (int round = 0; round < CUTS; round++) {
          load.awaitProgress(100);
          Records.send(beside, "cached", "taken back " + round);
          broker.kill();
          long commits = load.committed();
          undone += faults.cutPower(random, round % 2 == 0 ? 0 : 0.5);
          broker.start();
          load.check(commits);
        }
        load.finish();
        assertTrue(undone > 0, "the power cuts took nothing back");
        System.out.println(CUTS + " power cuts took back " + undone + " writes");
      }
    }
  }

  /// Each setting with each acks, after the end of the process alone and after a power cut of which
  /// no unsynced write or half of them reached the disk.
  @ParameterizedTest
  @CsvSource({"false, 1", "true, 0", "true, 0.5"})
  void whatIsAcknowledgedSurvivesAsTheTableSays(boolean powerCut, double kept) throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, true);
      broker.with("TAKHIN_STORAGE_LOG_FLUSH_INTERVAL_MS", Long.toString(LOOK_MS)).start();
      Map<String, Map<String, String>> settings = new TreeMap<>();
      for (String acks : List.of("all", "1")) {
        settings.put("forced-" + acks, Map.of("flush.messages", "1"));
        settings.put("timed-" + acks, Map.of("flush.ms", Long.toString(FLUSH_MS)));
        settings.put("unforced-" + acks, DiskFaultsIT.UNFORCED);
      }
      settings.forEach((topic, configs) -> broker.createTopic(topic, 1, configs));
      Map<String, List<Acknowledged>> acknowledged = new TreeMap<>();
      settings.keySet().forEach(topic -> acknowledged.put(topic, new ArrayList<>()));
      long begin = System.nanoTime();
      long windowNanos = (FLUSH_MS + LOOK_MS + SLACK_MS) * 1_000_000L;
      try (Producer<String, String> all = Records.producer(broker, Map.of());
          Producer<String, String> leader =
              Records.producer(broker, Map.of("acks", "1", "enable.idempotence", "false"))) {
        for (int i = 0; i < 40 || System.nanoTime() - begin < windowNanos * 3 / 2; i++) {
          for (String topic : settings.keySet()) {
            String value = topic + "-" + i;
            Records.send(topic.endsWith("-1") ? leader : all, topic, value);
            acknowledged.get(topic).add(new Acknowledged(value, System.nanoTime()));
          }
        }
        broker.createTopic("last", 1, Map.of());
        broker.kill();
      }
      long end = System.nanoTime();
      if (powerCut) {
        int undone = faults.cutPower(new Random(SEED), kept);
        assertTrue(undone > 0, "the power cut took nothing back");
      }
      broker.start();
      for (Map.Entry<String, List<Acknowledged>> each : acknowledged.entrySet()) {
        String topic = each.getKey();
        List<String> told = each.getValue().stream().map(Acknowledged::value).toList();
        List<String> found = Records.read(broker, topic);
        assertTrue(
            found.size() <= told.size() && found.equals(told.subList(0, found.size())),
            () -> topic + " is not a prefix: " + found);
        long promised =
            each.getValue().stream()
                .filter(
                    record ->
                        !powerCut
                            || topic.startsWith("forced")
                            || (topic.startsWith("timed") && end - record.atNanos() > windowNanos))
                .count();
        assertTrue(
            found.size() >= promised,
            () -> topic + ": " + found.size() + " of " + told.size() + ", promised " + promised);
        if (powerCut && kept == 0 && topic.startsWith("unforced")) {
          assertEquals(List.of(), found, "nothing had forced it");
        }
      }
      assertEquals(List.of(), Records.read(broker, "last")); // metadata is forced
    }
  }
}
