package io.takhin.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/// S1 to S3: many partitions, many connections, large groups.
final class ScaleCases {
  /// As many as Kafka makes at once; its controller refuses 10,000 in one topic.
  private static final int TOPIC_PARTITIONS = 1_000;

  private ScaleCases() {}

  static List<Case> all() {
    return List.of(
        Case.of("scale", "S2", ScaleCases::connections),
        Case.of("scale", "S3x10", broker -> group(broker, 10)).apart(),
        Case.of("scale", "S3x100", broker -> group(broker, 100)).apart(),
        Case.of("scale", "S3x1000", broker -> group(broker, 1_000)).apart(),
        Case.of("scale", "S1", broker -> partitions(broker, 1)),
        Case.of("scale", "S1x10k", broker -> partitions(broker, 10)).at(Case.Phase.LAST));
  }

  /// A group, as the cases have them. Thousands of connections only their own case has before:
  /// Kafka takes over a minute for them, since the system waits a second with what its queue cannot
  /// hold.
  static void warmUp(Broker broker) throws IOException {
    try (Topic topic = Topic.of(broker, GroupLoad.PARTITIONS, Map.of());
        GroupLoad group = new GroupLoad(broker.address(), 100)) {
      group.form();
      group.commits(topic.name(), 5_000, 20_000);
      group.leave();
    }
  }

  /// Makes topics of 1,000 partitions, then appends small records to random ones of the first.
  private static List<Figure> partitions(Broker broker, int topics) throws IOException {
    int all = topics * TOPIC_PARTITIONS;
    String name = topics == 1 ? "S1 1,000 partitions" : "S1 10,000 partitions";
    List<Figure> figures = new ArrayList<>();
    List<Topic> made = new ArrayList<>();
    double rss = broker.stats().rssMib();
    double cpu = broker.stats().cpuSeconds();
    long start = System.nanoTime();
    for (int i = 0; i < topics; i++) {
      made.add(Topic.bare(broker, TOPIC_PARTITIONS, Map.of()));
    }
    awaitLeaders(broker, made);
    double createSeconds = (System.nanoTime() - start) / 1e9;
    double createCpu = broker.stats().cpuSeconds() - cpu;
    Topic first = made.getFirst();
    for (Topic topic : made) {
      topic.awaitLeaders(0, TOPIC_PARTITIONS);
    }
    double recordSeconds = (System.nanoTime() - start) / 1e9;
    // Kafka tells of leaders before there are logs: what counts is when they take records.
    figures.add(Figure.cost(name + ", created until all have leaders", "s", createSeconds));
    figures.add(Figure.cost(name + ", created: CPU", "CPU-s", createCpu));
    figures.add(
        Figure.cost(name + ", created until each has taken a record", "s", recordSeconds, 0.3));
    figures.add(
        Figure.cost(
            name + ", memory of one", "KiB", (broker.stats().rssMib() - rss) * 1024 / all, 0.2));
    List<ByteBuffer> frames = first.frames(ProduceCases.TINY, 1);
    Collections.shuffle(frames, new Random(1));
    long requests = 30_000;
    cpu = broker.stats().cpuSeconds();
    ProduceLoad.closed(broker.address(), 8, 1, frames, first.errorCodeAt(), requests);
    cpu = broker.stats().cpuSeconds() - cpu;
    figures.add(
        Figure.cost(
            name + ", random small appends over 1,000: CPU",
            "CPU-s/M req",
            cpu / requests * 1e6,
            0.25));
    if (topics == 1) {
      first.close();
    } else {
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(2));
      cpu = broker.stats().cpuSeconds();
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(5));
      figures.add(
          Figure.cost(
              name + ", idle CPU", "% of a core", (broker.stats().cpuSeconds() - cpu) * 20, 0.3));
    }
    return figures;
  }

  private static void awaitLeaders(Broker broker, List<Topic> topics) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    try (Client client = new Client(broker.address())) {
      for (Topic topic : topics) {
        while (client.leaders(topic.name()) < topic.partitions()) {
          if (System.nanoTime() > deadline) {
            throw new IOException("partitions without leaders");
          }
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
      }
    }
  }

  /// Connections that ask one thing and stay: what each costs to take, and what it holds.
  private static List<Figure> connections(Broker broker) throws IOException {
    int count = 5_000;
    for (int i = 0; i < 2; i++) {
      try (Connections pool = new Connections(broker.address(), count)) {
        ask(pool);
      }
    }
    try (Management management = new Management(broker.stats().pid())) {
      double heap = management.liveHeapBytes();
      double beside = broker.stats().rssBesideHeapMib();
      double cpu = broker.stats().cpuSeconds();
      try (Connections pool = new Connections(broker.address(), count)) {
        ask(pool);
        cpu = broker.stats().cpuSeconds() - cpu;
        heap = management.liveHeapBytes() - heap;
        beside = broker.stats().rssBesideHeapMib() - beside;
      }
      return List.of(
          Figure.cost("S2 5,000 connections, CPU of one", "µs", cpu / count * 1e6, 0.3),
          Figure.cost(
              "S2 5,000 connections, memory of one",
              "KiB",
              Math.max(0.1, (heap / 1024 + beside * 1024) / count),
              0.3));
    }
  }

  /// A question on each connection.
  private static void ask(Connections pool) throws IOException {
    ByteBuffer question = Client.apiVersionsRequest();
    int[] answered = {0};
    for (Connections.Connection connection : pool.all()) {
      connection.send(question.duplicate());
    }
    while (answered[0] < pool.all().size()) {
      pool.poll(100, (connection, body) -> answered[0]++);
    }
  }

  /// A group that forms and loses a member, as often again after a warm-up, since each time is over
  /// in milliseconds: medians.
  private static List<Figure> group(Broker broker, int members) throws IOException {
    String name = "S3 classic group of " + (members == 1_000 ? "1,000" : members);
    int rounds = Math.clamp(1_000 / members, 5, 41);
    double[] form = new double[rounds];
    double[] leave = new double[rounds];
    for (int i = -rounds; i < rounds; i++) {
      try (GroupLoad group = new GroupLoad(broker.address(), members)) {
        double formed = group.form();
        double left = group.leave();
        if (i >= 0) {
          form[i] = formed;
          leave[i] = left;
        }
      }
    }
    Arrays.sort(form);
    Arrays.sort(leave);
    try (Topic topic = Topic.of(broker, GroupLoad.PARTITIONS, Map.of());
        GroupLoad group = new GroupLoad(broker.address(), members)) {
      group.form();
      group.commits(topic.name(), 500, 500);
      double cpu = broker.stats().cpuSeconds();
      long commits = 2_500;
      Histogram latency = group.commits(topic.name(), 500, commits);
      cpu = broker.stats().cpuSeconds() - cpu;
      return List.of(
          Figure.cost(name + ", all join: until stable", "ms", form[rounds / 2] * 1000, 0.6),
          Figure.cost(name + ", one leaves: until stable", "ms", leave[rounds / 2] * 1000, 0.6),
          Figure.cost(name + ", 500 commits/s: p50", "ms", latency.getValueAtPercentile(50) / 1e6),
          Figure.cost(
              name + ", 500 commits/s: p99", "ms", latency.getValueAtPercentile(99) / 1e6, 0.5),
          Figure.cost(name + ", commits: CPU", "CPU-s/M", cpu / commits * 1e6));
    }
  }
}
