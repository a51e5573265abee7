package io.takhin.bench;

import io.takhin.bench.Batches.Payload;
import io.takhin.bench.Batches.Shape;
import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;

/// L1 and L2: how long a producer waits, at fixed rates.
final class LatencyCases {
  private static final int CONNECTIONS = 8;
  private static final int LARGEST_POWER = 6;

  private LatencyCases() {}

  static List<Case> all() {
    return Stream.of(
            Case.of("latency", "L1x5k", broker -> requests(broker, 5_000))
                .inShortForm()
                .also(Kind.TUNED, Kind.FLOOR),
            Case.of("latency", "L1x20k", broker -> requests(broker, 20_000))
                .also(Kind.TUNED, Kind.FLOOR),
            Case.of(
                "latency",
                "L1x50k",
                broker ->
                    messages(broker, "L1 produce, 50 k/s in batches as they come", 50_000, false)),
            Case.of(
                    "latency",
                    "L1x100k",
                    broker ->
                        messages(
                            broker, "L1 produce, 100 k/s in batches as they come", 100_000, true))
                .also(Kind.FLOOR),
            Case.of("latency", "E2E", LatencyCases::endToEnd),
            Case.of("latency", "L2", LatencyCases::writeback))
        .map(Case::apart)
        .toList();
  }

  private static List<Figure> requests(Broker broker, int perSecond) throws IOException {
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      List<ByteBuffer> frames = topic.frames(ProduceCases.ONE_KIB, 1);
      int at = topic.errorCodeAt();
      ProduceLoad.paced(broker.address(), CONNECTIONS, frames, at, perSecond, perSecond * 2L);
      ProduceLoad.Outcome outcome =
          ProduceLoad.paced(broker.address(), CONNECTIONS, frames, at, perSecond, perSecond * 8L);
      String name = "L1 produce, " + perSecond / 1000 + " k/s, one record a request";
      return percentiles(name, outcome, 0.5, 0.4);
    }
  }

  private static List<Figure> messages(Broker broker, String name, int perSecond, boolean promised)
      throws IOException {
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      List<List<ByteBuffer>> bySize = new ArrayList<>();
      for (int power = 0; power <= LARGEST_POWER; power++) {
        bySize.add(topic.frames(new Shape(1 << power, 1024, Compression.NONE, Payload.RANDOM), 1));
      }
      int at = topic.errorCodeAt();
      broker.freshPages(perSecond * 1024L * 10);
      ProduceLoad.gathering(broker.address(), CONNECTIONS, bySize, at, perSecond, perSecond * 2L);
      double cpu = broker.stats().cpuSeconds();
      ProduceLoad.Outcome outcome =
          ProduceLoad.gathering(
              broker.address(), CONNECTIONS, bySize, at, perSecond, perSecond * 8L);
      cpu = broker.stats().cpuSeconds() - cpu;
      List<Figure> figures = new ArrayList<>(percentiles(name, outcome, 0.5, 0.4));
      figures.add(Figure.cost(name + ": CPU", "% of a core", cpu / outcome.seconds() * 100));
      if (promised) {
        figures.add(
            Figure.limit(
                "The manual's promise: 100,000 messages of 1 KiB a second, produce p99",
                "ms",
                outcome.millis(99),
                10));
      }
      return figures;
    }
  }

  private static List<Figure> endToEnd(Broker broker) throws IOException {
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      List<ByteBuffer> frames = topic.frames(ProduceCases.ONE_KIB, 1);
      int perSecond = 5_000;
      long warm = perSecond * 2L / topic.partitions() * topic.partitions();
      int at = topic.errorCodeAt();
      TailReader first = new TailReader(topic.name(), topic.partitions(), 1);
      ProduceLoad.paced(broker.address(), CONNECTIONS, frames, at, perSecond, warm, first);
      TailReader tail =
          new TailReader(topic.name(), topic.partitions(), 1 + warm / topic.partitions());
      ProduceLoad.paced(broker.address(), CONNECTIONS, frames, at, perSecond, perSecond * 8L, tail);
      String name = "L1 producer to consumer, 5 k/s: ";
      return List.of(
          Figure.cost(name + "p50", "ms", tail.millis(50)),
          Figure.cost(name + "p99", "ms", tail.millis(99), 0.5),
          Figure.cost(name + "p99.9", "ms", tail.millis(99.9), 0.4));
    }
  }

  /// 70 % of what the disk takes, while the kernel writes older pages back all the time: the dirty
  /// pages of a file that is removed afterwards keep it busy.
  private static List<Figure> writeback(Broker broker) throws IOException {
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      List<ByteBuffer> frames = topic.frames(ProduceCases.KIB, 4);
      int at = topic.errorCodeAt();
      double perSecond = 96.0 * (1 << 20) / frames.getFirst().remaining();
      ProduceLoad.paced(broker.address(), CONNECTIONS, frames, at, perSecond, (long) perSecond);
      Path dirty = broker.dirtyPages(ProduceCases.gib(3));
      ProduceLoad.Outcome outcome;
      try {
        outcome =
            ProduceLoad.paced(
                broker.address(), CONNECTIONS, frames, at, perSecond, (long) (perSecond * 12));
      } finally {
        Files.delete(dirty);
      }
      return percentiles("L2 produce 96 MiB/s beside writeback", outcome, Double.NaN, 0.4);
    }
  }

  private static List<Figure> percentiles(
      String name, ProduceLoad.Outcome outcome, double p99Goal, double p999Goal) {
    return List.of(
        Figure.cost(name + ": p50", "ms", outcome.millis(50)),
        Figure.cost(name + ": p99", "ms", outcome.millis(99), p99Goal),
        Figure.cost(name + ": p99.9", "ms", outcome.millis(99.9), p999Goal),
        Figure.cost(name + ": max", "ms", outcome.millis(100)));
  }
}
