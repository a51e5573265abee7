package io.takhin.bench;

import io.takhin.bench.Batches.Payload;
import io.takhin.bench.Batches.Shape;
import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.record.internal.CompressionType;

/// P1 to P7 and A1: what it costs to take records.
final class ProduceCases {
  static final int PARTITIONS = 16;
  static final Shape KIB = new Shape(62, 1024, Compression.NONE, Payload.RANDOM);
  static final Shape HUNDRED = new Shape(600, 100, Compression.NONE, Payload.RANDOM);
  static final Shape TINY = new Shape(1, 100, Compression.NONE, Payload.RANDOM);
  static final Shape ONE_KIB = new Shape(1, 1024, Compression.NONE, Payload.RANDOM);
  private static final double GIB = 1 << 30;

  private ProduceCases() {}

  static List<Case> all() {
    return List.of(
        Case.of("produce", "P1", ProduceCases::oneKib).inShortForm().also(Kind.TUNED, Kind.FLOOR),
        Case.of(
                "produce",
                "P2",
                broker -> produce(broker, "P2 produce 100 B", HUNDRED, gib(1), Map.of(), 0.45))
            .inShortForm()
            .also(Kind.TUNED, Kind.FLOOR),
        Case.of("produce", "P3lz4", broker -> compressed(broker, CompressionType.LZ4, false, 0.40))
            .also(Kind.FLOOR),
        Case.of(
                "produce",
                "P3zstd",
                broker -> compressed(broker, CompressionType.ZSTD, false, 0.20))
            .also(Kind.FLOOR),
        Case.of(
            "produce",
            "P3strict",
            broker -> {
              // No other case looks into compressed batches: this is its warm-up.
              compressed(broker, CompressionType.LZ4, true, 0.95);
              compressed(broker, CompressionType.ZSTD, true, 0.95);
              List<Figure> figures =
                  new ArrayList<>(compressed(broker, CompressionType.LZ4, true, 0.95));
              figures.addAll(compressed(broker, CompressionType.ZSTD, true, 0.95));
              return figures;
            }),
        Case.of(
            "produce",
            "P6lat",
            broker ->
                produce(
                    broker,
                    "P6 produce, LogAppendTime",
                    KIB,
                    gib(1),
                    Map.of("message.timestamp.type", "LogAppendTime"),
                    0.65)),
        Case.of("produce", "P6idem", ProduceCases::idempotent),
        Case.of("small", "P4", broker -> tiny(broker, 16, 200_000))
            .inShortForm()
            .also(Kind.TUNED, Kind.FLOOR),
        Case.of("small", "P4x256", broker -> tiny(broker, 256, 200_000)).also(Kind.FLOOR),
        Case.of("small", "P7x1", broker -> durable(broker, 1)),
        Case.of("small", "P7x16", broker -> durable(broker, 16)),
        Case.of("small", "P7x256", broker -> durable(broker, 256)),
        Case.of("small", "A1", ProduceCases::allocation));
  }

  /// Gigabytes and small requests in, and tail reads: the JIT has seen these paths then, and the
  /// heap is what it will be.
  static void warmUp(Broker broker) throws IOException {
    produce(broker, "warm-up", KIB, gib(1), Map.of(), Double.NaN);
    produce(broker, "warm-up", HUNDRED, gib(0.5), Map.of(), Double.NaN);
    tiny(broker, 16, 300_000);
    FetchCases.tail(broker, 20_000);
  }

  private static List<Figure> oneKib(Broker broker) throws IOException {
    List<Figure> figures = produce(broker, "P1 produce 1 KiB", KIB, gib(2), Map.of(), 0.65);
    Figure rate = figures.getLast();
    return List.of(
        figures.getFirst(), Figure.gain("P5 produce 1 KiB: rate", rate.unit(), rate.value(), 1.5));
  }

  private static List<Figure> produce(
      Broker broker, String name, Shape shape, long bytes, Map<String, String> configs, double goal)
      throws IOException {
    try (Topic topic = Topic.of(broker, PARTITIONS, configs)) {
      List<ByteBuffer> frames = topic.frames(shape, 4);
      long requests = bytes / frames.getFirst().remaining();
      broker.freshPages(bytes + bytes / 4);
      double cpu = broker.stats().cpuSeconds();
      ProduceLoad.Outcome outcome =
          ProduceLoad.closed(
              broker.address(), 4, ProduceLoad.IN_FLIGHT, frames, topic.errorCodeAt(), requests);
      cpu = broker.stats().cpuSeconds() - cpu;
      double gib = requests * (double) frames.getFirst().remaining() / GIB;
      return List.of(
          Figure.cost(name + ": CPU", "CPU-s/GiB", cpu / gib, goal),
          Figure.gain(name + ": rate", "MiB/s", gib * 1024 / outcome.seconds()));
    }
  }

