package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.group.InMemoryGroupCoordinator;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The Java consumer in a classic group over a socket, with groups in memory.
@Timeout(60)
@NullUnmarked // the maps of the admin client give what was asked for
class ConsumerGroupTest {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final TestContext context =
      TestContext.real()
          .service(Cluster.class, cluster)
          .service(LogStorage.class, new InMemoryLogStorage())
          .build();
  private final InMemoryPartitionService partitions = new InMemoryPartitionService(context);
  private final KafkaServer server;
  private final String bootstrap;

  ConsumerGroupTest() {
    partitions.start();
    context.provide(PartitionService.class, partitions);
    context.provide(GroupCoordinator.class, new InMemoryGroupCoordinator(context));
    server =
        (KafkaServer) new KafkaProtocolProvider().create(TestBroker.DEFAULTS.config(), context);
    server.start();
    int port = server.addresses().getFirst().getPort();
    bootstrap = "127.0.0.1:" + port;
    cluster.register(
        new Broker(1, List.of(new Endpoint(KafkaConfig.LISTENER, "127.0.0.1", port)), null));
    cluster.createTopic("__consumer_offsets", 50);
    cluster.createTopic("orders", 2);
  }

  @AfterEach
  void close() {
    server.drain();
    Thread.ofVirtual()
        .start(
            () -> {
              server.close();
              partitions.close();
              context.close();
            });
  }

  private KafkaConsumer<byte[], byte[]> consumer() {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers",
            bootstrap,
            "group.id",
            "readers",
            "auto.offset.reset",
            "earliest",
            "enable.auto.commit",
            "false",
            "heartbeat.interval.ms",
            "100"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private void produce(int count) throws Exception {
    try (var producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < count; i++) {
        producer.send(new ProducerRecord<>("orders", i % 2, null, new byte[] {(byte) i})).get();
      }
    }
  }

  @Test
  void t36MembersShareTheWorkCommitAndComeBackToIt() throws Exception {
    produce(10);
    try (var first = consumer();
        var second = consumer();
        Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      first.subscribe(List.of("orders"));
      int read = 0;
      while (read < 10) {
        read += first.poll(Duration.ofMillis(100)).count();
      }
      first.commitSync();
      second.subscribe(List.of("orders"));
      Set<TopicPartition> shared = new HashSet<>();
      while (first.assignment().size() != 1 || second.assignment().size() != 1) {
        first.poll(Duration.ofMillis(50));
        second.poll(Duration.ofMillis(50));
      }
      shared.addAll(first.assignment());
      shared.addAll(second.assignment());
      assertEquals(2, shared.size());
      var described =
          admin.describeConsumerGroups(List.of("readers")).describedGroups().get("readers").get();
      assertEquals(GroupState.STABLE, described.groupState());
      assertEquals(2, described.members().size());
      assertTrue(
          admin.listGroups().all().get().stream()
              .anyMatch(group -> group.groupId().equals("readers")));
    }
    try (var again = consumer();
        Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      again.subscribe(List.of("orders"));
      produce(2);
      int read = 0;
      while (read < 2) {
        read += again.poll(Duration.ofMillis(100)).count();
      }
      assertEquals(2, read, "what was committed does not come again");
      again.unsubscribe();
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin.listConsumerGroupOffsets("readers").partitionsToOffsetAndMetadata().get();
      assertEquals(5, committed.get(new TopicPartition("orders", 0)).offset());
      admin
          .deleteConsumerGroupOffsets("readers", Set.of(new TopicPartition("orders", 0)))
          .all()
          .get();
      admin.deleteConsumerGroups(List.of("readers")).all().get();
      assertTrue(admin.listGroups().all().get().isEmpty());
    }
  }
}
