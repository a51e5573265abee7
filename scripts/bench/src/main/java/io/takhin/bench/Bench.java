package io.takhin.bench;

import io.takhin.bench.Broker.Installation;
import io.takhin.bench.Broker.Kind;
import io.takhin.bench.Case.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// Runs cases against the brokers in turn (A B B A, fresh data each time), keeps what was measured
/// in a file, and prints the table.
///
/// `Bench TAKHIN_HOME KAFKA_LIBS WORK_DIR RESULTS` and any of `--short`, `--cases P1,P2`, `--group
/// NAME`, `--rounds N`, `--round R`, `--only KIND,KIND`, `--no-warm-up`, `--save FILE`, `--guard
/// FILE`, `--publish DOCS_DIR`, and `--table`, which measures nothing more.
public final class Bench {
  /// The sitting of the short form, which warms up what it measures.
  private static final String SHORT = "short";

  private final Installation installation;
  private final Path work;
  private final Results results;
  private final boolean warmUp;

  private Bench(Installation installation, Path work, Results results, boolean warmUp) {
    this.installation = installation;
    this.work = work;
    this.results = results;
    this.warmUp = warmUp;
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Path work = Path.of(args[2]);
    Path floor = work.resolveSibling("floor");
    Installation installation =
        new Installation(
            Path.of(args[0]),
            Path.of(args[1]),
            Path.of(System.getProperty("java.home")),
            Files.exists(floor) ? floor : null);
    List<String> options = Arrays.asList(args).subList(4, args.length);
    Results results = new Results(Path.of(args[3]));
    Bench bench = new Bench(installation, work, results, !options.contains("--no-warm-up"));
    String sitting =
        options.contains("--group")
            ? value(options, "--group")
            : options.contains("--short") ? SHORT : "selected";
    List<Case> cases = chosen(options);
    if (!options.contains("--table")) {
      int rounds = options.contains("--rounds") ? Integer.parseInt(value(options, "--rounds")) : 2;
      for (int round = 0; round < rounds; round++) {
        if (!options.contains("--round") || Integer.parseInt(value(options, "--round")) == round) {
          bench.round(sitting, round, cases, only(options));
        }
      }
    }
    Table table = results.table();
    System.out.println();
    System.out.println(table.markdown());
    table.failures().forEach(line -> System.out.println("failed: " + line));
    if (options.contains("--publish")) {
      Report.publish(results, Path.of(value(options, "--publish")));
    }
    if (options.contains("--save")) {
      Files.write(Path.of(value(options, "--save")), table.ratios());
    }
    int status = table.failures().isEmpty() ? 0 : 1;
    if (options.contains("--guard")) {
      Set<String> measured = cases.stream().map(Case::id).collect(Collectors.toSet());
      List<String> worse =
          table.worseThan(Files.readAllLines(Path.of(value(options, "--guard"))), measured);
      worse.forEach(line -> System.out.println("worse than committed: " + line));
      status = worse.isEmpty() ? status : 1;
    }
    System.exit(status);
  }

  /// All cases, in the order in which they run.
  static List<Case> all() {
    List<Case> all = new ArrayList<>();
    all.addAll(LifeCases.all());
    all.addAll(ProduceCases.all());
    all.addAll(TransactionCases.all());
    all.addAll(FetchCases.all());
    all.addAll(LatencyCases.all());
    all.addAll(ScaleCases.all());
    all.addAll(ToolCases.all());
    return all;
  }