  private static List<Figure> compressed(
      Broker broker, CompressionType type, boolean strict, double goal) throws IOException {
    Shape shape = new Shape(62, 1024, Compression.of(type).build(), Payload.JSON);
    return produce(
        broker,
        "P3 produce JSON " + type.name + (strict ? ", strict validation" : ""),
        shape,
        gib(type == CompressionType.ZSTD ? 0.25 : 0.5),
        // Kafka looks into every batch anyway.
        strict && broker.kind() == Kind.TAKHIN ? Map.of("takhin.validation", "strict") : Map.of(),
        goal);
  }

  private static List<Figure> tiny(Broker broker, int connections, long requests)
      throws IOException {
    try (Topic topic = Topic.of(broker, PARTITIONS, Map.of())) {
      List<ByteBuffer> frames = topic.frames(TINY, 1);
      double cpu = broker.stats().cpuSeconds();
      ProduceLoad.Outcome outcome =
          ProduceLoad.closed(
              broker.address(), connections, 1, frames, topic.errorCodeAt(), requests);
      cpu = broker.stats().cpuSeconds() - cpu;
      String name = "P4 one record a request, " + connections + " connections";
      return List.of(
          Figure.cost(name + ": CPU", "CPU-s/M req", cpu / requests * 1e6, 0.35),
          Figure.gain(name + ": rate", "req/s", outcome.perSecond()));
    }
  }

  private static List<Figure> idempotent(Broker broker) throws IOException {
    InitProducerIdResponseData producer;
    try (Client client = new Client(broker.address())) {
      producer = client.producerId();
    }
    int perPartition = 1000;
    try (Topic topic = Topic.of(broker, PARTITIONS, Map.of())) {
      List<ByteBuffer> frames = new ArrayList<>();
      for (int i = 0; i < perPartition; i++) {
        for (int p = 0; p < PARTITIONS; p++) {
          frames.add(
              Batches.frame(
                  topic.name(),
                  p,
                  Batches.batch(
                      KIB, p, producer.producerId(), producer.producerEpoch(), i * KIB.records())));
        }
      }
      broker.freshPages(gib(1.25));
      double cpu = broker.stats().cpuSeconds();
      ProduceLoad.closed(
          broker.address(), 1, ProduceLoad.IN_FLIGHT, frames, topic.errorCodeAt(), frames.size());
      cpu = broker.stats().cpuSeconds() - cpu;
      double gib = frames.size() * (double) frames.getFirst().remaining() / GIB;
      return List.of(Figure.cost("P6 produce, idempotent: CPU", "CPU-s/GiB", cpu / gib, 0.65));
    }
  }

  private static List<Figure> durable(Broker broker, int partitions)
      throws IOException, InterruptedException {
    try (Topic topic = Topic.of(broker, partitions, Map.of("flush.messages", "1"))) {
      List<ByteBuffer> frames = topic.frames(ONE_KIB, 1);
      int at = topic.errorCodeAt();
      Placement placement = Placement.apart(broker);
      ProduceLoad.Outcome paced;
      try {
        ProduceLoad.paced(broker.address(), 16, frames, at, 500, 500);
        paced = ProduceLoad.paced(broker.address(), 16, frames, at, 500, 3_000);
      } finally {
        placement.close();
      }
      ProduceLoad.Outcome closed = ProduceLoad.closed(broker.address(), 64, 1, frames, at, 10_000);
      String name =
          "P7 fsync before ack, " + partitions + (partitions == 1 ? " partition" : " partitions");
      return List.of(
          Figure.cost(name + ": p50 at 500/s", "ms", paced.millis(50)),
          Figure.cost(name + ": p99 at 500/s", "ms", paced.millis(99), 0.5),
          Figure.gain(name + ": rate", "req/s", closed.perSecond()));
    }
  }

  /// Garbage of a request, big and small; by JMX, which costs memory and threads of its own.
  private static List<Figure> allocation(Broker broker) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (Management management = new Management(broker.stats().pid());
        Topic topic = Topic.of(broker, PARTITIONS, Map.of())) {
      for (Shape shape : List.of(TINY, KIB)) {
        List<ByteBuffer> frames = topic.frames(shape, 1);
        long requests = shape == TINY ? 100_000 : 8_000;
        long before = management.allocatedBytes();
        ProduceLoad.closed(broker.address(), 16, 1, frames, topic.errorCodeAt(), requests);
        double bytes = management.allocatedBytes() - before;
        figures.add(
            Figure.cost(
                "A1 heap allocated by a Produce request of "
                    + shape.records()
                    + (shape.records() == 1 ? " record" : " records"),
                "bytes",
                bytes / requests));
      }
    }
    return figures;
  }

  static long gib(double n) {
    return (long) (n * GIB);
  }
}
