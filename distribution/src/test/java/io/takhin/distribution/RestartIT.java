package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A broker that ends in the middle, politely or not, and finds everything again.
class RestartIT {
  private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};

  private static Producer<String, String> producer(Broker broker, String codec) {
    return new KafkaProducer<>(
        broker.client(
            Map.of(
                "compression.type",
                codec,
                "linger.ms",
                "5",
                "acks",
                "all",
                "enable.idempotence",
                "true",
                "reconnect.backoff.max.ms",
                "200",
                "delivery.timeout.ms",
                "120000")),
        new StringSerializer(),
        new StringSerializer());
  }

  private static List<String> readAll(Broker broker, String topic, int partitions, int count) {
    List<String> values = new ArrayList<>();
    try (Consumer<String, String> consumer =
        new KafkaConsumer<>(
            broker.client(Map.of("auto.offset.reset", "earliest")),
            new StringDeserializer(),
            new StringDeserializer())) {
      List<TopicPartition> all =
          IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).toList();
      consumer.assign(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      Await.until(
          Duration.ofSeconds(30),
          () -> topic + ": " + values.size() + " records, expected " + count,
          () -> {
            consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
            return all.stream().allMatch(p -> consumer.position(p) >= ends.get(p));
          });
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everythingIsFoundAgain(boolean polite) throws Exception {
    try (Broker broker = Broker.started()) {
      Map<String, Uuid> ids = new HashMap<>();
      for (String codec : CODECS) {
        broker.createTopic("t-" + codec, 2, Map.of("retention.ms", "86400000"));
        try (Producer<String, String> producer = producer(broker, codec)) {
          for (int i = 0; i < 500; i++) {
            producer.send(new ProducerRecord<>("t-" + codec, i % 2, "k" + i, codec + "-" + i));
          }
        }
      }
      try (Admin admin = broker.admin()) {
        for (Map.Entry<String, TopicDescription> topic : describe(admin).entrySet()) {
          ids.put(topic.getKey(), topic.getValue().topicId());
        }
        admin
            .alterConsumerGroupOffsets(
                "kept",
                Map.of(new TopicPartition("t-gzip", 1), new OffsetAndMetadata(77, "metadata")))
            .all()
            .get(20, TimeUnit.SECONDS);
      }

      if (polite) {
        assertEquals(Broker.STOPPED, broker.stop(), broker::output);
      } else {
        broker.kill();
      }
      everyLogIsReadByKafkasDumpTool(broker.dataDirectory());
      broker.start();

      try (Admin admin = broker.admin()) {
        for (Map.Entry<String, TopicDescription> topic : describe(admin).entrySet()) {
          assertEquals(ids.get(topic.getKey()), topic.getValue().topicId(), topic.getKey());
        }
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, "t-zstd");
        assertEquals(
            "86400000",
            admin
                .describeConfigs(List.of(resource))
                .all()
                .get(20, TimeUnit.SECONDS)
                .get(resource)
                .get("retention.ms")
                .value());
        OffsetAndMetadata offset =
            admin
                .listConsumerGroupOffsets("kept")
                .partitionsToOffsetAndMetadata()
                .get(20, TimeUnit.SECONDS)
                .get(new TopicPartition("t-gzip", 1));
        assertEquals(new OffsetAndMetadata(77, "metadata"), offset);
      }
      for (String codec : CODECS) {
        Set<String> expected = new TreeSet<>();
        IntStream.range(0, 500).forEach(i -> expected.add(codec + "-" + i));
        List<String> found = readAll(broker, "t-" + codec, 2, 500);
        assertEquals(500, found.size());
        assertEquals(expected, new TreeSet<>(found));
      }
      try (Producer<String, String> producer = producer(broker, "zstd")) {
        producer.send(new ProducerRecord<>("t-zstd", 0, "k", "after")).get(20, TimeUnit.SECONDS);
      }
      assertEquals(501, readAll(broker, "t-zstd", 2, 501).size());
    }
  }

  private static Map<String, TopicDescription> describe(Admin admin) throws Exception {
    Set<String> topics = new TreeSet<>();
    for (String codec : CODECS) {
      topics.add("t-" + codec);
    }
    return admin.describeTopics(topics).allTopicNames().get(20, TimeUnit.SECONDS);
  }

  private static void everyLogIsReadByKafkasDumpTool(Path dataDirectory) throws IOException {
    List<String> logs;
    try (Stream<Path> files = Files.walk(dataDirectory)) {
      logs =
          files
              .filter(file -> file.getFileName().toString().matches("[0-9]{20}\\.log"))
              .filter(file -> file.toFile().length() > 0)
              .map(Path::toString)
              .sorted()
              .toList();
    }
    assertTrue(logs.stream().anyMatch(log -> log.contains("__consumer_offsets-")), logs::toString);
    for (String codec : CODECS) {
      assertTrue(logs.stream().anyMatch(log -> log.contains("t-" + codec + "-1")), logs::toString);
    }
    Command dump =
        KafkaTools.dumpLog(
                "--deep-iteration", "--print-data-log", "--files", String.join(",", logs))
            .succeeded();
    assertFalse(dump.all().contains("isvalid: false"), dump::all);
    assertFalse(dump.all().contains("xception"), dump::all);
    assertTrue(dump.out().contains("payload: zstd-499"), "zstd-499 is missing");
    assertTrue(dump.out().contains("compresscodec: lz4"), "no batch is compressed by lz4");
    List<String> indexes;
    try (Stream<Path> files = Files.walk(dataDirectory)) {
      indexes =
          files
              .map(Path::toString)
              .filter(file -> file.endsWith(".index") || file.endsWith(".timeindex"))
              .filter(file -> new File(file).length() > 0)
              .toList();
    }
    if (!indexes.isEmpty()) {
      Command sane =
          KafkaTools.dumpLog("--index-sanity-check", "--files", String.join(",", indexes))
              .succeeded();
      assertFalse(sane.all().contains("xception"), sane::all);
    }
  }

  @Test
  void whatWasAcknowledgedSurvivesAKillInTheMiddleOfProducingAndComesOnce() throws Exception {
    try (Broker broker = Broker.started()) {
      broker.createTopic("killed", 3, Map.of());
      Set<String> acknowledged = new ConcurrentSkipListSet<>();
      AtomicBoolean enough = new AtomicBoolean();
      Thread writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Producer<String, String> producer = producer(broker, "lz4")) {
                      for (int i = 0; !enough.get() || i < 2_000; i++) {
                        String value = "v" + i;
                        producer.send(
                            new ProducerRecord<>("killed", i % 3, null, value),
                            (metadata, failure) -> {
                              if (failure == null) {
                                acknowledged.add(value);
                              }
                            });
                        if (i % 50 == 0) {
                          producer.flush();
                        }
                      }
                    }
                  });
      for (int round = 1; round <= 2; round++) {
        int before = acknowledged.size();
        Await.until(
            Duration.ofSeconds(60),
            () -> "only " + acknowledged.size() + " acknowledged\n" + broker.output(),
            () -> acknowledged.size() > before + 500);
        broker.kill();
        broker.start();
      }
      enough.set(true);
      writer.join(Duration.ofSeconds(90));
      assertFalse(writer.isAlive(), "the producer does not come to an end");
      List<String> found = readAll(broker, "killed", 3, acknowledged.size());
      Set<String> missing = new TreeSet<>(acknowledged);
      missing.removeAll(new TreeSet<>(found));
      assertEquals(Set.of(), missing);
      assertEquals(found.size(), new TreeSet<>(found).size(), "some records came twice");
    }
  }
}
