package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApplicationRecoverableException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// Tellers that move money between the partitions of a topic without end, one transaction for each
/// move, and note in it how far they are as the offset of a group; every fifth is aborted.
///
/// What may be said of the log whatever happens to the broker, read_committed: each transaction
/// whose commit was acknowledged is there once and whole, none that was aborted is, of one whose
/// outcome is unknown both halves and the offset are there or neither is; the sum is 0.
final class TransactionLoad implements AutoCloseable {
  private static final int TELLERS = 2;

  private enum Outcome {
    COMMITTED,
    ABORTED,
    UNKNOWN
  }

  private final Broker broker;
  private final String topic;
  private final String group;
  private final ConsumerGroupMetadata member;
  private final List<TopicPartition> partitions;
  private final Map<TopicPartition, Long> positions = new TreeMap<>(Load.ORDER);
  private final List<Teller> tellers = new ArrayList<>();
  private volatile boolean ending;

  TransactionLoad(Broker broker, String topic, int count, long seed) {
    this.broker = broker;
    this.topic = topic;
    this.group = "bank-" + topic;
    this.partitions =
        IntStream.range(0, count).mapToObj(p -> new TopicPartition(topic, p)).toList();
    partitions.forEach(each -> positions.put(each, 0L));
    try (Consumer<String, String> consumer = consumer("read_committed")) {
      member = consumer.groupMetadata();
    }
    for (int i = 0; i < TELLERS; i++) {
      tellers.add(new Teller(i, new Random(seed + i)));
    }
  }

  private final class Teller {
    private final int number;
    private final Random random;
    private final Thread thread;

    /// Held for reading while a transaction is under way.
    private final ReentrantReadWriteLock between = new ReentrantReadWriteLock(true);

    /// By transaction; guarded by `between`.
    private final Map<Integer, Outcome> outcomes = new TreeMap<>();

    /// What was read of each transaction: the sum and the number of its records.
    private final Map<Integer, int[]> visible = new TreeMap<>();

    private volatile int committed;
    private volatile int fenced;
    private volatile Throwable failure;

    Teller(int number, Random random) {
      this.number = number;
      this.random = random;
      this.thread = Thread.ofPlatform().name("teller-" + number).start(this::run);
    }

    private Producer<String, String> producer() {
      Producer<String, String> producer =
          new KafkaProducer<>(
              broker.client(
                  Map.of(
                      "transactional.id", topic + "-teller-" + number,
                      "transaction.timeout.ms", "60000",
                      "linger.ms", "0",
                      "request.timeout.ms", "5000",
                      "retry.backoff.ms", "20",
                      "reconnect.backoff.max.ms", "100",
                      "delivery.timeout.ms", "2147483647",
                      "max.block.ms", "120000")),
              new StringSerializer(),
              new StringSerializer());
      for (int tries = 1; ; tries++) {
        try {
          producer.initTransactions();
          return producer;
        } catch (TimeoutException e) {
          if (tries >= 3 || ending) { // the machine may have been stopped meanwhile
            producer.close(Duration.ZERO);
            throw e;
          }
        }
      }
    }

    private void run() {
      Producer<String, String> producer = null;
      try {
        for (int i = 1; !ending; i++) {
          between.readLock().lock();
          try {
            if (producer == null) {
              producer = producer();
            }
            producer = move(producer, i);
          } finally {
            between.readLock().unlock();
          }
        }
      } catch (RuntimeException | Error e) {
        failure = e;
      } finally {
        if (producer != null) {
          producer.close(Duration.ZERO);
        }
      }
    }

    /// One transaction.
    ///
    /// @return the producer, or null if it cannot be used any more
    private Producer<String, String> move(Producer<String, String> producer, int i) {
      Outcome last = Outcome.ABORTED;
      try {
        producer.beginTransaction();
        int from = random.nextInt(partitions.size());
        int to = (from + 1) % partitions.size();
        int amount = 1 + random.nextInt(1000);
        producer.send(new ProducerRecord<>(topic, from, "" + number, i + " " + -amount));
        producer.send(new ProducerRecord<>(topic, to, "" + number, i + " " + amount));
        producer.sendOffsetsToTransaction(Map.of(mark(), new OffsetAndMetadata(i)), member);
        if (i % 5 == 0) {
          producer.flush();
          producer.abortTransaction();
          outcomes.put(i, Outcome.ABORTED);
          return producer;
        }
        last = Outcome.UNKNOWN;
        commit(producer);
        outcomes.put(i, Outcome.COMMITTED);
        committed++;
        return producer;
      } catch (ApplicationRecoverableException fatal) {
        fenced++;
        outcomes.put(i, last);
        producer.close(Duration.ZERO);
        return null;
      } catch (AuthorizationException e) {
        throw e;
      } catch (KafkaException abortable) {
        return abort(producer, i, last);
      }
    }

