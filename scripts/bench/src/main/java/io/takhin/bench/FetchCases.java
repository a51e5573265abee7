package io.takhin.bench;

import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/// F1 to F4: what it costs to give records out.
final class FetchCases {
  private static final double GIB = 1 << 30;
  private static final int SLICE_BYTES = 1 << 20;
  private static final double SCAN_BYTES_PER_SECOND = 64 << 20;

  private FetchCases() {}

  static List<Case> all() {
    return List.of(
        Case.of("fetch", "F1", FetchCases::catchUp).also(Kind.TUNED, Kind.FLOOR),
        Case.of("fetch", "F2", broker -> tail(broker, 60_000)).inShortForm().also(Kind.TUNED),
        Case.of("fetch", "F3", FetchCases::idleConsumers),
        Case.of("fetch", "F4", FetchCases::coldScan).apart());
  }

  static List<Figure> catchUp(Broker broker) throws IOException {
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      List<ByteBuffer> frames = topic.frames(ProduceCases.KIB, 4);
      long requests = ProduceCases.gib(1) / frames.getFirst().remaining();
      ProduceLoad.closed(
          broker.address(), 4, ProduceLoad.IN_FLIGHT, frames, topic.errorCodeAt(), requests);
      double cpu = broker.stats().cpuSeconds();
      FetchLoad.Outcome outcome =
          FetchLoad.read(
              broker.address(),
              1,
              topic.name(),
              topic.partitions(),
              SLICE_BYTES,
              requests * ProduceCases.KIB.records(),
              () -> false);
      cpu = broker.stats().cpuSeconds() - cpu;
      return List.of(
          Figure.cost("F1 catch-up read: CPU", "CPU-s/GiB", cpu / (outcome.bytes() / GIB), 1.0),
          Figure.gain(
              "F1 catch-up read: rate", "MiB/s", outcome.bytes() / 1048576.0 / outcome.seconds()));
    }
  }

  /// Catch-up reads, and polls that get nothing.
  static void warmUp(Broker broker) throws IOException {
    catchUp(broker);
    try (Topic topic = Topic.of(broker, 1, Map.of())) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
      FetchLoad.idle(broker.address(), 500, topic.name(), 20, () -> System.nanoTime() > end);
    }
  }

  static List<Figure> tail(Broker broker, long messages) throws IOException {
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      List<ByteBuffer> frames = topic.frames(ProduceCases.ONE_KIB, 1);
      int consumers = 8;
      double cpu = broker.stats().cpuSeconds();
      CompletableFuture<FetchLoad.Outcome> reading =
          beside(
              () ->
                  FetchLoad.read(
                      broker.address(),
                      consumers,
                      topic.name(),
                      topic.partitions(),
                      SLICE_BYTES,
                      messages,
                      () -> false));
      ProduceLoad.paced(broker.address(), 4, frames, topic.errorCodeAt(), 10_000, messages);
      FetchLoad.Outcome outcome = reading.join();
      cpu = broker.stats().cpuSeconds() - cpu;
      return List.of(
          Figure.cost(
              "F2 10 k/s to 8 consumers: CPU",
              "CPU-s/M delivered",
              cpu / outcome.records() * 1e6,
              0.35));
    }
  }

  private static List<Figure> idleConsumers(Broker broker) throws IOException {
    try (Topic topic = Topic.of(broker, 1, Map.of())) {
      int consumers = 1_000;
      double seconds = 8;
      long settleNanos = TimeUnit.SECONDS.toNanos(3);
      long measuredNanos = (long) (seconds * TimeUnit.SECONDS.toNanos(1));
      // Connecting is not what is measured, and takes Kafka longer than all the rest: the clock is
      // first read when all have long waited.
      long[] connected = {0};
      double[] cpu = {Double.NaN, Double.NaN};
      FetchLoad.idle(
          broker.address(),
          consumers,
          topic.name(),
          () -> {
            long now = System.nanoTime();
            if (connected[0] == 0) {
              connected[0] = now;
            }
            long settled = now - connected[0] - settleNanos;
            int which =
                settled < 0 ? -1 : Double.isNaN(cpu[0]) ? 0 : settled < measuredNanos ? -1 : 1;
            if (which >= 0) {
              cpu[which] = broker.stats().cpuSeconds();
            }
            return which == 1;
          });
      return List.of(
          Figure.cost(
              "F3 1,000 idle consumers: CPU",
              "% of a core",
              (cpu[1] - cpu[0]) / seconds * 100,
              0.25));
    }
  }

  /// A consumer that reads at 64 MiB/s what is on the disk alone, beside a producer.
  private static List<Figure> coldScan(Broker broker) throws IOException, InterruptedException {
    int partitions = 4;
    try (Topic cold = Topic.of(broker, partitions, Map.of());
        Topic live = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      List<ByteBuffer> coldFrames = cold.frames(ProduceCases.KIB, 4);
      long requests = ProduceCases.gib(0.75) / coldFrames.getFirst().remaining();
      ProduceLoad.closed(
          broker.address(), 4, ProduceLoad.IN_FLIGHT, coldFrames, cold.errorCodeAt(), requests);
      List<ByteBuffer> frames = live.frames(ProduceCases.ONE_KIB, 1);
      broker.forgetPages(cold.name());
      int perSecond = 2_000;
      int at = live.errorCodeAt();
      ProduceLoad.paced(broker.address(), 8, frames, at, perSecond, perSecond);
      ProduceLoad.Outcome quiet =
          ProduceLoad.paced(broker.address(), 8, frames, at, perSecond, perSecond * 6L);
      ScanReader scan = new ScanReader(cold.name(), partitions, SCAN_BYTES_PER_SECOND);
      ProduceLoad.Outcome beside =
          ProduceLoad.paced(broker.address(), 8, frames, at, perSecond, perSecond * 6L, scan);
      if (scan.bytes() < SCAN_BYTES_PER_SECOND) {
        throw new IOException(
            "the scan read " + scan.bytes() + " bytes in all, and disturbed nobody");
      }
      return List.of(
          Figure.cost("F4 produce, nothing beside it: p99", "ms", quiet.millis(99)),
          Figure.cost("F4 produce beside a cold scan: p99", "ms", beside.millis(99)),
          Figure.limit(
              "F4 produce beside a cold scan: p99 to its own quiet one",
              "times",
              beside.millis(99) / quiet.millis(99),
              1.5));
    }
  }

  private interface Reading {
    FetchLoad.Outcome read() throws IOException;
  }

  private static CompletableFuture<FetchLoad.Outcome> beside(Reading reading) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return reading.read();
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        work -> Thread.ofPlatform().daemon().name("beside").start(work));
  }
}
