package io.takhin.bench;

import io.takhin.bench.Batches.Shape;
import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/// P6 with transactions: what bulk costs in them, and how long small ones take. Both brokers under
/// `transaction.version=2`, as current clients have it: partitions join by the produce, and each
/// transaction has an epoch of its own.
final class TransactionCases {
  private static final short PRODUCE_VERSION = 12;
  private static final short END_VERSION = 5;
  private static final short INIT_VERSION = 5;
  private static final double GIB = 1 << 30;

  /// So long before something is due, the client's thread may sleep.
  private static final long LONG_NANOS = 1_500_000;

  private TransactionCases() {}

  static List<Case> all() {
    return List.of(
        Case.of("produce", "P6txn", TransactionCases::bulk),
        Case.of("small", "P6commit", TransactionCases::small),
        Case.of("small", "P6none", TransactionCases::none));
  }

  /// A transactional id on a connection of its own.
  private static class Producer {
    final Connection connection;
    final String id;
    long producerId;
    short epoch;

    Producer(Client client, Connection connection, String id) throws IOException {
      this.connection = connection;
      this.id = id;
      InitProducerIdResponseData init = init(client, id);
      producerId = init.producerId();
      epoch = init.producerEpoch();
    }

    ByteBuffer produce(String topic, int partition, Shape shape, int sequence, int correlation) {
      var records = batch(shape, partition, producerId, epoch, sequence * shape.records());
      TopicProduceData data = new TopicProduceData().setName(topic);
      data.partitionData().add(new PartitionProduceData().setIndex(partition).setRecords(records));
      ProduceRequestData request =
          new ProduceRequestData().setTransactionalId(id).setAcks((short) -1).setTimeoutMs(30_000);
      request.topicData().add(data);
      return Client.encode(ApiKeys.PRODUCE, PRODUCE_VERSION, correlation, request);
    }

    ByteBuffer commit() {
      return Client.encode(
          ApiKeys.END_TXN,
          END_VERSION,
          0,
          new EndTxnRequestData()
              .setTransactionalId(id)
              .setProducerId(producerId)
              .setProducerEpoch(epoch)
              .setCommitted(true));
    }

    /// Whether the end took place; if so the next epoch is known.
    boolean ended(ByteBuffer body) {
      body.position(body.position() + 5);
      EndTxnResponseData answer = new EndTxnResponseData(new ByteBufferAccessor(body), END_VERSION);
      if (retriable(answer.errorCode())) {
        return false;
      }
      producerId = answer.producerId();
      epoch = answer.producerEpoch();
      return true;
    }

    static boolean produced(ByteBuffer body) {
      body.position(body.position() + 5);
      ProduceResponseData answer =
          new ProduceResponseData(new ByteBufferAccessor(body), PRODUCE_VERSION);
      return !retriable(
          answer.responses().iterator().next().partitionResponses().getFirst().errorCode());
    }

    private static boolean retriable(short code) {
      Errors error = Errors.forCode(code);
      if (error != Errors.NONE && error != Errors.CONCURRENT_TRANSACTIONS) {
        throw new IllegalStateException("the broker refused: " + error);
      }
      return error == Errors.CONCURRENT_TRANSACTIONS;
    }
  }

  private static MemoryRecords batch(
      Shape shape, long seed, long producerId, short epoch, int sequence) {
    Random random = new Random(seed);
    SimpleRecord[] records = new SimpleRecord[shape.records()];
    for (int i = 0; i < records.length; i++) {
      byte[] value = new byte[shape.recordBytes()];
      random.nextBytes(value);
      records[i] = new SimpleRecord(value);
    }
    return MemoryRecords.withTransactionalRecords(
        shape.codec(), producerId, epoch, sequence, records);
  }

