package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// C6, C7: what a network and impatient clients can do to the requests of transactions
/// (`transaction.version=2`): copies of Produce, EndTxn and WriteTxnMarkers at the same time on
/// several connections, and again much later, in the next transaction, or after a successor took
/// over the id. A transaction is seen as a whole or not at all, and none stays open.
class TornTransactionsIT {
  private static final int SEEDS = Integer.getInteger("takhin.torn.seeds", 200);
  private static final long FIRST_SEED = Long.getLong("takhin.torn.seed", 1L);
  private static final int PARTITIONS = 3;
  private static final int CONNECTIONS = 3;
  private static final int PRODUCE_VERSION = 12;
  private static final int END_VERSION = 5;
  private static final int MARKERS_VERSION = 2;
  private static final int INIT_VERSION = 5;
  private static final short LAST_EPOCH = 32766;
  private static Broker broker;

  @BeforeAll
  static void start() {
    broker = Broker.started();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  /// A request that may be sent again.
  private record Sent(ApiMessage request, int version) {}

  /// What a client knows of a transaction.
  private static final class Outcome {
    final Set<String> acknowledged = new TreeSet<>();
    // Null while not known.
    Boolean committed;
  }

  private static final Map<String, Outcome> LEDGER = new TreeMap<>();

  private static InitProducerIdRequestData init(String id, long producerId, short epoch) {
    return new InitProducerIdRequestData()
        .setTransactionalId(id)
        .setTransactionTimeoutMs(60_000)
        .setProducerId(producerId)
        .setProducerEpoch(epoch);
  }

  private static EndTxnRequestData end(String id, long producerId, short epoch, boolean commit) {
    return new EndTxnRequestData()
        .setTransactionalId(id)
        .setProducerId(producerId)
        .setProducerEpoch(epoch)
        .setCommitted(commit);
  }

  private static ProduceRequestData produce(
      String topic,
      String id,
      long producerId,
      short epoch,
      int partition,
      int sequence,
      String v) {
    var records =
        MemoryRecords.withTransactionalRecords(
            Compression.NONE,
            producerId,
            epoch,
            sequence,
            new SimpleRecord(v.getBytes(StandardCharsets.UTF_8)));
    var data = new ProduceRequestData.TopicProduceDataCollection();
    data.add(
        new ProduceRequestData.TopicProduceData()
            .setName(topic)
            .setPartitionData(
                List.of(
                    new ProduceRequestData.PartitionProduceData()
                        .setIndex(partition)
                        .setRecords(records))));
    return new ProduceRequestData()
        .setTransactionalId(id)
        .setAcks((short) -1)
        .setTimeoutMs(10_000)
        .setTopicData(data);
  }

  private static Errors error(ProduceResponseData answer) {
    return Errors.forCode(
        answer.responses().iterator().next().partitionResponses().getFirst().errorCode());
  }

  /// One transactional id under one seed.
  private static final class Client {
    private static final int MOST_ATTEMPTS = 100;

    private final String topic;
    private final String id;
    private final Random random;
    private final List<WireClient> connections;
    private final List<Sent> late = new ArrayList<>();
    private final int[] sequences = new int[PARTITIONS];
    private long producerId;
    private short epoch;
    private int transactions;

    Client(String topic, String id, Random random, List<WireClient> connections) {
      this.topic = topic;
      this.id = id;
      this.random = random;
      this.connections = connections;
    }

    private WireClient any() {
      return connections.get(random.nextInt(connections.size()));
    }

    /// Sends one to three copies at the same time, and keeps some for later.
    private List<WireClient.Answer> send(ApiMessage request, int version) throws IOException {
      List<WireClient.Answer> answers = new ArrayList<>();
      int copies = random.nextInt(10) < 6 ? 1 : 2 + random.nextInt(2);
      for (int i = 0; i < copies; i++) {
        answers.add(any().send(request, version));
      }
      if (random.nextInt(10) < 4) {
        late.add(new Sent(request, version));
      }
      return answers;
    }

    /// A copy from long ago arrives.
    private void sendLate() throws IOException {
      if (!late.isEmpty() && random.nextBoolean()) {
        Sent which = late.get(random.nextInt(late.size()));
        any().send(which.request(), which.version());
      }
    }

    void begin() throws IOException {
      Errors error = Errors.NONE;
      for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        var answer =
            any().send(init(id, -1, (short) -1), INIT_VERSION).as(InitProducerIdResponseData.class);
        error = Errors.forCode(answer.errorCode());
        if (error == Errors.NONE) {
          producerId = answer.producerId();
          epoch = answer.producerEpoch();
          Arrays.fill(sequences, 0);
          return;
        }
        assertEquals(Errors.CONCURRENT_TRANSACTIONS, error);
      }
      throw new AssertionError("no producer id: " + error);
    }

    /// One transaction, to its end or to the point where a successor takes over.
    void transaction() throws IOException {
      String name = id + "/" + transactions++;
      Outcome outcome = new Outcome();
      LEDGER.put(name, outcome);
      int writes = 1 + random.nextInt(4);
      for (int i = 0; i < writes; i++) {
        int partition = random.nextInt(PARTITIONS);
        String value = name + "/" + i;
        sendLate();
        produceUntilAcknowledged(partition, value, outcome);
      }
      if (random.nextInt(8) == 0) {
        // A successor comes while the end is on its way, or before it is sent at all.
        boolean ends = random.nextBoolean();
        boolean commit = random.nextBoolean();
        if (ends) {
          send(end(id, producerId, epoch, commit), END_VERSION);
        } else {
          late.add(new Sent(end(id, producerId, epoch, true), END_VERSION));
        }
        outcome.committed = (ends && commit) ? null : Boolean.FALSE;
        begin();
        return;
      }
      sendLate();
      endUntilKnown(random.nextInt(3) > 0, outcome);
    }

    private void produceUntilAcknowledged(int partition, String value, Outcome outcome)
        throws IOException {
      int sequence = sequences[partition]++;
      var request = produce(topic, id, producerId, epoch, partition, sequence, value);
      for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        boolean acknowledged = false;
        for (WireClient.Answer each : send(request, PRODUCE_VERSION)) {
          Errors error = error(each.as(ProduceResponseData.class));
          acknowledged |= error == Errors.NONE || error == Errors.DUPLICATE_SEQUENCE_NUMBER;
          assertTrue(
              acknowledged || error == Errors.CONCURRENT_TRANSACTIONS,
              () -> value + ": " + error + " at epoch " + epoch);
        }
        if (acknowledged) {
          outcome.acknowledged.add(value);
          return;
        }
      }
      throw new AssertionError(value + " is never taken");
    }

