package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.record.RecordBatchBuilder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Produce and Fetch in every version, over the socket: requests made and answers read by the Kafka
/// client's classes.
@Timeout(30)
class HotApisTest {
  private static final int WAITING = 200;

  private TestBroker broker;
  private RawClient client;

  @BeforeEach
  void start() {
    broker = new TestBroker();
    broker.cluster.createTopic("orders", 2);
    client = broker.client();
  }

  @AfterEach
  void stop() {
    client.close();
    broker.close();
  }

  static IntStream produceVersions() {
    return IntStream.rangeClosed(3, 13);
  }

  static IntStream fetchVersions() {
    return IntStream.rangeClosed(4, 18);
  }

  private Uuid id(String topic) {
    var known = broker.partitions.topic(topic);
    UUID id = known == null ? new UUID(1, topic.hashCode()) : known.id();
    return new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits());
  }

  private static ByteBuffer batch(int records, int size) {
    RecordBatchBuilder builder = new RecordBatchBuilder();
    for (int i = 0; i < records; i++) {
      byte[] value = new byte[size];
      value[0] = (byte) i;
      builder.add(1_700_000_000_000L + i, ("key-" + i).getBytes(StandardCharsets.UTF_8), value);
    }
    return builder.build();
  }

  private TopicProduceData produceTopic(String name, Object... indexesAndBatches) {
    TopicProduceData topic = new TopicProduceData().setName(name).setTopicId(id(name));
    for (int i = 0; i < indexesAndBatches.length; i += 2) {
      ByteBuffer records = (ByteBuffer) indexesAndBatches[i + 1];
      topic
          .partitionData()
          .add(
              new PartitionProduceData()
                  .setIndex((int) indexesAndBatches[i])
                  .setRecords(MemoryRecords.readableRecords(heap(records))));
    }
    return topic;
  }

  private static ByteBuffer heap(ByteBuffer direct) {
    return ByteBuffer.allocate(direct.remaining()).put(direct.duplicate()).flip();
  }

  private static ProduceRequestData produce(int acks, TopicProduceData... topics) {
    TopicProduceDataCollection all = new TopicProduceDataCollection();
    for (TopicProduceData topic : topics) {
      all.add(topic);
    }
    return new ProduceRequestData().setAcks((short) acks).setTimeoutMs(1000).setTopicData(all);
  }

  private static PartitionProduceResponse answerOf(
      ProduceResponseData answer, int topic, int partition) {
    return ((TopicProduceResponse) answer.responses().toArray()[topic])
        .partitionResponses()
        .get(partition);
  }

  @ParameterizedTest
  @MethodSource("produceVersions")
  void produceAnswersEachPartitionInEveryVersion(int version) {
    var request =
        produce(
            -1,
            produceTopic("orders", 0, batch(3, 10), 1, batch(1, 10), 7, batch(1, 10)),
            produceTopic("nowhere", 0, batch(1, 10)),
            produceTopic("__consumer_offsets", 0, batch(1, 10)));
    broker.cluster.createTopic("__consumer_offsets", 1);
    if (version >= 13) {
      request.topicData().forEach(topic -> topic.setTopicId(id(topic.name())));
    }
    ProduceResponseData answer = client.ask(version, request, new ProduceResponseData());
    assertEquals(3, answer.responses().size());
    TopicProduceResponse orders = (TopicProduceResponse) answer.responses().toArray()[0];
    if (version >= 13) {
      assertEquals(id("orders"), orders.topicId());
    } else {
      assertEquals("orders", orders.name());
    }
    assertEquals(0, answerOf(answer, 0, 0).errorCode());
    assertEquals(0, answerOf(answer, 0, 0).baseOffset());
    assertEquals(-1, answerOf(answer, 0, 0).logAppendTimeMs());
    assertEquals(version >= 5 ? 0 : -1, answerOf(answer, 0, 0).logStartOffset());
    assertNull(answerOf(answer, 0, 0).errorMessage());
    assertEquals(1, answerOf(answer, 0, 1).index());
    assertEquals(Errors.UNKNOWN_TOPIC_OR_PARTITION.code(), answerOf(answer, 0, 2).errorCode());
    assertEquals(
        (version >= 13 ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION).code(),
        answerOf(answer, 1, 0).errorCode());
    assertEquals(Errors.INVALID_TOPIC_EXCEPTION.code(), answerOf(answer, 2, 0).errorCode(), "T69");
    assertEquals(3, logEnd("orders", 0));
  }

  private long logEnd(String topic, int partition) {
    return Objects.requireNonNull(
            Objects.requireNonNull(broker.partitions.topic(topic)).partition(partition))
        .logEndOffset();
  }

  @Test
  void t8AcksZeroIsSilentAndAnErrorCloses() {
    client.send(9, 1, produce(0, produceTopic("orders", 0, batch(1, 10))));
    client.send(9, 2, produce(1, produceTopic("orders", 0, batch(1, 10))));
    assertEquals(2, client.receive().getInt());
    client.send(9, 3, produce(0, produceTopic("orders", 9, batch(1, 10))));
    assertTrue(client.closedByBroker());
  }

  @Test
  void t8AcksOtherThanThoseThreeAreRefused() {
    var answer =
        client.ask(
            9, produce(2, produceTopic("orders", 0, batch(1, 10))), new ProduceResponseData());
    assertEquals(Errors.INVALID_REQUIRED_ACKS.code(), answerOf(answer, 0, 0).errorCode());
  }

  @Test
  void badBatchesAreRefusedByPartitionAndTheRestGoesOn() {
    ByteBuffer corrupt = batch(1, 50);
    corrupt.put(corrupt.limit() - 1, (byte) 99);
    ByteBuffer transactional =
        new RecordBatchBuilder()
            .attributes(0x10)
            .producer(1, (short) 0, 0)
            .add(1, null, null)
            .build();
    var request = produce(-1, produceTopic("orders", 0, corrupt, 1, batch(1, 1)));
    var answer = client.ask(9, request, new ProduceResponseData());
    assertEquals(Errors.CORRUPT_MESSAGE.code(), answerOf(answer, 0, 0).errorCode());
    assertEquals(0, answerOf(answer, 0, 1).errorCode());
    answer =
        client.ask(
            9, produce(-1, produceTopic("orders", 0, transactional)), new ProduceResponseData());
    assertEquals(
        Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code(), answerOf(answer, 0, 0).errorCode());
    answer =
        client.ask(
            9,
            produce(-1, produceTopic("orders", 0, ByteBuffer.allocate(0))),
            new ProduceResponseData());
    assertEquals(Errors.INVALID_RECORD.code(), answerOf(answer, 0, 0).errorCode());
  }

  @Test
  void zstdNeedsVersion7() {
    ByteBuffer zstd = batch(1, 10);
    zstd.putShort(21, (short) 4);
    io.takhin.api.record.RecordBatch.updateCrc(zstd, 0);
    var answer =
        client.ask(6, produce(-1, produceTopic("orders", 0, zstd)), new ProduceResponseData());
    assertEquals(Errors.UNSUPPORTED_COMPRESSION_TYPE.code(), answerOf(answer, 0, 0).errorCode());
  }

  @Test
  void acknowledgementsThatWaitHoldTheOrderOfAnswersButNotTheConnection() {
    broker.storage.holdCommits(true);
    client.send(9, 1, produce(-1, produceTopic("orders", 0, batch(1, 10))));
    client.send(9, 2, produce(1, produceTopic("orders", 1, batch(1, 10))));
    assertTrue(client.silentFor(100));
    try (RawClient other = broker.client()) {
      other.send(3, 5, new ApiVersionsRequestData());
      assertEquals(5, other.receive().getInt());
    }
    broker.storage.holdCommits(false);
    assertEquals(1, client.receive().getInt());
    assertEquals(2, client.receive().getInt());
  }

  @Test
  void smallProducesThatWaitDoNotHoldAReceiveBufferEach() {
    broker.storage.holdCommits(true);
    List<RawClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < WAITING; i++) {
        RawClient waiting = broker.client();
        clients.add(waiting);
        waiting.send(9, i, produce(-1, produceTopic("orders", 0, batch(1, 10))));
        long until = i + 1L;
        // One recv each: the next is sent when this one is in the log.
        while (logEnd("orders", 0) < until) {
          Thread.onSpinWait();
        }
      }
      Double held = broker.context.metrics().value("takhin_kafka_direct_memory_bytes");
      // A chunk or two of the pool for each of the two loops; 50 MiB of receive buffers otherwise.
      assertTrue(held != null && held <= 24 * 1024 * 1024, held + " bytes");
      broker.storage.holdCommits(false);
      for (int i = 0; i < WAITING; i++) {
        ProduceResponseData answer =
            clients.get(i).receive(ApiKeys.PRODUCE, 9, i, new ProduceResponseData());
        assertEquals(0, answerOf(answer, 0, 0).errorCode());
        assertEquals(i, answerOf(answer, 0, 0).baseOffset());
      }
    } finally {
      clients.forEach(RawClient::close);
    }
  }

  // ---- fetch

  private FetchRequestData fetch(int maxWaitMs, int minBytes, FetchTopic... topics) {
    return new FetchRequestData()
        .setMaxWaitMs(maxWaitMs)
        .setMinBytes(minBytes)
        .setTopics(List.of(topics));
  }

  private FetchTopic fetchTopic(String name, long... indexesAndOffsets) {
    FetchTopic topic = new FetchTopic().setTopic(name).setTopicId(id(name));
    for (int i = 0; i < indexesAndOffsets.length; i += 2) {
      topic
          .partitions()
          .add(
              new FetchPartition()
                  .setPartition((int) indexesAndOffsets[i])
                  .setFetchOffset(indexesAndOffsets[i + 1])
                  .setPartitionMaxBytes(1 << 20));
    }
    return topic;
  }

  private void append(String topic, int partition, ByteBuffer records) {
    try (RawClient other = broker.client()) {
      var answer =
          other.ask(
              9, produce(1, produceTopic(topic, partition, records)), new ProduceResponseData());
      assertEquals(0, answerOf(answer, 0, 0).errorCode());
    }
  }

  private static List<String> keys(PartitionData partition) {
    return java.util.stream.StreamSupport.stream(
            ((MemoryRecords) Objects.requireNonNull(partition.records())).records().spliterator(),
            false)
        .map(each -> each.offset() + ":" + StandardCharsets.UTF_8.decode(each.key()))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("fetchVersions")
  void fetchAnswersEachPartitionInEveryVersion(int version) {
    append("orders", 0, batch(3, 10));
    append("orders", 0, batch(2, 40_000));
    var request =
        fetch(0, 1, fetchTopic("orders", 0, 0, 1, 0, 7, 0), fetchTopic("nowhere", 0, 0))
            .setIsolationLevel((byte) (version % 2));
    FetchResponseData answer = client.ask(version, request, new FetchResponseData());
    assertEquals(0, answer.errorCode());
    assertEquals(2, answer.responses().size());
    assertEquals(0, answer.sessionId());
    var orders = answer.responses().get(0);
    if (version >= 13) {
      assertEquals(id("orders"), orders.topicId());
    } else {
      assertEquals("orders", orders.topic());
    }
    PartitionData first = orders.partitions().get(0);
    assertEquals(0, first.errorCode());
    assertEquals(5, first.highWatermark());
    assertEquals(5, first.lastStableOffset());
    assertEquals(version >= 5 ? 0 : -1, first.logStartOffset());
    assertEquals(version % 2 == 0 ? null : List.of(), first.abortedTransactions());
    assertEquals(-1, first.preferredReadReplica());
    assertEquals(List.of("0:key-0", "1:key-1", "2:key-2", "3:key-0", "4:key-1"), keys(first));
    for (RecordBatch batch : ((MemoryRecords) Objects.requireNonNull(first.records())).batches()) {
      batch.ensureValid();
    }
    PartitionData empty = orders.partitions().get(1);
    assertEquals(0, empty.errorCode());
    assertEquals(0, Objects.requireNonNull(empty.records()).sizeInBytes());
    assertEquals(Errors.UNKNOWN_TOPIC_OR_PARTITION.code(), orders.partitions().get(2).errorCode());
    PartitionData unknown = answer.responses().get(1).partitions().get(0);
    assertEquals(
        (version >= 13 ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION).code(),
        unknown.errorCode());
    assertEquals(-1, unknown.highWatermark());
  }

  @Test
  void offsetsBeyondTheLogAreOutOfRange() {
    append("orders", 0, batch(1, 1));
    var answer =
        client.ask(12, fetch(10_000, 1, fetchTopic("orders", 0, 5)), new FetchResponseData());
    assertEquals(
        Errors.OFFSET_OUT_OF_RANGE.code(),
        answer.responses().get(0).partitions().get(0).errorCode());
  }

  @Test
  void t28ALongPollWaitsForBytesAndNotForLess() {
    client.send(12, 1, fetch(20_000, 5000, fetchTopic("orders", 0, 0, 1, 0)));
    append("orders", 0, batch(1, 1000));
    assertTrue(client.silentFor(50));
    append("orders", 1, batch(1, 1000));
    assertTrue(client.silentFor(50));
    append("orders", 0, batch(1, 4000));
    var answer = client.receive(ApiKeys.FETCH, 12, 1, new FetchResponseData());
    assertEquals(2, keys(answer.responses().get(0).partitions().get(0)).size());
    assertEquals(1, keys(answer.responses().get(0).partitions().get(1)).size());
  }

  @Test
  void t28ALongPollEndsAfterItsTimeWithWhatThereIs() {
    append("orders", 0, batch(1, 10));
    long start = System.nanoTime();
    var answer =
        client.ask(12, fetch(150, 100_000, fetchTopic("orders", 0, 0)), new FetchResponseData());
    // Up to a sixteenth early, to end together with others.
    assertTrue(System.nanoTime() - start >= 150_000_000 - 150_000_000 / 16);
    assertEquals(1, keys(answer.responses().get(0).partitions().get(0)).size());
  }

  @Test
  void t28ALongPollEndsWhenItsTopicIsDeleted() {
    client.send(12, 1, fetch(20_000, 1, fetchTopic("orders", 0, 0)));
    assertTrue(client.silentFor(50));
    broker.partitions.deleteTopic("orders");
    var answer = client.receive(ApiKeys.FETCH, 12, 1, new FetchResponseData());
    assertEquals(
        Errors.UNKNOWN_TOPIC_OR_PARTITION.code(),
        answer.responses().get(0).partitions().get(0).errorCode());
  }

  @Test
  void t12ATopicMadeAnewIsAnotherTopic() {
    append("orders", 0, batch(3, 10));
    Uuid old = id("orders");
    client.ask(13, fetch(0, 1, fetchTopic("orders", 0, 0)), new FetchResponseData());
    client.ask(12, fetch(0, 1, fetchTopic("orders", 0, 0)), new FetchResponseData());
    broker.partitions.deleteTopic("orders");
    broker.cluster.createTopic("orders", 1);
    append("orders", 0, batch(1, 10));
    var byName = client.ask(12, fetch(0, 1, fetchTopic("orders", 0, 0)), new FetchResponseData());
    assertEquals(1, keys(byName.responses().get(0).partitions().get(0)).size());
    var stale = fetchTopic("orders", 0, 0).setTopicId(old);
    var byId = client.ask(13, fetch(0, 1, stale), new FetchResponseData());
    assertEquals(
        Errors.UNKNOWN_TOPIC_ID.code(), byId.responses().get(0).partitions().get(0).errorCode());
  }

  @Test
  void t26AtLeastOneBatchComesAndMaxBytesBoundsTheRest() {
    append("orders", 0, batch(1, 5000));
    append("orders", 0, batch(1, 5000));
    append("orders", 1, batch(1, 5000));
    var request = fetch(0, 1, fetchTopic("orders", 0, 0, 1, 0)).setMaxBytes(100);
    var answer = client.ask(12, request, new FetchResponseData());
    var partitions = answer.responses().get(0).partitions();
    assertEquals(1, keys(partitions.get(0)).size());
    assertEquals(0, Objects.requireNonNull(partitions.get(1).records()).sizeInBytes());
    assertEquals(1, partitions.get(1).highWatermark());
  }

  // ---- sessions

  private FetchRequestData session(int id, int epoch, FetchTopic... topics) {
    return fetch(0, 1, topics).setSessionId(id).setSessionEpoch(epoch);
  }

  private FetchResponseData ask(int version, FetchRequestData request) {
    return client.ask(version, request, new FetchResponseData());
  }

  @Test
  void t27ASessionTellsAllFirstAndThenOnlyWhatChanged() {
    int id = ask(12, session(0, 0, fetchTopic("orders", 0, 0, 1, 0))).sessionId();
    assertTrue(id > 0);
    assertEquals(0, ask(12, session(id, 1)).responses().size());
    append("orders", 1, batch(2, 10));
    var changed = ask(12, session(id, 2));
    assertEquals(id, changed.sessionId());
    assertEquals(1, changed.responses().size());
    assertEquals(1, changed.responses().get(0).partitions().size());
    assertEquals(1, changed.responses().get(0).partitions().get(0).partitionIndex());
    assertEquals(2, keys(changed.responses().get(0).partitions().get(0)).size());
    assertEquals(0, ask(12, session(id, 3, fetchTopic("orders", 1, 2))).responses().size());
  }

  @Test
  void t27WrongEpochsAndIdsAndKindsOfTopicsHaveTheirErrors() {
    int id = ask(12, session(0, 0, fetchTopic("orders", 0, 0))).sessionId();
    assertEquals(Errors.FETCH_SESSION_ID_NOT_FOUND.code(), ask(12, session(id + 1, 1)).errorCode());
    assertEquals(Errors.INVALID_FETCH_SESSION_EPOCH.code(), ask(12, session(id, 5)).errorCode());
    assertEquals(Errors.FETCH_SESSION_TOPIC_ID_ERROR.code(), ask(13, session(id, 1)).errorCode());
    assertEquals(0, ask(12, session(id, 1)).errorCode());
  }

  @Test
  void t27ForgottenPartitionsAreGoneAndAnEmptySessionEnds() {
    int id = ask(12, session(0, 0, fetchTopic("orders", 0, 0, 1, 0))).sessionId();
    var forget = session(id, 1);
    forget
        .forgottenTopicsData()
        .add(new ForgottenTopic().setTopic("orders").setPartitions(List.of(0)));
    assertEquals(0, ask(12, forget).errorCode());
    append("orders", 0, batch(1, 10));
    append("orders", 1, batch(1, 10));
    var rest = ask(12, session(id, 2));
    assertEquals(1, rest.responses().get(0).partitions().size());
    assertEquals(1, rest.responses().get(0).partitions().get(0).partitionIndex());
    var all = session(id, 3);
    all.forgottenTopicsData()
        .add(new ForgottenTopic().setTopic("orders").setPartitions(List.of(1)));
    assertEquals(0, ask(12, all).sessionId());
    assertEquals(Errors.FETCH_SESSION_ID_NOT_FOUND.code(), ask(12, session(id, 4)).errorCode());
  }

  @Test
  void t27ASessionClosedByItsClientIsGone() {
    int id = ask(12, session(0, 0, fetchTopic("orders", 0, 0))).sessionId();
    assertEquals(0, ask(12, session(id, -1)).errorCode());
    assertEquals(Errors.FETCH_SESSION_ID_NOT_FOUND.code(), ask(12, session(id, 1)).errorCode());
  }

  @Test
  void b21WithTooManySessionsClientsFetchWithout() {
    try (TestBroker few = new TestBroker(HotApisTest::twoSessions);
        RawClient one = few.client()) {
      few.cluster.createTopic("orders", 1);
      var request =
          fetch(
                  0,
                  1,
                  new FetchTopic()
                      .setTopic("orders")
                      .setPartitions(List.of(new FetchPartition().setPartitionMaxBytes(100))))
              .setSessionEpoch(0);
      assertTrue(one.ask(12, request, new FetchResponseData()).sessionId() > 0);
      try (RawClient two = few.client()) {
        assertTrue(two.ask(12, request, new FetchResponseData()).sessionId() > 0);
        assertEquals(0, two.ask(12, request, new FetchResponseData()).sessionId());
      }
      int id = 0;
      while (id == 0) {
        // The session of the closed connection is free as soon as the broker has seen the end.
        id = one.ask(12, request, new FetchResponseData()).sessionId();
      }
    }
  }

  private static TestBroker.Settings twoSessions(TestBroker.Settings base) {
    return new TestBroker.Settings(
        base.maxConnections(),
        base.perIp(),
        base.requestMaxBytes(),
        base.idleMs(),
        base.firstRequestMs(),
        base.arrivalMs(),
        base.queuedBytes(),
        base.queuedRequests(),
        base.receiveBytes(),
        2,
        base.nativeTransport());
  }

  @Test
  void t26InASessionWhoGotDataGoesToTheEnd() {
    append("orders", 0, batch(1, 5000));
    append("orders", 0, batch(1, 5000));
    append("orders", 1, batch(1, 5000));
    var first = session(0, 0, fetchTopic("orders", 0, 0, 1, 0)).setMaxBytes(100);
    var answer = ask(12, first);
    assertEquals(1, keys(answer.responses().get(0).partitions().get(0)).size());
    var next = session(answer.sessionId(), 1, fetchTopic("orders", 0, 1)).setMaxBytes(100);
    var second = ask(12, next);
    assertEquals(1, second.responses().get(0).partitions().get(0).partitionIndex());
    assertEquals(1, keys(second.responses().get(0).partitions().get(0)).size());
  }

  @Test
  void t26ABatchThatDidNotFitComesWhenItsPartitionIsFirst() {
    append("orders", 0, batch(1, 10));
    append("orders", 1, batch(1, 5000));
    var small = fetchTopic("orders", 0, 0, 1, 0);
    small.partitions().forEach(each -> each.setPartitionMaxBytes(200));
    var first = ask(12, session(0, 0, small));
    assertEquals(1, keys(first.responses().get(0).partitions().get(0)).size());
    assertEquals(
        0,
        Objects.requireNonNull(first.responses().get(0).partitions().get(1).records())
            .sizeInBytes());
    var next = ask(12, session(first.sessionId(), 1, fetchTopic("orders", 0, 1)));
    assertEquals(1, next.responses().get(0).partitions().get(0).partitionIndex());
    assertEquals(1, keys(next.responses().get(0).partitions().get(0)).size());
  }

  @Test
  void aFetchAsAReplicaIsRefused() {
    var request = fetch(0, 1, fetchTopic("orders", 0, 0)).setReplicaId(2);
    assertEquals(Errors.CLUSTER_AUTHORIZATION_FAILED.code(), ask(12, request).errorCode());
  }

  @Test
  void aFetchBehindAParkedOneWaitsItsTurn() {
    append("orders", 1, batch(1, 10));
    client.send(12, 1, fetch(20_000, 1, fetchTopic("orders", 0, 0)));
    client.send(12, 2, fetch(20_000, 1, fetchTopic("orders", 1, 0)));
    assertTrue(client.silentFor(50));
    append("orders", 0, batch(1, 10));
    var one = client.receive(ApiKeys.FETCH, 12, 1, new FetchResponseData());
    var two = client.receive(ApiKeys.FETCH, 12, 2, new FetchResponseData());
    assertEquals(0, one.responses().get(0).partitions().get(0).partitionIndex());
    assertEquals(1, keys(two.responses().get(0).partitions().get(0)).size());
  }

  @Test
  void aParkedFetchOfAClientThatLeavesLeavesNothingBehind() {
    for (int i = 0; i < 20; i++) {
      try (RawClient leaving = broker.client()) {
        leaving.send(12, 1, fetch(20_000, 1, fetchTopic("orders", 0, 0)));
      }
    }
    append("orders", 0, batch(1, 10));
    assertArrayEquals(
        new String[] {"0:key-0"},
        keys(ask(12, fetch(0, 1, fetchTopic("orders", 0, 0)))
                .responses()
                .get(0)
                .partitions()
                .get(0))
            .toArray());
  }
}