  private static InitProducerIdResponseData init(Client client, String id) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      short version = 4;
      FindCoordinatorResponseData found =
          new FindCoordinatorResponseData(
              client.call(
                  ApiKeys.FIND_COORDINATOR,
                  version,
                  new FindCoordinatorRequestData()
                      .setKeyType((byte) 1)
                      .setCoordinatorKeys(List.of(id))),
              version);
      if (found.coordinators().getFirst().errorCode() == 0) {
        InitProducerIdResponseData init =
            new InitProducerIdResponseData(
                client.call(
                    ApiKeys.INIT_PRODUCER_ID,
                    INIT_VERSION,
                    new InitProducerIdRequestData()
                        .setTransactionalId(id)
                        .setTransactionTimeoutMs(60_000)),
                INIT_VERSION);
        if (init.errorCode() == 0) {
          return init;
        }
      }
      if (System.nanoTime() > deadline) {
        throw new IOException("no producer id for " + id);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  /// Transactions of 64 batches of 62 KiB over 16 partitions.
  private static final class Bulk extends Producer {
    private static final int ROUNDS = 4;
    private static final int IN_FLIGHT = 5;

    private final String topic;
    private final int partitions;
    private final int transactions;
    // Made for the next transaction while the broker ends the one before.
    private final List<ByteBuffer> frames = new ArrayList<>();
    private int sent;
    private int taken;
    private int done;
    private long bytes;

    Bulk(Client client, Connection connection, Topic topic, int transactions) throws IOException {
      super(client, connection, "bulk-" + topic.name());
      this.topic = topic.name();
      this.partitions = topic.partitions();
      this.transactions = transactions;
    }

    void begin() throws IOException {
      sent = 0;
      taken = 0;
      frames.clear();
      for (int i = 0; i < ROUNDS * partitions; i++) {
        int partition = i % partitions;
        frames.add(produce(topic, partition, ProduceCases.KIB, i / partitions, i));
      }
      for (int i = 0; i < IN_FLIGHT; i++) {
        sendNext();
      }
    }

    private void sendNext() throws IOException {
      if (sent < frames.size()) {
        ByteBuffer frame = frames.get(sent++);
        bytes += frame.remaining();
        connection.send(frame.duplicate());
      }
    }

    void answered(ByteBuffer body) throws IOException {
      if (taken < frames.size()) {
        int which = body.getInt(body.position());
        if (produced(body)) {
          taken++;
          if (taken == frames.size()) {
            connection.send(commit());
          } else {
            sendNext();
          }
        } else {
          connection.send(frames.get(which).duplicate());
        }
      } else if (ended(body)) {
        done++;
        if (done < transactions) {
          begin();
        }
      } else {
        connection.send(commit());
      }
    }

    boolean finished() {
      return done == transactions;
    }
  }

  static List<Figure> bulk(Broker broker) throws IOException {
    int transactions = 256;
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of());
        Client client = new Client(broker.address());
        Connections pool = new Connections(broker.address(), 1)) {
      Bulk warm = new Bulk(client, pool.all().getFirst(), topic, 16);
      run(pool, warm);
      broker.freshPages((long) (1.25 * GIB));
      Bulk load = new Bulk(client, pool.all().getFirst(), topic, transactions);
      double cpu = broker.stats().cpuSeconds();
      run(pool, load);
      cpu = broker.stats().cpuSeconds() - cpu;
      return List.of(
          Figure.cost(
              "P6 produce, transactional: CPU", "CPU-s/GiB", cpu / (load.bytes / GIB), 0.65));
    }
  }

  private static void run(Connections pool, Bulk load) throws IOException {
    load.begin();
    while (!load.finished()) {
      pool.poll(1000, (connection, body) -> load.answered(body));
    }
  }

  /// Transactions of one record, each due at its time.
  private static final class Small extends Producer {
    private final String topic;
    private final int partition;
    private final Histogram latency;
    private long dueNanos;
    private boolean idle = true;
    private boolean committing;
    private int done;
    private ByteBuffer frame;

    Small(Client client, Connection connection, Topic topic, int number, Histogram latency)
        throws IOException {
      super(client, connection, "small-" + number + "-" + topic.name());
      this.topic = topic.name();
      this.partition = number % topic.partitions();
      this.latency = latency;
      frame = produce(this.topic, partition, ProduceCases.TINY, 0, 0);
    }

    void begin(long due) throws IOException {
      dueNanos = due;
      idle = false;
      committing = false;
      frame = produce(topic, partition, ProduceCases.TINY, 0, 0);
      connection.send(frame.duplicate());
    }

    /// The record is there, and the transaction stays open.
    void taken(ByteBuffer body) throws IOException {
      committing = produced(body);
      if (!committing) {
        connection.send(frame.duplicate());
      }
    }

    void answered(ByteBuffer body) throws IOException {
      if (!committing) {
        committing = produced(body);
        connection.send(committing ? commit() : frame.duplicate());
      } else if (ended(body)) {
        latency.recordValue(Math.max(0, System.nanoTime() - dueNanos));
        idle = true;
        done++;
      } else {
        connection.send(commit());
      }
    }
  }

  /// From the first byte of the record until the commit is acknowledged.
  static List<Figure> small(Broker broker) throws IOException {
    int producers = 8;
    int perSecond = 400;
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of());
        Client client = new Client(broker.address());
        Connections pool = new Connections(broker.address(), producers)) {
      paced(client, pool, topic, perSecond, perSecond * 10);
      double cpu = broker.stats().cpuSeconds();
      int transactions = perSecond * 8;
      Histogram latency = paced(client, pool, topic, perSecond, transactions);
      cpu = broker.stats().cpuSeconds() - cpu;
      String name = "P6 transactions of one record at " + perSecond + "/s: ";
      return List.of(
          Figure.cost(name + "p50", "ms", latency.getValueAtPercentile(50) / 1e6, 0.5),
          Figure.cost(name + "p99", "ms", latency.getValueAtPercentile(99) / 1e6, 0.5),
          Figure.cost(name + "CPU", "CPU-s/M txn", cpu / transactions * 1e6, 0.65));
    }
  }

  private static Histogram paced(
      Client client, Connections pool, Topic topic, int perSecond, int transactions)
      throws IOException {
    Histogram latency = new Histogram(TimeUnit.MINUTES.toNanos(1), 3);
    List<Small> order = new ArrayList<>();
    for (Connection each : pool.all()) {
      order.add(new Small(client, each, topic, order.size(), latency));
    }
    long interval = TimeUnit.SECONDS.toNanos(1) / perSecond;
    long start = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(10);
    int begun = 0;
    int done = 0;
    while (done < transactions) {
      // In turns: each producer's next transaction is due whether or not its last one is done.
      Small next = order.get(begun % order.size());
      long untilNext = start + begun * interval - System.nanoTime();
      if (begun < transactions && untilNext <= 0 && next.idle) {
        next.begin(start + begun * interval);
        begun++;
      }
      if (untilNext > LONG_NANOS || begun == transactions) {
        pool.poll(1, (connection, body) -> order.get(connection.index).answered(body));
      } else {
        pool.poll(0, (connection, body) -> order.get(connection.index).answered(body));
        LockSupport.parkNanos(10_000);
      }
      done = order.stream().mapToInt(each -> each.done).sum();
    }
    return latency;
  }

  /// What others' open transactions cost those who use none: one-record requests without them, and
  /// while 500 transactions are open.
  static List<Figure> none(Broker broker) throws IOException {
    try (Topic plain = Topic.of(broker, ProduceCases.PARTITIONS, Map.of());
        Topic open = Topic.of(broker, ProduceCases.PARTITIONS, Map.of());
        Client client = new Client(broker.address());
        Connections pool = new Connections(broker.address(), 1)) {
      double before = plain(broker, plain);
      Histogram ignored = new Histogram(3);
      for (int i = 0; i < 500; i++) {
        Small each = new Small(client, pool.all().getFirst(), open, i, ignored);
        each.begin(System.nanoTime());
        while (!each.committing) {
          pool.poll(1000, (connection, body) -> each.taken(body));
        }
      }
      double beside = plain(broker, plain);
      String name = "P6 one record a request, ";
      return List.of(
          Figure.cost(name + "no transaction open: CPU", "CPU-s/M req", before),
          Figure.cost(name + "beside 500 open transactions: CPU", "CPU-s/M req", beside));
    }
  }

  private static double plain(Broker broker, Topic topic) throws IOException {
    List<ByteBuffer> frames = topic.frames(ProduceCases.TINY, 1);
    int requests = 150_000;
    ProduceLoad.closed(broker.address(), 16, 1, frames, topic.errorCodeAt(), requests / 5);
    double cpu = broker.stats().cpuSeconds();
    ProduceLoad.closed(broker.address(), 16, 1, frames, topic.errorCodeAt(), requests);
    return (broker.stats().cpuSeconds() - cpu) / requests * 1e6;
  }
}