    private void endUntilKnown(boolean commit, Outcome outcome) throws IOException {
      var request = end(id, producerId, epoch, commit);
      for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        EndTxnResponseData success = null;
        for (WireClient.Answer each : send(request, END_VERSION)) {
          var answer = each.as(EndTxnResponseData.class);
          Errors error = Errors.forCode(answer.errorCode());
          if (error == Errors.NONE) {
            assertTrue(success == null || success.equals(answer), "two outcomes of one end");
            success = answer;
          } else {
            assertEquals(Errors.CONCURRENT_TRANSACTIONS, error, id);
          }
        }
        if (success != null) {
          outcome.committed = commit;
          if (random.nextInt(3) == 0) {
            late.add(marker(success.producerId(), success.producerEpoch(), commit));
          }
          if (success.producerId() != producerId || success.producerEpoch() != epoch) {
            Arrays.fill(sequences, 0);
          }
          producerId = success.producerId();
          epoch = success.producerEpoch();
          return;
        }
      }
      throw new AssertionError(id + " cannot end its transaction");
    }

    /// The marker of the transaction that ended, as its coordinator sends it once more.
    private Sent marker(long ofProducer, short markerEpoch, boolean commit) {
      return new Sent(
          new WriteTxnMarkersRequestData()
              .setMarkers(
                  List.of(
                      new WriteTxnMarkersRequestData.WritableTxnMarker()
                          .setProducerId(ofProducer)
                          .setProducerEpoch(markerEpoch)
                          .setTransactionResult(commit)
                          .setCoordinatorEpoch(0)
                          .setTransactionVersion((byte) 2)
                          .setTopics(
                              List.of(
                                  new WriteTxnMarkersRequestData.WritableTxnMarkerTopic()
                                      .setName(topic)
                                      .setPartitionIndexes(
                                          IntStream.range(0, PARTITIONS).boxed().toList()))))),
          MARKERS_VERSION);
    }

    /// All that is still in the network arrives when everything is over.
    void deliverTheRest() throws IOException {
      for (Sent each : late) {
        any().send(each.request(), each.version());
      }
    }
  }

  private static List<WireClient> connections() throws IOException {
    List<WireClient> connections = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS; i++) {
      connections.add(new WireClient(broker.kafkaPort()));
    }
    return connections;
  }

  private static void findCoordinator(WireClient of, String id) {
    Await.until(
        Duration.ofSeconds(30),
        () -> "no coordinator\n" + broker.output(),
        () ->
            of.send(
                        new FindCoordinatorRequestData()
                            .setKeyType((byte) 1)
                            .setCoordinatorKeys(List.of(id)),
                        4)
                    .as(FindCoordinatorResponseData.class)
                    .coordinators()
                    .getFirst()
                    .errorCode()
                == 0);
  }

  private static void barrier(List<WireClient> connections, String id) throws IOException {
    for (WireClient each : connections) {
      each.send(init(id, -1, (short) -1), INIT_VERSION).as(InitProducerIdResponseData.class);
    }
  }

  @Test
  void c6NoTransactionIsTornByLateOrRepeatedRequests() throws Exception {
    broker.createTopic("torn", PARTITIONS, Map.of());
    List<WireClient> connections = connections();
    findCoordinator(connections.getFirst(), "torn");
    for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      Client client = new Client("torn", "torn-" + seed, new Random(seed), connections);
      try {
        client.begin();
        for (int i = 0; i < 5; i++) {
          client.transaction();
        }
        client.begin(); // ends what is open
        client.deliverTheRest();
      } catch (AssertionError | IOException e) {
        throw new AssertionError("seed " + seed + "\n" + broker.output(), e);
      }
    }
    barrier(connections, "barrier");
    check("torn");
    for (WireClient each : connections) {
      each.close();
    }
  }

  /// C7: the last epochs of a producer id, then a new id, under the same rules.
  @Test
  void c7EpochsRunOutWithoutATear() throws Exception {
    broker.createTopic("overflow", PARTITIONS, Map.of());
    List<WireClient> connections = connections();
    WireClient one = connections.getFirst();
    findCoordinator(one, "overflow");
    int ahead = 32_750;
    for (int i = 0; i < ahead; i += 50) {
      WireClient.Answer last = null;
      for (int k = 0; k < 50; k++) {
        last = one.send(init("overflow", -1, (short) -1), INIT_VERSION);
      }
      assertEquals(0, last.as(InitProducerIdResponseData.class).errorCode(), () -> broker.output());
    }
    Client client = new Client("overflow", "overflow", new Random(7), connections);
    client.begin();
    long before = client.producerId;
    assertTrue(client.epoch > LAST_EPOCH - 40, "epoch " + client.epoch);
    int transactions = 0;
    while (client.producerId == before) {
      assertTrue(client.epoch <= LAST_EPOCH, "epoch " + client.epoch);
      client.transaction();
      assertTrue(++transactions < 100, "the epochs have no end");
    }
    for (int i = 0; i < 5; i++) {
      client.transaction();
    }
    client.begin();
    client.deliverTheRest();
    barrier(connections, "barrier");
    check("overflow");
    for (WireClient each : connections) {
      each.close();
    }
  }

  /// All that read_committed shows, against what the clients know.
  private static void check(String topic) {
    List<TopicPartition> all =
        IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(topic, p)).toList();
    Map<String, Set<String>> seen = new HashMap<>();
    try (Consumer<String, String> committed = consumer("read_committed");
        Consumer<String, String> plain = consumer("read_uncommitted")) {
      committed.assign(all);
      committed.seekToBeginning(all);
      // The end of everybody: none of the late requests opened a transaction.
      Map<TopicPartition, Long> end = plain.endOffsets(all);
      Await.until(
          Duration.ofSeconds(60),
          () -> "read_committed stands at " + committed.endOffsets(all) + " of " + end,
          () -> {
            for (ConsumerRecord<String, String> each : committed.poll(Duration.ofMillis(100))) {
              String value = each.value();
              String name = value.substring(0, value.lastIndexOf('/'));
              assertTrue(
                  seen.computeIfAbsent(name, key -> new TreeSet<>()).add(value),
                  () -> value + " is there twice");
            }
            return all.stream().allMatch(each -> committed.position(each) >= end.get(each));
          });
    }
    int transactions = 0;
    for (Map.Entry<String, Outcome> each : LEDGER.entrySet()) {
      if (!each.getKey().startsWith(topic)) {
        continue;
      }
      transactions++;
      Set<String> visible = seen.getOrDefault(each.getKey(), Set.of());
      Outcome outcome = each.getValue();
      boolean commit = outcome.committed == null ? !visible.isEmpty() : outcome.committed;
      assertEquals(
          commit ? outcome.acknowledged : Set.of(),
          visible,
          () -> each.getKey() + " is torn; committed: " + outcome.committed);
    }
    System.out.println(topic + ": " + transactions + " transactions, none torn");
  }

  private static Consumer<String, String> consumer(String isolation) {
    return new KafkaConsumer<>(
        broker.client(Map.of("isolation.level", isolation)),
        new StringDeserializer(),
        new StringDeserializer());
  }
}
