package io.takhin.bench;

import io.takhin.bench.Broker.Installation;
import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;

/// Runs the cases against both brokers in turn (A B B A, fresh data each time) and prints the
/// table.
///
/// `Bench TAKHIN_HOME KAFKA_LIBS WORK_DIR [--short] [--rounds N] [--cases P1,P2,...] [--only KIND]
/// [--save FILE] [--guard FILE]`
public final class Bench {
  private static final List<String> SHORT = List.of("P1", "P2", "P4", "F2", "L1x5k");

  private static final List<String> FLOOR =
      List.of("P1", "P2", "P3lz4", "P3zstd", "P4", "P4x256", "L1x5k", "L1x20k");

  private final Installation installation;
  private final Path work;
  private final List<String> cases;
  private final Table table = new Table();

  private Bench(Installation installation, Path work, List<String> cases) {
    this.installation = installation;
    this.work = work;
    this.cases = cases;
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Path floor = Path.of(args[2]).resolveSibling("floor");
    Installation installation =
        new Installation(
            Path.of(args[0]),
            Path.of(args[1]),
            Path.of(System.getProperty("java.home")),
            Files.exists(floor) ? floor : null);
    List<String> options = Arrays.asList(args).subList(3, args.length);
    List<String> cases = new ArrayList<>(Cases.all().keySet());
    if (options.contains("--short")) {
      cases.retainAll(SHORT);
    }
    if (options.contains("--cases")) {
      cases.retainAll(List.of(value(options, "--cases").split(",", -1)));
    }
    int rounds = options.contains("--rounds") ? Integer.parseInt(value(options, "--rounds")) : 1;
    Bench bench = new Bench(installation, Path.of(args[2]), cases);
    List<Kind> order = List.of(Kind.TAKHIN, Kind.KAFKA, Kind.KAFKA, Kind.TAKHIN);
    if (options.contains("--only")) {
      order = List.of(Kind.valueOf(value(options, "--only")));
    }
    for (int round = 0; round < rounds; round++) {
      for (Kind kind : order) {
        if (kind == Kind.FLOOR) {
          bench.runFloor();
        } else {
          bench.run(kind);
        }
      }
    }
    if (!options.contains("--only") && installation.floor() != null) {
      bench.runFloor();
    }
    System.out.println();
    System.out.println(bench.table.markdown());
    if (options.contains("--save")) {
      Files.write(Path.of(value(options, "--save")), bench.table.ratios());
    }
    if (options.contains("--guard")) {
      List<String> worse =
          bench.table.worseThan(Files.readAllLines(Path.of(value(options, "--guard"))));
      worse.forEach(line -> System.out.println("worse than committed: " + line));
      System.exit(worse.isEmpty() ? 0 : 1);
    }
  }

  private void run(Kind kind) throws IOException, InterruptedException {
    Path dir = work.resolve(kind.name().toLowerCase(java.util.Locale.ROOT));
    try (Broker broker = new Broker(kind, installation, dir, Map.of())) {
      broker.prepare();
      long start = System.nanoTime();
      broker.launch();
      broker.awaitReady();
      firstAck(broker);
      report(
          kind,
          List.of(
              Figure.cost("U1 start to first ack", "s", (System.nanoTime() - start) / 1e9, 0.3)));
      Thread.sleep(3000);
      double cpu = broker.stats().cpuSeconds();
      Thread.sleep(5000);
      report(
          kind,
          List.of(
              Figure.cost("M1 memory idle", "MiB", broker.stats().rssMib(), 0.35),
              Figure.cost(
                  "Idle CPU", "% of a core", (broker.stats().cpuSeconds() - cpu) * 20, 0.1)));
      Cases.warmUp(broker);
      report(kind, List.of(Figure.cost("M1 memory loaded", "MiB", broker.stats().rssMib(), 0.5)));
      Map<String, Cases.Case> all = Cases.all();
      for (String id : cases) {
        Cases.Case one = all.get(id);
        if (one != null) {
          report(kind, one.run(broker));
        }
      }
      broker.kill9();
      long restart = System.nanoTime();
      broker.launch();
      broker.awaitReady();
      firstAck(broker);
      report(
          kind,
          List.of(
              Figure.cost(
                  "U2 restart after kill -9 to first ack",
                  "s",
                  (System.nanoTime() - restart) / 1e9,
                  0.2)));
    }
  }

  /// The cases that the yardstick can serve.
  private void runFloor() throws IOException, InterruptedException {
    try (Broker broker =
        new Broker(Kind.FLOOR, installation, work.resolve("floor-data"), Map.of())) {
      broker.prepare();
      broker.launch();
      broker.awaitReady();
      for (Map.Entry<String, Cases.Case> one : Cases.all().entrySet()) {
        if (cases.contains(one.getKey()) && FLOOR.contains(one.getKey())) {
          report(Kind.FLOOR, one.getValue().run(broker));
        }
      }
    }
  }

  private void report(Kind kind, List<Figure> figures) {
    table.add(kind, figures);
    for (Figure figure : figures) {
      System.out.printf(
          "%-7s %-60s %12.3f %s%n", kind, figure.name(), figure.value(), figure.unit());
    }
  }

  private static void firstAck(Broker broker) throws IOException {
    String topic = "first-ack-" + Long.toHexString(System.nanoTime());
    try (Client client = new Client(broker.address())) {
      client.createTopic(topic, 1, Map.of());
      client.produceUntilTaken(
          Batches.frame(
              topic,
              0,
              Batches.batch(
                  new Batches.Shape(1, 100, Compression.NONE, Batches.Payload.RANDOM), 1)),
          topic);
    }
  }

  private static String value(List<String> options, String name) {
    return options.get(options.indexOf(name) + 1);
  }
}
