package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// Records to and from partition 0 of a topic, one request each.
final class Records {
  private Records() {}

  /// A producer with acks=all, and more settings on top.
  static Producer<String, String> producer(Broker broker, Map<String, Object> more) {
    Map<String, Object> settings = broker.client(Map.of("acks", "all", "linger.ms", "0"));
    settings.putAll(more);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  /// A producer that tries once.
  static Producer<String, String> once(Broker broker, String acks) {
    return producer(broker, Map.of("acks", acks, "retries", 0, "enable.idempotence", "false"));
  }

  /// Sends and waits for the acknowledgement.
  static void send(Producer<String, String> producer, String topic, String value) throws Exception {
    producer.send(new ProducerRecord<>(topic, 0, null, value)).get(40, TimeUnit.SECONDS);
  }

  /// Sends what has to be refused because of the disk.
  static void fails(Producer<String, String> producer, String topic, String value) {
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> send(producer, topic, value));
    assertInstanceOf(KafkaStorageException.class, failure.getCause());
  }

  /// All values of a topic.
  static List<String> read(Broker broker, String topic) {
    List<String> values = new ArrayList<>();
    read(broker, topic, values::add);
    return values;
  }

  /// How many records a topic has, for values that are too large to be kept.
  static long count(Broker broker, String topic) {
    LongAdder records = new LongAdder();
    read(broker, topic, value -> records.increment());
    return records.sum();
  }

  private static void read(
      Broker broker, String topic, java.util.function.Consumer<String> values) {
    LongAdder records = new LongAdder();
    try (Consumer<String, String> consumer =
        new KafkaConsumer<>(
            broker.client(Map.of("auto.offset.reset", "earliest")),
            new StringDeserializer(),
            new StringDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      Await.until(
          Duration.ofSeconds(60),
          () -> topic + ": " + records + " of " + end,
          () -> {
            // On and on while there is more, for Await looks only 20 times a second.
            ConsumerRecords<String, String> some;
            do {
              some = consumer.poll(Duration.ofMillis(200));
              for (ConsumerRecord<String, String> record : some) {
                records.increment();
                values.accept(record.value());
              }
            } while (!some.isEmpty());
            return consumer.position(partition) >= end;
          });
    }
  }
}
