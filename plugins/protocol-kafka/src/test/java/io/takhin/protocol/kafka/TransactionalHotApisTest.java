package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataRecord.FeatureFinalized;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.testkit.storage.Batches;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Produce and Fetch of transactions, by version, over the socket.
@Timeout(30)
class TransactionalHotApisTest {
  private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
  private volatile ErrorCode answer = ErrorCode.NONE;
  private TestBroker broker;
  private RawClient client;

  @BeforeEach
  void start() {
    broker = new TestBroker();
    broker.cluster.createTopic("orders", 1);
    broker.context.provide(
        TransactionCoordinator.class,
        (TransactionCoordinator)
            Proxy.newProxyInstance(
                TransactionCoordinator.class.getClassLoader(),
                new Class<?>[] {TransactionCoordinator.class},
                (proxy, method, args) -> {
                  asked.add(method.getName() + " " + args[0]);
                  return CompletableFuture.completedFuture(List.of(answer));
                }));
    client = broker.client();
  }

  @AfterEach
  void stop() {
    client.close();
    broker.close();
  }

  private Partition partition() {
    Topic topic = broker.partitions.topic("orders");
    assertNotNull(topic);
    Partition partition = topic.partition(0);
    assertNotNull(partition);
    return partition;
  }

  private Uuid id() {
    Topic topic = broker.partitions.topic("orders");
    assertNotNull(topic);
    return new Uuid(topic.id().getMostSignificantBits(), topic.id().getLeastSignificantBits());
  }

  private Errors produce(int version, @Nullable String transactionalId, ByteBuffer batch) {
    TopicProduceData topic = new TopicProduceData().setName("orders").setTopicId(id());
    ByteBuffer heap = ByteBuffer.allocate(batch.remaining()).put(batch).flip();
    topic
        .partitionData()
        .add(new PartitionProduceData().setRecords(MemoryRecords.readableRecords(heap)));
    TopicProduceDataCollection all = new TopicProduceDataCollection();
    all.add(topic);
    ProduceResponseData response =
        client.ask(
            version,
            new ProduceRequestData()
                .setTransactionalId(transactionalId)
                .setAcks((short) -1)
                .setTimeoutMs(1000)
                .setTopicData(all),
            new ProduceResponseData());
    TopicProduceResponse first = response.responses().iterator().next();
    return Errors.forCode(first.partitionResponses().getFirst().errorCode());
  }

  private PartitionData fetch(int version, int isolation) {
    FetchTopic topic = new FetchTopic().setTopic("orders").setTopicId(id());
    topic.partitions().add(new FetchPartition().setPartitionMaxBytes(1 << 20));
    FetchResponseData response =
        client.ask(
            version,
            new FetchRequestData()
                .setMaxWaitMs(0)
                .setMinBytes(0)
                .setIsolationLevel((byte) isolation)
                .setTopics(List.of(topic)),
            new FetchResponseData());
    return response.responses().getFirst().partitions().getFirst();
  }

  private void finalizeFeature(int level) {
    broker.cluster.append(new FeatureFinalized("transaction.version", (short) level));
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 8, 9, 10, 11})
  void t48OlderVersionsHaveTheirFirstWriteVerified(int version) {
    finalizeFeature(2);
    assertEquals(Errors.NONE, produce(version, "mine", Batches.inTransaction(9, 0, 0, "a")));
    assertEquals(Errors.NONE, produce(version, "mine", Batches.inTransaction(9, 0, 1, "b")));
    assertEquals(List.of("verify mine"), asked);
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 13})
  void t48NewerVersionsAddThePartition(int version) {
    finalizeFeature(2);
    assertEquals(Errors.NONE, produce(version, "mine", Batches.inTransaction(9, 0, 0, "a")));
    assertEquals(List.of("addPartitions mine"), asked);
  }

  @Test
  void t48WithoutTheFeatureNothingIsAdded() {
    finalizeFeature(1);
    answer = ErrorCode.TRANSACTION_ABORTABLE;
    assertEquals(
        Errors.TRANSACTION_ABORTABLE, produce(12, "mine", Batches.inTransaction(9, 0, 0, "a")));
    assertEquals(List.of("verify mine"), asked);
  }

  @Test
  void t48ClientsBeforeVersion11DoNotKnowTransactionAbortable() {
    answer = ErrorCode.TRANSACTION_ABORTABLE;
    ByteBuffer batch = Batches.inTransaction(9, 0, 0, "a");
    assertEquals(Errors.INVALID_TXN_STATE, produce(10, "mine", batch.duplicate()));
    assertEquals(Errors.TRANSACTION_ABORTABLE, produce(11, "mine", batch.duplicate()));
  }

  @Test
  void transactionalBatchesNeedATransactionalId() {
    assertEquals(
        Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        produce(11, null, Batches.inTransaction(9, 0, 0, "a")));
    assertEquals(Errors.NONE, produce(11, "mine", Batches.from(9, 0, 0, "a")));
    assertEquals(List.of(), asked);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5, 11, 12, 13, 18})
  void t32FetchTellsOfAbortedTransactionsInEveryVersion(int version) {
    produce(11, "mine", Batches.inTransaction(9, 0, 0, "a"));
    PartitionData open = fetch(version, 1);
    assertEquals(1, open.highWatermark());
    assertEquals(0, open.lastStableOffset());
    assertEquals(List.of(), open.abortedTransactions());
    assertEquals(0, size(open));
    assertEquals(ErrorCode.NONE, partition().endTransaction(9, (short) 0, 0, false, 0).join());
    PartitionData aborted = fetch(version, 1);
    assertEquals(2, aborted.lastStableOffset());
    assertEquals(
        List.of(new AbortedTransaction().setProducerId(9).setFirstOffset(0)),
        aborted.abortedTransactions());
    PartitionData uncommitted = fetch(version, 0);
    assertEquals(null, uncommitted.abortedTransactions());
    assertEquals(size(uncommitted), size(aborted));
  }

  private static int size(PartitionData data) {
    return data.records() == null ? 0 : data.records().sizeInBytes();
  }
}
