package io.takhin.bench;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The usual tools, as a cross-check of our own load generator: Kafka's perf tools, and
/// `rdkafka_performance` or kcat if one is installed. Their own work is on the same cores, so rates
/// often show the tool; what the broker spends is the figure.
final class ToolCases {
  private static final int JAVA_RECORDS = 500_000;
  private static final int C_RECORDS = 400_000;
  private static final int PROMISED_PER_SECOND = 100_000;
  private static final double GIB = 1 << 30;

  private static final Pattern PRODUCED =
      Pattern.compile("([\\d.]+) records/sec \\(.*?(\\d+) ms 50th, \\d+ ms 95th, (\\d+) ms 99th");
  private static final Pattern C_RATE = Pattern.compile("(\\d+) msgs/s");

  private ToolCases() {}

  static List<Case> all() {
    return List.of(
        Case.of("tools", "X1", ToolCases::javaTools),
        Case.of("tools", "X1x100k", ToolCases::javaToolAtARate),
        Case.of("tools", "X2", ToolCases::librdkafka));
  }

  private static List<Figure> javaTools(Broker broker) throws IOException, InterruptedException {
    String server = "127.0.0.1:" + broker.address().getPort();
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      double cpu = broker.stats().cpuSeconds();
      Matcher produced = produce(broker, topic, JAVA_RECORDS, 100_000, -1);
      cpu = broker.stats().cpuSeconds() - cpu;
      double records = JAVA_RECORDS;
      double read = broker.stats().cpuSeconds();
      broker.kafkaTool(
          "org.apache.kafka.tools.ConsumerPerformance",
          "--bootstrap-server",
          server,
          "--topic",
          topic.name(),
          "--num-records",
          Integer.toString(JAVA_RECORDS),
          "--timeout",
          "20000",
          "--hide-header");
      read = broker.stats().cpuSeconds() - read;
      return List.of(
          Figure.cost(
              "X1 kafka-producer-perf-test, 1 KiB: CPU", "CPU-s/GiB", cpu / (records * 1024 / GIB)),
          Figure.gain(
              "X1 kafka-producer-perf-test, 1 KiB: rate",
              "msg/s",
              Double.parseDouble(produced.group(1))),
          Figure.cost(
              "X1 kafka-producer-perf-test, 1 KiB: p99",
              "ms",
              Double.parseDouble(produced.group(3))),
          Figure.cost(
              "X1 kafka-consumer-perf-test, 1 KiB: CPU",
              "CPU-s/GiB",
              read / (records * 1024 / GIB)));
    }
  }

  /// The manual's promise as its reader would test it: the tool on the same machine, with the
  /// producer's own settings, which let a record linger for 5 ms.
  private static List<Figure> javaToolAtARate(Broker broker)
      throws IOException, InterruptedException {
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      broker.freshPages(PROMISED_PER_SECOND * 1024L * 12);
      Matcher produced =
          produce(
              broker,
              topic,
              PROMISED_PER_SECOND * 10,
              PROMISED_PER_SECOND * 2,
              PROMISED_PER_SECOND);
      String name = "X1 kafka-producer-perf-test, 1 KiB at 100,000/s: ";
      return List.of(
          Figure.gain(name + "rate", "msg/s", Double.parseDouble(produced.group(1))),
          Figure.cost(name + "p50", "ms", Double.parseDouble(produced.group(2))),
          Figure.limit(name + "p99", "ms", Double.parseDouble(produced.group(3)), 10));
    }
  }

  private static Matcher produce(
      Broker broker, Topic topic, int records, int warmUpRecords, int perSecond)
      throws IOException, InterruptedException {
    String said =
        broker.kafkaTool(
            "org.apache.kafka.tools.ProducerPerformance",
            "--bootstrap-server",
            "127.0.0.1:" + broker.address().getPort(),
            "--topic",
            topic.name(),
            "--num-records",
            Integer.toString(records),
            "--warmup-records",
            Integer.toString(warmUpRecords),
            "--record-size",
            "1024",
            "--throughput",
            Integer.toString(perSecond),
            "--reporting-interval",
            "600000",
            "--command-property",
            "acks=all");
    return last(PRODUCED, said);
  }

  private static List<Figure> librdkafka(Broker broker) throws IOException, InterruptedException {
    String server = "127.0.0.1:" + broker.address().getPort();
    List<Figure> figures = new ArrayList<>();
    try (Topic topic = Topic.of(broker, ProduceCases.PARTITIONS, Map.of())) {
      double gib = C_RECORDS * 1024.0 / GIB;
      if (onPath("rdkafka_performance")) {
        double cpu = broker.stats().cpuSeconds();
        String said =
            broker.tool(
                ("rdkafka_performance -P -t TOPIC -s 1024 -c N -a -1 -u -b SERVER -X linger.ms=5"
                        + " -X batch.size=1000000 -X queue.buffering.max.messages=1000000")
                    .replace("TOPIC", topic.name())
                    .replace("SERVER", server)
                    .replace("N", Integer.toString(C_RECORDS)));
        cpu = broker.stats().cpuSeconds() - cpu;
        figures.add(Figure.cost("X2 rdkafka_performance, 1 KiB: CPU", "CPU-s/GiB", cpu / gib));
        Matcher rate = last(C_RATE, said);
        figures.add(
            Figure.gain(
                "X2 rdkafka_performance, 1 KiB: rate", "msg/s", Double.parseDouble(rate.group(1))));
      } else if (onPath("kcat")) {
        Path lines = broker.data().resolveSibling("lines");
        writeLines(lines);
        double cpu = broker.stats().cpuSeconds();
        broker.tool(
            "kcat -P -b SERVER -t TOPIC -l FILE -X linger.ms=5 -X batch.size=1000000 -X acks=all"
                .replace("TOPIC", topic.name())
                .replace("SERVER", server)
                .replace("FILE", lines.toString()));
        cpu = broker.stats().cpuSeconds() - cpu;
        figures.add(Figure.cost("X2 kcat produces 1 KiB: CPU", "CPU-s/GiB", cpu / gib));
        cpu = broker.stats().cpuSeconds();
        broker.tool(
            "kcat -C -b SERVER -t TOPIC -o beginning -e -q -f ."
                .replace("TOPIC", topic.name())
                .replace("SERVER", server));
        cpu = broker.stats().cpuSeconds() - cpu;
        figures.add(Figure.cost("X2 kcat consumes 1 KiB: CPU", "CPU-s/GiB", cpu / gib));
        Files.delete(lines);
      }
    }
    return figures;
  }

  private static void writeLines(Path file) throws IOException {
    Random random = new Random(1);
    byte[] half = new byte[511];
    try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.US_ASCII)) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < C_RECORDS; i++) {
        if (i % 64 == 0) {
          random.nextBytes(half);
          line.setLength(0);
          line.append(HexFormat.of().formatHex(half)).append('x');
        }
        out.append(line).append('\n');
      }
    }
  }

  private static boolean onPath(String program) {
    for (String dir : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      if (Files.isExecutable(Path.of(dir, program))) {
        return true;
      }
    }
    return false;
  }

  private static Matcher last(Pattern pattern, String said) throws IOException {
    @Nullable Matcher found = null;
    for (String line : said.lines().toList()) {
      Matcher matcher = pattern.matcher(line);
      if (matcher.find()) {
        found = matcher;
      }
    }
    if (found == null) {
      throw new IOException("the tool said nothing of its rate:\n" + said);
    }
    return found;
  }
}
