package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Groups of Java consumers that come and go (manual 4.3, 5.2).
class GroupsIT {
  private static final Duration LIMIT = Duration.ofSeconds(40);
  private static Broker broker;

  @BeforeAll
  static void start() {
    broker = Broker.started();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static Consumer<String, String> consumer(String group, String assignor) {
    return new KafkaConsumer<>(
        broker.client(
            Map.of(
                "group.id",
                group,
                "group.protocol",
                "classic",
                "auto.offset.reset",
                "earliest",
                "enable.auto.commit",
                "false",
                "session.timeout.ms",
                "10000",
                "heartbeat.interval.ms",
                "500",
                "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer." + assignor)),
        new StringDeserializer(),
        new StringDeserializer());
  }

  private static void produce(String topic, int from, int to) {
    try (Producer<String, String> producer =
        new KafkaProducer<>(
            broker.client(Map.of("linger.ms", "5")),
            new StringSerializer(),
            new StringSerializer())) {
      for (int i = from; i < to; i++) {
        producer.send(new ProducerRecord<>(topic, i % 4, "k" + i, "v" + i));
      }
      producer.flush();
    }
  }

  private static void poll(Consumer<String, String> consumer, Set<String> values) {
    consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
    try {
      consumer.commitSync();
    } catch (RebalanceInProgressException cooperative) {
      // Such a group goes on reading while it rebalances; the next call commits this as well.
      assertTrue(consumer.groupMetadata().generationId() >= 0, cooperative::toString);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "RangeAssignor",
        "RoundRobinAssignor",
        "StickyAssignor",
        "CooperativeStickyAssignor"
      })
  void twoConsumersShareThePartitionsAndNothingIsLost(String assignor) throws Exception {
    String topic = "shared-" + assignor;
    String group = "group-" + assignor;
    broker.createTopic(topic, 4, Map.of());
    produce(topic, 0, 100);
    Set<String> values = new HashSet<>();
    try (Consumer<String, String> first = consumer(group, assignor)) {
      first.subscribe(List.of(topic));
      Await.until(
          LIMIT,
          () -> "the first consumer has " + values.size() + " of 100\n" + broker.output(),
          () -> {
            poll(first, values);
            return values.size() == 100 && first.assignment().size() == 4;
          });
      try (Consumer<String, String> second = consumer(group, assignor)) {
        second.subscribe(List.of(topic));
        Await.until(
            LIMIT,
            () -> "shares: " + first.assignment() + " and " + second.assignment(),
            () -> {
              poll(first, values);
              poll(second, values);
              return first.assignment().size() == 2 && second.assignment().size() == 2;
            });
        Set<TopicPartition> both = new HashSet<>(first.assignment());
        both.addAll(second.assignment());
        assertEquals(4, both.size());
        produce(topic, 100, 200);
        Await.until(
            LIMIT,
            () -> values.size() + " of 200",
            () -> {
              poll(first, values);
              poll(second, values);
              return values.size() == 200;
            });
      }
      produce(topic, 200, 300);
      Await.until(
          LIMIT,
          () -> values.size() + " of 300, share " + first.assignment(),
          () -> {
            poll(first, values);
            return values.size() == 300 && first.assignment().size() == 4;
          });
    }
    try (Admin admin = broker.admin()) {
      long committed =
          admin
              .listConsumerGroupOffsets(group)
              .partitionsToOffsetAndMetadata()
              .get(20, TimeUnit.SECONDS)
              .values()
              .stream()
              .mapToLong(offset -> offset.offset())
              .sum();
      assertEquals(300, committed);
      assertTrue(
          admin
              .describeConsumerGroups(List.of(group))
              .all()
              .get(20, TimeUnit.SECONDS)
              .get(group)
              .members()
              .isEmpty());
    }
  }
}
