package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;

/// R11 and R12: a wall clock that jumps, and a process that is stopped for a while.
class TimeFaultsIT {
  private static final long HOUR_MS = 3_600_000L;
  private static final long TEN_YEARS_MS = 315_360_000_000L;
  private static final long SESSION_MS = 6_000;

  /// A member of a group that reads and commits, with the shortest session there is.
  private static final class Member implements AutoCloseable, ConsumerRebalanceListener {
    private final AtomicLong read = new AtomicLong();
    private final AtomicInteger taken = new AtomicInteger();
    private final Thread thread;
    private volatile Throwable failure;
    private volatile boolean ending;

    Member(Broker broker, String topic) {
      thread = Thread.ofPlatform().name("member").start(() -> run(broker, topic));
    }

    private void run(Broker broker, String topic) {
      try (Consumer<String, String> consumer =
          new KafkaConsumer<>(
              broker.client(
                  Map.of(
                      "group.id", "members",
                      "group.protocol", "classic",
                      "session.timeout.ms", Long.toString(SESSION_MS),
                      "heartbeat.interval.ms", "500",
                      "enable.auto.commit", "false",
                      "auto.offset.reset", "earliest")),
              new StringDeserializer(),
              new StringDeserializer())) {
        consumer.subscribe(List.of(topic), this);
        while (!ending) {
          int count = consumer.poll(Duration.ofMillis(100)).count();
          if (count > 0) {
            commit(consumer);
            read.addAndGet(count);
          }
        }
      } catch (RuntimeException | Error e) {
        failure = e;
      }
    }

    private static void commit(Consumer<String, String> consumer) {
      try {
        consumer.commitSync();
      } catch (CommitFailedException thrownOut) {
        consumer.enforceRebalance(); // its session ended while the broker was stopped
      }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      if (!ending) {
        taken.incrementAndGet();
      }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    void awaitProgress(Broker broker) {
      long before = read.get();
      Await.until(
          Duration.ofSeconds(60),
          () -> "the member reads nothing: " + failure + "\n" + broker.output(),
          () -> read.get() > before);
    }

    @Override
    public void close() {
      ending = true;
      try {
        assertTrue(thread.join(Duration.ofSeconds(60)));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      assertEquals(null, failure);
    }
  }

  @Test
  void clockJumpsDisturbNeitherSessionsNorRetention() throws Exception {
    try (Broker broker = new Broker()) {
      Faults faults = new Faults(broker, false);
      broker.with("TAKHIN_STORAGE_LOG_CLEANUP_INTERVAL_MS", "500").start();
      broker.createTopic("kept", 1, Map.of("retention.ms", Long.toString(HOUR_MS)));
      try (Load load = new Load(broker, "kept", 1);
          Member member = new Member(broker, "kept")) {
        load.awaitProgress(100);
        member.awaitProgress(broker);
        for (long jumpMs : new long[] {HOUR_MS, -HOUR_MS, TEN_YEARS_MS, 0}) {
          faults.clock(jumpMs);
          load.awaitProgress(50);
          member.awaitProgress(broker);
        }
        for (int i = 0; i < 40; i++) { // to and fro, faster than anything is timed
          faults.clock(i % 2 == 0 ? 500 : -500);
          load.awaitProgress(1);
        }
        faults.clock(TEN_YEARS_MS);
        Await.until(
            Duration.ofSeconds(20),
            () -> "no warning of the clock\n" + broker.output(),
            () -> broker.output().contains("ahead of what passed"));
        load.awaitProgress(50);
        member.awaitProgress(broker);
        assertEquals(0, member.taken.get(), "partitions were taken away from their owner");
        load.finish(); // reads from the very beginning
      }
    }
  }

  @Test
  void aProcessThatWasStoppedGoesOnWhereItWas() throws Exception {
    try (Broker broker = new Broker().start()) {
      broker.createTopic("paused", 1, Map.of());
      try (Load load = new Load(broker, "paused", 1);
          Member member = new Member(broker, "paused")) {
        for (long pauseMs : new long[] {1_000, SESSION_MS + 2_000}) {
          load.awaitProgress(50);
          member.awaitProgress(broker);
          Command.run("kill", "-STOP", Long.toString(broker.pid())).succeeded();
          Thread.sleep(pauseMs); // the length of the pause is what is tested
          Command.run("kill", "-CONT", Long.toString(broker.pid())).succeeded();
          load.awaitProgress(50);
          member.awaitProgress(broker);
        }
        assertTrue(Broker.http(broker.healthPort(), "/health").body().contains("\"healthy\""));
        load.finish();
      }
    }
  }
}
