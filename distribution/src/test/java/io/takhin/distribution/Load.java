package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// An idempotent producer to several partitions and a group that commits, both without end, and
/// what may be said of the log then: nothing acknowledged is lost or comes twice, offsets are
/// dense, commits never go back.
final class Load implements AutoCloseable {
  private final Broker broker;
  private final String topic;
  private final List<TopicPartition> partitions;
  private final Map<TopicPartition, Map<Long, String>> acknowledged = new TreeMap<>(ORDER);
  private final Map<TopicPartition, List<String>> found = new TreeMap<>(ORDER);
  private final Map<TopicPartition, Set<String>> checked = new TreeMap<>(ORDER);
  private final AtomicLong acknowledgements = new AtomicLong();
  private final AtomicLong committed = new AtomicLong();
  private final List<String> failures = new ArrayList<>();
  private final Thread writer;
  private final Thread committer;
  private volatile boolean ending;

  /// Partitions of one topic.
  static final java.util.Comparator<TopicPartition> ORDER =
      java.util.Comparator.comparing(TopicPartition::partition);

  Load(Broker broker, String topic, int count) {
    this.broker = broker;
    this.topic = topic;
    this.partitions =
        IntStream.range(0, count).mapToObj(p -> new TopicPartition(topic, p)).toList();
    for (TopicPartition partition : partitions) {
      acknowledged.put(partition, new ConcurrentHashMap<>());
      found.put(partition, new ArrayList<>());
      checked.put(partition, new HashSet<>());
    }
    writer = Thread.ofPlatform().name("load-writer").start(this::write);
    committer = Thread.ofPlatform().name("load-committer").start(this::commit);
  }

  private void write() {
    try (Producer<String, String> producer =
        new KafkaProducer<>(
            broker.client(
                Map.of(
                    "acks", "all",
                    "enable.idempotence", "true",
                    "compression.type", "lz4",
                    "linger.ms", "2",
                    "request.timeout.ms", "5000",
                    "retry.backoff.ms", "20",
                    "reconnect.backoff.max.ms", "100",
                    "delivery.timeout.ms", "2147483647",
                    "max.block.ms", "2147483647")),
            new StringSerializer(),
            new StringSerializer())) {
      for (long i = 0; !ending; i++) {
        TopicPartition to = partitions.get((int) (i % partitions.size()));
        String value = "v" + i;
        producer.send(
            new ProducerRecord<>(topic, to.partition(), null, value),
            (metadata, failure) -> {
              if (failure == null) {
                acknowledged.get(to).put(metadata.offset(), value);
                acknowledgements.incrementAndGet();
              } else {
                failed(failure.toString());
              }
            });
        if (i % 60 == 59) {
          producer.flush();
          // Enough requests at any time, and few enough records to read them all in each round.
          java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
        }
      }
    }
  }

  private void commit() {
    try (Consumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            broker.client(
                Map.of(
                    "group.id", "committing-" + topic,
                    "enable.auto.commit", "false",
                    "retry.backoff.ms", "20",
                    "reconnect.backoff.max.ms", "100",
                    "default.api.timeout.ms", "60000")),
            new org.apache.kafka.common.serialization.ByteArrayDeserializer(),
            new org.apache.kafka.common.serialization.ByteArrayDeserializer())) {
      TopicPartition partition = partitions.getFirst();
      consumer.assign(List.of(partition));
      for (long offset = 1; !ending; offset++) {
        try {
          consumer.commitSync(Map.of(partition, new OffsetAndMetadata(offset)));
          committed.set(offset);
        } catch (KafkaException e) {
          if (!(e instanceof org.apache.kafka.common.errors.RetriableException)) {
            failed("commit of " + offset + ": " + e);
          }
        }
      }
    }
  }

  private synchronized void failed(String what) {
    if (failures.size() < 20) {
      failures.add(what);
    }
  }

  /// Waits until so many more records are acknowledged, and one more commit.
  void awaitProgress(long more) {
    long target = acknowledgements.get() + more;
    long commits = committed.get();
    Await.until(
        Duration.ofSeconds(60),
        () ->
            (target - acknowledgements.get())
                + " acknowledgements are missing, commits "
                + committed
                + failures
                + broker.output(),
        () -> acknowledgements.get() >= target && committed.get() > commits);
  }

  long acknowledgements() {
    return acknowledgements.get();
  }

  /// Reads on from where the last check ended, and asks for the commits.
  ///
  /// @param commitsBefore what was committed before the fault; -1 if commits may be lost
  void check(long commitsBefore) {
    try (Consumer<String, String> consumer =
        new KafkaConsumer<>(
            broker.client(
                Map.of(
                    "group.id", "committing-" + topic,
                    "auto.offset.reset", "none",
                    // Await looks 20 times a second: all that a fetch brought, not 500 of it
                    "max.poll.records", "100000")),
            new StringDeserializer(),
            new StringDeserializer())) {
      Map<TopicPartition, OffsetAndMetadata> offsets =
          consumer.committed(Set.of(partitions.getFirst()), Duration.ofSeconds(30));
      OffsetAndMetadata offset = offsets.get(partitions.getFirst());
      assertTrue(
          commitsBefore <= 0 || (offset != null && offset.offset() >= commitsBefore),
          () -> "committed " + commitsBefore + ", and now " + offset);
      consumer.assign(partitions);
      for (TopicPartition partition : partitions) {
        consumer.seek(partition, found.get(partition).size());
      }
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      Await.until(
          Duration.ofSeconds(60),
          () -> "cannot read up to " + ends,
          () -> {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
              TopicPartition from = new TopicPartition(topic, record.partition());
              List<String> values = found.get(from);
              assertEquals(values.size(), record.offset(), "offsets are not dense");
              String known = acknowledged.get(from).get(record.offset());
              values.add(record.value().equals(known) ? known : record.value()); // one of each
            }
            return partitions.stream().allMatch(p -> found.get(p).size() >= ends.get(p));
          });
    }
    assertNothingLost();
  }

  /// Forgets what was read: the next check reads everything again.
  void readAgain() {
    found.values().forEach(List::clear);
    checked.values().forEach(Set::clear);
  }

  /// What was committed last, as its client knows.
  long committed() {
    return committed.get();
  }

  private void assertNothingLost() {
    for (TopicPartition partition : partitions) {
      List<String> values = found.get(partition);
      Set<String> once = checked.get(partition);
      for (int i = once.size(); i < values.size(); i++) {
        assertTrue(once.add(values.get(i)), partition + ": " + values.get(i) + " comes twice");
        String known = acknowledged.get(partition).get((long) i);
        assertTrue(
            known == null || known.equals(values.get(i)),
            partition + ": at " + i + " is " + values.get(i) + ", acknowledged was " + known);
      }
    }
    synchronized (this) {
      assertEquals(List.of(), failures);
    }
  }

  /// Ends the load and reads everything: each acknowledged record is there, once.
  void finish() {
    ending = true;
    join();
    readAgain();
    check(committed.get());
    acknowledged.forEach(
        (partition, records) ->
            records.forEach(
                (offset, value) ->
                    assertTrue(
                        offset < found.get(partition).size(),
                        () -> partition + ": " + value + " was acknowledged at " + offset)));
  }

  private void join() {
    try {
      writer.join(Duration.ofSeconds(90));
      committer.join(Duration.ofSeconds(90));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    assertTrue(!writer.isAlive() && !committer.isAlive(), "the clients do not come to an end");
  }

  @Override
  public void close() {
    ending = true;
  }
}
