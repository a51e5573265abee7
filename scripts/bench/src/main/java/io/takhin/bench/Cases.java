package io.takhin.bench;

import io.takhin.bench.Batches.Payload;
import io.takhin.bench.Batches.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.HdrHistogram.Histogram;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.record.internal.CompressionType;

/// The benchmark cases. Each makes its own topics on a broker that runs and is warm, and returns
/// what it measured.
final class Cases {
  private static final double GIB = 1 << 30;
  private static final int PARTITIONS = 16;
  private static final Shape KIB = new Shape(62, 1024, Compression.NONE, Payload.RANDOM);

  private Cases() {}

  /// One case.
  interface Case {
    List<Figure> run(Broker broker) throws IOException;
  }

  /// All cases by id, in the order in which they run.
  static Map<String, Case> all() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put(
        "P1", broker -> produce(broker, "P1 produce 1 KiB", KIB, gib(2), Map.of(), 0.65, 1.5));
    cases.put(
        "P2",
        broker ->
            produce(
                broker,
                "P2 produce 100 B",
                new Shape(600, 100, Compression.NONE, Payload.RANDOM),
                gib(1),
                Map.of(),
                0.45,
                Double.NaN));
    cases.put("P3lz4", broker -> compressed(broker, CompressionType.LZ4, "", 0.40));
    cases.put("P3zstd", broker -> compressed(broker, CompressionType.ZSTD, "", 0.20));
    cases.put("P4", broker -> tiny(broker, 16, 200_000));
    cases.put("P4x256", broker -> tiny(broker, 256, 200_000));
    cases.put(
        "P6lat",
        broker ->
            produce(
                broker,
                "P6 produce LogAppendTime",
                KIB,
                gib(1),
                Map.of("message.timestamp.type", "LogAppendTime"),
                0.65,
                Double.NaN));
    cases.put("P6idem", Cases::idempotent);
    cases.put("P7x1", broker -> durable(broker, 1));
    cases.put("P7x16", broker -> durable(broker, 16));
    cases.put("P7x256", broker -> durable(broker, 256));
    cases.put("F1", Cases::catchUp);
    cases.put("F2", Cases::tail);
    cases.put("F3", Cases::idleConsumers);
    cases.put("L1x5k", broker -> latency(broker, 5_000));
    cases.put("L1x20k", broker -> latency(broker, 20_000));
    cases.put("S1", Cases::manyPartitions);
    return cases;
  }

  /// Two GiB in and out: the JIT has seen all hot paths then.
  static void warmUp(Broker broker) throws IOException {
    produce(broker, "warm-up", KIB, gib(1), Map.of(), Double.NaN, Double.NaN);
    produce(
        broker,
        "warm-up",
        new Shape(600, 100, Compression.NONE, Payload.RANDOM),
        gib(0.5),
        Map.of(),
        Double.NaN,
        Double.NaN);
    tiny(broker, 16, 100_000);
    catchUp(broker);
  }

  private static List<Figure> produce(
      Broker broker,
      String name,
      Shape shape,
      long bytes,
      Map<String, String> configs,
      double costGoal,
      double gainGoal)
      throws IOException {
    String topic = topic(broker, PARTITIONS, configs);
    List<ByteBuffer> frames = frames(topic, PARTITIONS, shape, 4);
    long requests = bytes / frames.getFirst().remaining();
    broker.freshPages(bytes + bytes / 4);
    double cpu = broker.stats().cpuSeconds();
    ProduceLoad.Outcome outcome =
        ProduceLoad.closed(broker.address(), 4, 5, frames, Batches.errorCodeAt(topic), requests);
    cpu = broker.stats().cpuSeconds() - cpu;
    double gib = requests * (double) frames.getFirst().remaining() / GIB;
    return List.of(
        Figure.cost(name + ": CPU", "CPU-s/GiB", cpu / gib, costGoal),
        Figure.gain(name + ": rate", "MiB/s", gib * 1024 / outcome.seconds(), gainGoal));
  }

  private static List<Figure> compressed(
      Broker broker, CompressionType type, String label, double goal) throws IOException {
    Shape shape = new Shape(62, 1024, Compression.of(type).build(), Payload.JSON);
    return produce(
        broker,
        "P3 produce JSON " + type.name + label,
        shape,
        gib(type == CompressionType.ZSTD ? 0.5 : 1),
        Map.of(),
        goal,
        Double.NaN);
  }

  private static List<Figure> tiny(Broker broker, int connections, long requests)
      throws IOException {
    String topic = topic(broker, PARTITIONS, Map.of());
    List<ByteBuffer> frames =
        frames(topic, PARTITIONS, new Shape(1, 100, Compression.NONE, Payload.RANDOM), 1);
    double cpu = broker.stats().cpuSeconds();
    ProduceLoad.Outcome outcome =
        ProduceLoad.closed(
            broker.address(), connections, 1, frames, Batches.errorCodeAt(topic), requests);
    cpu = broker.stats().cpuSeconds() - cpu;
    String name = "P4 one record a request, " + connections + " connections";
    return List.of(
        Figure.cost(name + ": CPU", "CPU-s/M req", cpu / requests * 1e6, 0.35),
        Figure.gain(name + ": rate", "req/s", outcome.perSecond(), Double.NaN));
  }

  private static List<Figure> idempotent(Broker broker) throws IOException {
    String topic = topic(broker, PARTITIONS, Map.of());
    InitProducerIdResponseData producer;
    try (Client client = new Client(broker.address())) {
      producer = client.producerId();
    }
    int perPartition = 1000;
    List<ByteBuffer> frames = new ArrayList<>();
    for (int i = 0; i < perPartition; i++) {
      for (int p = 0; p < PARTITIONS; p++) {
        frames.add(
            Batches.frame(
                topic,
                p,
                Batches.batch(
                    KIB, p, producer.producerId(), producer.producerEpoch(), i * KIB.records())));
      }
    }
    double cpu = broker.stats().cpuSeconds();
    ProduceLoad.closed(broker.address(), 1, 5, frames, Batches.errorCodeAt(topic), frames.size());
    cpu = broker.stats().cpuSeconds() - cpu;
    double gib = frames.size() * (double) frames.getFirst().remaining() / GIB;
    return List.of(Figure.cost("P6 produce idempotent: CPU", "CPU-s/GiB", cpu / gib, 0.65));
  }

  private static List<Figure> durable(Broker broker, int partitions) throws IOException {
    String topic = topic(broker, partitions, Map.of("flush.messages", "1"));
    List<ByteBuffer> frames =
        frames(topic, partitions, new Shape(1, 1024, Compression.NONE, Payload.RANDOM), 1);
    int at = Batches.errorCodeAt(topic);
    ProduceLoad.paced(broker.address(), 16, frames, at, 500, 1_000);
    ProduceLoad.Outcome paced = ProduceLoad.paced(broker.address(), 16, frames, at, 500, 5_000);
    ProduceLoad.Outcome closed = ProduceLoad.closed(broker.address(), 64, 1, frames, at, 20_000);
    String name = "P7 fsync before ack, " + partitions + " partitions";
    return List.of(
        Figure.cost(name + ": p99 at 500/s", "ms", millis(paced.latencyNanos(), 99), 0.5),
        Figure.gain(name + ": rate", "req/s", closed.perSecond(), Double.NaN));
  }

  private static List<Figure> catchUp(Broker broker) throws IOException {
    String topic = topic(broker, PARTITIONS, Map.of());
    List<ByteBuffer> frames = frames(topic, PARTITIONS, KIB, 4);
    long requests = gib(1) / frames.getFirst().remaining();
    ProduceLoad.closed(broker.address(), 4, 5, frames, Batches.errorCodeAt(topic), requests);
    double cpu = broker.stats().cpuSeconds();
    FetchLoad.Outcome outcome =
        FetchLoad.read(
            broker.address(), 1, topic, PARTITIONS, 1 << 20, requests * KIB.records(), () -> false);
    cpu = broker.stats().cpuSeconds() - cpu;
    return List.of(
        Figure.cost("F1 catch-up read: CPU", "CPU-s/GiB", cpu / (outcome.bytes() / GIB), 1.0),
        Figure.gain(
            "F1 catch-up read: rate",
            "MiB/s",
            outcome.bytes() / 1048576.0 / outcome.seconds(),
            Double.NaN));
  }

  private static List<Figure> tail(Broker broker) throws IOException {
    String topic = topic(broker, PARTITIONS, Map.of());
    List<ByteBuffer> frames =
        frames(topic, PARTITIONS, new Shape(1, 1024, Compression.NONE, Payload.RANDOM), 1);
    long messages = 80_000;
    int consumers = 8;
    double cpu = broker.stats().cpuSeconds();
    CompletableFuture<FetchLoad.Outcome> reading =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return FetchLoad.read(
                    broker.address(), consumers, topic, PARTITIONS, 1 << 20, messages, () -> false);
              } catch (IOException e) {
                throw new CompletionException(e);
              }
            });
    ProduceLoad.paced(broker.address(), 4, frames, Batches.errorCodeAt(topic), 10_000, messages);
    FetchLoad.Outcome outcome = reading.join();
    cpu = broker.stats().cpuSeconds() - cpu;
    return List.of(
        Figure.cost(
            "F2 10 k/s to 8 consumers: CPU",
            "CPU-s/M delivered",
            cpu / outcome.records() * 1e6,
            0.35));
  }

  private static List<Figure> idleConsumers(Broker broker) throws IOException {
    String topic = topic(broker, 1, Map.of());
    FetchLoad.idle(broker.address(), 500, topic, 1, 2);
    double cpu = broker.stats().cpuSeconds();
    double seconds = 8;
    FetchLoad.idle(broker.address(), 500, topic, 1, seconds);
    cpu = broker.stats().cpuSeconds() - cpu;
    return List.of(
        Figure.cost("F3 500 idle consumers: CPU", "% of a core", cpu / seconds * 100, 0.25));
  }

  private static List<Figure> latency(Broker broker, int perSecond) throws IOException {
    String topic = topic(broker, PARTITIONS, Map.of());
    List<ByteBuffer> frames =
        frames(topic, PARTITIONS, new Shape(1, 1024, Compression.NONE, Payload.RANDOM), 1);
    int at = Batches.errorCodeAt(topic);
    ProduceLoad.paced(broker.address(), 8, frames, at, perSecond, perSecond * 2L);
    Histogram latency =
        ProduceLoad.paced(broker.address(), 8, frames, at, perSecond, perSecond * 10L)
            .latencyNanos();
    String name = "L1 produce latency at " + perSecond / 1000 + " k/s: ";
    return List.of(
        Figure.cost(name + "p50", "ms", millis(latency, 50), Double.NaN),
        Figure.cost(name + "p99", "ms", millis(latency, 99), 0.5),
        Figure.cost(name + "p99.9", "ms", millis(latency, 99.9), 0.4));
  }

  private static List<Figure> manyPartitions(Broker broker) throws IOException {
    int partitions = 1_000;
    double rss = broker.stats().rssMib();
    long start = System.nanoTime();
    String topic = topic(broker, partitions, Map.of());
    List<ByteBuffer> frames =
        frames(topic, partitions, new Shape(1, 100, Compression.NONE, Payload.RANDOM), 1);
    int at = Batches.errorCodeAt(topic);
    ProduceLoad.closed(broker.address(), 8, 1, frames, at, partitions);
    double createSeconds = (System.nanoTime() - start) / 1e9;
    java.util.Collections.shuffle(frames, new Random(1));
    long requests = 100_000;
    double cpu = broker.stats().cpuSeconds();
    ProduceLoad.closed(broker.address(), 8, 1, frames, at, requests);
    cpu = broker.stats().cpuSeconds() - cpu;
    double perPartition = (broker.stats().rssMib() - rss) * 1024 / partitions;
    return List.of(
        Figure.cost("S1 create 1,000 partitions, one record in each", "s", createSeconds, 0.3),
        Figure.cost("S1 memory of a partition", "KiB", perPartition, 0.2),
        Figure.cost(
            "S1 random appends over 1,000 partitions: CPU",
            "CPU-s/M req",
            cpu / requests * 1e6,
            0.25));
  }

  private static String topic(Broker broker, int partitions, Map<String, String> configs)
      throws IOException {
    String name = "bench-" + Long.toHexString(System.nanoTime());
    try (Client client = new Client(broker.address())) {
      client.createTopic(name, partitions, configs);
    }
    awaitLeaders(broker, name, partitions);
    return name;
  }

  /// Produces to every partition until each takes a record: leaders can come a moment later.
  private static void awaitLeaders(Broker broker, String topic, int partitions) throws IOException {
    Shape one = new Shape(1, 10, Compression.NONE, Payload.RANDOM);
    try (Client client = new Client(broker.address())) {
      for (int p = 0; p < partitions; p++) {
        client.produceUntilTaken(Batches.frame(topic, p, Batches.batch(one, 0)), topic);
      }
    }
  }

  private static List<ByteBuffer> frames(
      String topic, int partitions, Shape shape, int perPartition) {
    List<ByteBuffer> frames = new ArrayList<>();
    for (int i = 0; i < perPartition; i++) {
      for (int p = 0; p < partitions; p++) {
        frames.add(Batches.frame(topic, p, Batches.batch(shape, i * 1000L + p)));
      }
    }
    return frames;
  }

  private static double millis(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1e6;
  }

  private static long gib(double n) {
    return (long) (n * GIB);
  }
}