  /// The groups of all cases, in order.
  static Set<String> groups() {
    return all().stream().map(Case::group).collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private static List<Case> chosen(List<String> options) {
    List<Case> cases = all();
    if (options.contains("--short")) {
      cases.removeIf(one -> !one.isShort());
    }
    if (options.contains("--group")) {
      cases.removeIf(one -> !one.group().equals(value(options, "--group")));
    }
    if (options.contains("--cases")) {
      Set<String> ids = Set.of(value(options, "--cases").split(",", -1));
      List<String> known = cases.stream().map(Case::id).toList();
      if (!known.containsAll(ids)) {
        throw new IllegalArgumentException("cases are " + known + ", not all of " + ids);
      }
      cases.removeIf(one -> !ids.contains(one.id()));
    }
    return cases;
  }

  private static List<Kind> only(List<String> options) {
    if (!options.contains("--only")) {
      return options.contains("--short")
          ? List.of(Kind.TAKHIN, Kind.KAFKA)
          : List.of(Kind.values());
    }
    return Arrays.stream(value(options, "--only").split(",", -1)).map(Kind::valueOf).toList();
  }

  /// One process of each broker: A B, and B A in the next round. Those that are only compared with
  /// are measured once.
  private void round(String sitting, int round, List<Case> cases, List<Kind> only)
      throws IOException, InterruptedException {
    List<Kind> order =
        round == 0
            ? List.of(Kind.TAKHIN, Kind.KAFKA, Kind.TUNED, Kind.FLOOR)
            : round % 2 == 1 ? List.of(Kind.KAFKA, Kind.TAKHIN) : List.of(Kind.TAKHIN, Kind.KAFKA);
    for (Kind kind : order) {
      List<Case> served = cases.stream().filter(one -> one.kinds().contains(kind)).toList();
      boolean possible = kind != Kind.FLOOR || installation.floor() != null;
      if (!served.isEmpty()
          && only.contains(kind)
          && possible
          && !results.isDone(sitting, round, kind)) {
        results.begin(sitting, round, kind);
        long start = System.nanoTime();
        double others = ProcessStats.othersSeconds();
        sit(sitting, round, kind, served);
        others =
            (ProcessStats.othersSeconds() - others) / ((System.nanoTime() - start) / 1e9) * 100;
        System.out.printf(Locale.ROOT, "%-7s others took %.0f %% of a core%n", kind, others);
        results.beside(sitting, round, kind, others);
        results.done(sitting, round, kind);
      }
    }
  }

  private void sit(String sitting, int round, Kind kind, List<Case> cases)
      throws IOException, InterruptedException {
    List<Case> left = new ArrayList<>();
    for (Phase phase : Phase.values()) {
      cases.stream().filter(one -> one.phase() == phase).forEach(left::add);
    }
    // A case that fails may leave a broker that is not what the next one expects: begin anew.
    while (!left.isEmpty()) {
      Path dir = work.resolve(kind.name().toLowerCase(Locale.ROOT));
      try (Broker broker = new Broker(kind, installation, dir)) {
        broker.prepare();
        broker.launch();
        broker.awaitReady();
        runUntilFailure(sitting, round, broker, left);
      } catch (IOException | RuntimeException e) {
        String id = left.isEmpty() ? "stop" : left.removeFirst().id();
        report(sitting, round, kind, id, e);
      }
    }
  }

  /// Takes cases off the list as they end; what is thrown belongs to the first that is left.
  private void runUntilFailure(String sitting, int round, Broker broker, List<Case> left)
      throws IOException, InterruptedException {
    boolean warm = !warmUp || broker.kind() == Kind.FLOOR;
    while (!left.isEmpty()) {
      Case one = left.getFirst();
      if (one.phase() != Phase.COLD && !warm) {
        ProduceCases.warmUp(broker);
        if (!sitting.equals(SHORT)) {
          FetchCases.warmUp(broker);
          ScaleCases.warmUp(broker);
        }
        warm = true;
      }
      for (Figure figure : one.run().run(broker)) {
        results.figure(sitting, round, broker.kind(), one, figure);
        System.out.printf(
            Locale.ROOT,
            "%-7s %-70s %12.3f %s%n",
            broker.kind(),
            figure.name(),
            figure.value(),
            figure.unit());
      }
      left.removeFirst();
    }
  }

  private void report(String sitting, int round, Kind kind, String id, Exception why)
      throws IOException {
    System.out.printf("%-7s %s FAILED: %s%n", kind, id, why);
    why.printStackTrace(System.out);
    results.failed(sitting, round, kind, id, String.valueOf(why));
  }

  private static String value(List<String> options, String name) {
    int at = options.indexOf(name) + 1;
    if (at >= options.size()) {
      throw new IllegalArgumentException(name + " needs a value");
    }
    return options.get(at);
  }
}
