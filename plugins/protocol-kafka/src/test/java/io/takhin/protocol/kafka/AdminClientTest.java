package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The Java admin client and the idempotent producer over a socket.
@Timeout(60)
@NullUnmarked // the maps of the admin client give what was asked for
class AdminClientTest {
  private final TestBroker broker = new TestBroker();
  private final Admin admin =
      Admin.create(
          Map.of(
              "bootstrap.servers",
              broker.bootstrap(),
              "default.api.timeout.ms",
              "20000",
              "request.timeout.ms",
              "10000"));

  @AfterEach
  void close() {
    admin.close();
    broker.close();
  }

  private static Throwable cause(org.apache.kafka.common.KafkaFuture<?> future) {
    return assertThrows(ExecutionException.class, () -> future.get(20, TimeUnit.SECONDS))
        .getCause();
  }

  @Test
  void topicsComeAreDescribedGrowAndGo() throws Exception {
    NewTopic orders = new NewTopic("orders", Optional.of(2), Optional.empty());
    orders.configs(Map.of("retention.ms", "1000"));
    var created = admin.createTopics(List.of(orders));
    assertEquals(2, created.numPartitions("orders").get());
    assertEquals("1000", created.config("orders").get().get("retention.ms").value());
    assertInstanceOf(TopicExistsException.class, cause(admin.createTopics(List.of(orders)).all()));
    admin.createPartitions(Map.of("orders", NewPartitions.increaseTo(3))).all().get();
    TopicDescription described =
        admin.describeTopics(List.of("orders")).topicNameValues().get("orders").get();
    assertEquals(3, described.partitions().size());
    assertEquals(broker.port(), described.partitions().getFirst().leader().port());
    assertEquals(created.topicId("orders").get(), described.topicId());
    assertEquals(Set.of("orders"), admin.listTopics().names().get());
    admin
        .deleteTopics(
            org.apache.kafka.common.TopicCollection.ofTopicIds(List.of(described.topicId())))
        .all()
        .get();
    assertEquals(Set.of(), admin.listTopics().names().get());
  }

  @Test
  void configsAreReadAndChanged() throws Exception {
    broker.cluster.createTopic("orders", 1);
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "orders");
    admin
        .incrementalAlterConfigs(
            Map.of(
                topic,
                List.of(
                    new AlterConfigOp(
                        new ConfigEntry("retention.ms", "77"), AlterConfigOp.OpType.SET))))
        .all()
        .get();
    ConfigEntry entry =
        admin.describeConfigs(List.of(topic)).all().get().get(topic).get("retention.ms");
    assertEquals("77", entry.value());
    assertEquals(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, entry.source());
    assertTrue(admin.listConfigResources().all().get().contains(topic));
  }

  @Test
  void offsetsAreListedAndRecordsDeleted() throws Exception {
    broker.cluster.createTopic("orders", 1);
    TopicPartition partition = new TopicPartition("orders", 0);
    try (var producer = idempotentProducer()) {
      for (int i = 0; i < 10; i++) {
        producer.send(new ProducerRecord<>("orders", 0, 1000L + i, null, new byte[] {1})).get();
      }
    }
    assertEquals(
        10,
        admin
            .listOffsets(Map.of(partition, OffsetSpec.latest()))
            .partitionResult(partition)
            .get()
            .offset());
    assertEquals(
        5,
        admin
            .listOffsets(Map.of(partition, OffsetSpec.forTimestamp(1005)))
            .partitionResult(partition)
            .get()
            .offset());
    assertEquals(
        4,
        admin
            .deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4)))
            .lowWatermarks()
            .get(partition)
            .get()
            .lowWatermark());
    var producers = admin.describeProducers(List.of(partition)).partitionResult(partition).get();
    assertEquals(9, producers.activeProducers().getFirst().lastSequence());
    assertEquals(1, admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).size());
  }

  private KafkaProducer<byte[], byte[]> idempotentProducer() {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", broker.bootstrap(), "max.block.ms", "10000"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  @Test
  void idempotentProducersGetIdsAndTopicsMakeThemselves() throws Exception {
    Set<Long> offsets = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      try (var producer = idempotentProducer()) {
        byte[] value = "v".getBytes(StandardCharsets.UTF_8);
        offsets.add(
            producer.send(new ProducerRecord<>("made-on-demand", 0, null, value)).get().offset());
      }
    }
    assertEquals(Set.of(0L, 1L, 2L), offsets);
  }

  @Test
  void t46ATransactionalProducerIsToldAtOnce() {
    try (var producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                broker.bootstrap(),
                "max.block.ms",
                "10000",
                ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                "t"),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      KafkaException told = assertThrows(KafkaException.class, producer::initTransactions);
      assertTrue(
          told.toString().contains("no transaction coordinator")
              || String.valueOf(told.getCause()).contains("no transaction coordinator"),
          told.toString());
    }
  }

  @Test
  void operatorsSeeTheClusterItsQuorumAndThatNothingIsToMove() throws Exception {
    broker.cluster.createTopic("orders", 1);
    TopicPartition partition = new TopicPartition("orders", 0);
    assertEquals(broker.cluster.clusterId(), admin.describeCluster().clusterId().get());
    assertEquals(broker.port(), admin.describeCluster().nodes().get().iterator().next().port());
    QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
    assertEquals(1, quorum.leaderId());
    assertInstanceOf(
        ElectionNotNeededException.class,
        admin
            .electLeaders(ElectionType.PREFERRED, Set.of(partition))
            .partitions()
            .get()
            .get(partition)
            .orElseThrow());
    admin
        .alterPartitionReassignments(
            Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(1)))))
        .all()
        .get();
    assertEquals(Map.of(), admin.listPartitionReassignments().reassignments().get());
  }
}