    private void commit(Producer<String, String> producer) {
      try {
        producer.commitTransaction();
      } catch (TimeoutException again) {
        producer.commitTransaction();
      }
    }

    private Producer<String, String> abort(Producer<String, String> producer, int i, Outcome last) {
      try {
        producer.abortTransaction();
        outcomes.put(i, Outcome.ABORTED);
        return producer;
      } catch (KafkaException fatal) {
        outcomes.put(i, last);
        producer.close(Duration.ZERO);
        return null;
      }
    }

    /// Where the teller notes how far it is.
    private TopicPartition mark() {
      return new TopicPartition(topic, number);
    }

    private void check(OffsetAndMetadata offset) {
      assertEquals(null, failure, () -> "teller " + number + " ended: " + failure);
      Set<Integer> seen = new TreeSet<>(visible.keySet());
      visible.forEach(
          (i, halves) -> {
            assertEquals(2, halves[1], () -> "records of transaction " + i + " of " + number);
            assertEquals(0, halves[0], () -> "sum of transaction " + i + " of " + number);
          });
      outcomes.forEach(
          (i, outcome) -> {
            boolean there = seen.remove(i);
            assertTrue(
                outcome == Outcome.UNKNOWN || there == (outcome == Outcome.COMMITTED),
                () ->
                    "transaction " + i + " of " + number + " is " + outcome + ", visible " + there);
          });
      assertEquals(Set.of(), seen, "transactions that nobody made");
      long newest = visible.keySet().stream().mapToInt(i -> i).max().orElse(0);
      assertEquals(newest, offset == null ? 0 : offset.offset(), "the offset of teller " + number);
    }
  }

  /// Transactions whose commit was acknowledged.
  int committed() {
    return tellers.stream().mapToInt(each -> each.committed).sum();
  }

  /// How often a teller was fenced, though nobody else has its id.
  int fenced() {
    return tellers.stream().mapToInt(each -> each.fenced).sum();
  }

  /// Waits until each teller has committed so many more.
  void awaitProgress(int more) {
    for (Teller teller : tellers) {
      int target = teller.committed + more;
      Await.until(
          Duration.ofSeconds(120),
          () -> teller.number + ": " + teller.committed + " of " + target + "\n" + broker.output(),
          () -> teller.committed >= target || teller.failure != null);
    }
  }

  /// Holds the tellers between two transactions and looks at everything.
  void check() {
    tellers.forEach(each -> each.between.writeLock().lock());
    try {
      readOn();
      Map<TopicPartition, OffsetAndMetadata> offsets;
      try (Consumer<String, String> consumer = consumer("read_committed")) {
        Set<TopicPartition> marks = new java.util.HashSet<>();
        tellers.forEach(each -> marks.add(each.mark()));
        offsets = consumer.committed(marks, Duration.ofSeconds(60));
      }
      tellers.forEach(each -> each.check(offsets.get(each.mark())));
    } finally {
      tellers.forEach(each -> each.between.writeLock().unlock());
    }
  }

  /// Reads everything again, from the beginning, and looks at it.
  void finish() {
    ending = true;
    for (Teller teller : tellers) {
      try {
        assertTrue(teller.thread.join(Duration.ofSeconds(150)), "a teller does not come to an end");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", e);
      }
      teller.visible.clear();
    }
    partitions.forEach(each -> positions.put(each, 0L));
    check();
  }

  private Consumer<String, String> consumer(String isolation) {
    return new KafkaConsumer<>(
        broker.client(
            Map.of(
                "group.id",
                group,
                "isolation.level",
                isolation,
                "enable.auto.commit",
                "false",
                "auto.offset.reset",
                "none")),
        new StringDeserializer(),
        new StringDeserializer());
  }

  /// Reads what is committed, up to the very end: all transactions have ended.
  private void readOn() {
    try (Consumer<String, String> committed = consumer("read_committed");
        Consumer<String, String> all = consumer("read_uncommitted")) {
      committed.assign(partitions);
      positions.forEach(committed::seek);
      Map<TopicPartition, Long> ends = new TreeMap<>(Load.ORDER);
      Await.until(
          Duration.ofSeconds(60),
          () -> "transactions stay open: " + positions + " of " + ends + "\n" + broker.output(),
          () -> {
            ends.putAll(all.endOffsets(partitions));
            committed.poll(Duration.ofMillis(100)).forEach(this::note);
            partitions.forEach(each -> positions.put(each, committed.position(each)));
            return positions.equals(ends);
          });
    }
  }

  private void note(ConsumerRecord<String, String> record) {
    Teller teller = tellers.get(Integer.parseInt(record.key()));
    int space = record.value().indexOf(' ');
    int transaction = Integer.parseInt(record.value(), 0, space, 10);
    int amount = Integer.parseInt(record.value().substring(space + 1));
    int[] halves = teller.visible.computeIfAbsent(transaction, key -> new int[2]);
    halves[0] += amount;
    halves[1]++;
  }

  @Override
  public void close() {
    ending = true;
  }
}
