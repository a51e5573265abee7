package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The Java client against the server, over partitions in memory.
@Timeout(60)
class KafkaClientsTest {
  private static KafkaProducer<byte[], byte[]> producer(TestBroker broker, String acks) {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers",
            broker.bootstrap(),
            "acks",
            acks,
            "enable.idempotence",
            "false",
            "max.block.ms",
            "10000"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static KafkaConsumer<byte[], byte[]> consumer(TestBroker broker) {
    return new KafkaConsumer<>(
        Map.of("bootstrap.servers", broker.bootstrap(), "auto.offset.reset", "earliest"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static List<String> poll(KafkaConsumer<byte[], byte[]> consumer, int count) {
    List<String> values = new ArrayList<>();
    while (values.size() < count) {
      for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofSeconds(1))) {
        values.add(new String(each.value(), StandardCharsets.UTF_8));
      }
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "1", "0"})
  void whatIsProducedIsConsumedInOrder(String acks) throws Exception {
    try (TestBroker broker = new TestBroker()) {
      broker.cluster.createTopic("orders", 1);
      List<String> sent = new ArrayList<>();
      try (KafkaProducer<byte[], byte[]> producer = producer(broker, acks)) {
        for (int i = 0; i < 500; i++) {
          String value = "order-" + i;
          sent.add(value);
          producer.send(
              new ProducerRecord<>("orders", 0, null, value.getBytes(StandardCharsets.UTF_8)));
        }
      }
      try (KafkaConsumer<byte[], byte[]> consumer = consumer(broker)) {
        consumer.assign(List.of(new TopicPartition("orders", 0)));
        assertEquals(sent, poll(consumer, 500));
      }
    }
  }

  @Test
  void aConsumerThatWaitsGetsWhatComesLater() throws Exception {
    try (TestBroker broker = new TestBroker();
        KafkaConsumer<byte[], byte[]> consumer = consumer(broker);
        KafkaProducer<byte[], byte[]> producer = producer(broker, "all")) {
      broker.cluster.createTopic("orders", 3);
      consumer.assign(
          List.of(
              new TopicPartition("orders", 0),
              new TopicPartition("orders", 1),
              new TopicPartition("orders", 2)));
      assertEquals(0, consumer.poll(Duration.ofMillis(200)).count());
      for (int round = 0; round < 20; round++) {
        String value = "late-" + round;
        RecordMetadata at =
            producer
                .send(
                    new ProducerRecord<>(
                        "orders", round % 3, null, value.getBytes(StandardCharsets.UTF_8)))
                .get(10, TimeUnit.SECONDS);
        assertEquals(round / 3, at.offset());
        assertEquals(List.of(value), poll(consumer, 1));
      }
    }
  }

  @Test
  void recordsLargerThanTheReceiveBufferArriveWhole() throws Exception {
    try (TestBroker broker = new TestBroker();
        KafkaProducer<byte[], byte[]> producer = producer(broker, "all");
        KafkaConsumer<byte[], byte[]> consumer = consumer(broker)) {
      broker.cluster.createTopic("large", 1);
      List<byte[]> values = new ArrayList<>();
      for (int size : new int[] {10, 70_000, 300_000, 900_000, 5, 600_000}) {
        byte[] value = new byte[size];
        new java.util.Random(size).nextBytes(value);
        values.add(value);
        producer.send(new ProducerRecord<>("large", 0, null, value)).get(10, TimeUnit.SECONDS);
      }
      consumer.assign(List.of(new TopicPartition("large", 0)));
      List<byte[]> read = new ArrayList<>();
      while (read.size() < values.size()) {
        consumer.poll(Duration.ofSeconds(1)).forEach(each -> read.add(each.value()));
      }
      for (int i = 0; i < values.size(); i++) {
        org.junit.jupiter.api.Assertions.assertArrayEquals(values.get(i), read.get(i));
      }
    }
  }
}
