package io.takhin.distribution.differential;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/// What `scripts/differential.sh` runs, when it has started the brokers:
///
/// - `record KAFKA DIRECTORY [FAMILY]` writes Kafka's answers to the fixed scripts,
/// - `fixed KAFKA TAKHIN [NAME]` asks both the fixed scripts whose names begin so,
/// - `random KAFKA TAKHIN COUNT FIRST` asks both the random scripts of so many seeds.
///
/// Brokers are given as host:port.
final class Differential {
  private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(10);

  /// Until somebody asks where they are, a new Kafka has no coordinators, and every script that
  /// needs one without asking would wait for it in vain.
  private static final Script COORDINATORS =
      Script.named("where coordinators are")
          .step(GroupRequests.coordinator(3, 0, "g"))
          .step(GroupRequests.coordinator(3, 1, "t"))
          .build();

  private final Broker kafka;
  private final Broker takhin;
  private final AcceptedDifferences accepted = AcceptedDifferences.read();
  private final Prefixes prefixes = new Prefixes();

  private Differential(Broker kafka, Broker takhin) {
    this.kafka = kafka;
    this.takhin = takhin;
  }

  /// Runs a mode.
  public static void main(String[] args) throws IOException {
    boolean same =
        switch (args[0]) {
          case "record" -> {
            record(address(args[1], true), Path.of(args[2]), args.length > 3 ? args[3] : "");
            yield true;
          }
          case "fixed" -> both(args).fixed(args.length > 3 ? args[3] : "");
          case "random" -> both(args).random(Integer.parseInt(args[3]), Long.parseLong(args[4]));
          default -> throw new IllegalArgumentException(args[0]);
        };
    System.exit(same ? 0 : 1);
  }

  private static Differential both(String[] args) throws IOException {
    Differential both = new Differential(address(args[1], true), address(args[2], false));
    both.ask(COORDINATORS);
    return both;
  }

  private static Broker address(String text, boolean kafka) {
    int colon = text.lastIndexOf(':');
    String host = text.substring(0, colon);
    int port = Integer.parseInt(text.substring(colon + 1));
    return kafka ? Broker.kafka(host, port) : Broker.takhin(host, port);
  }

  private static void record(Broker kafka, Path directory, String only) throws IOException {
    int all = 0;
    Prefixes prefixes = new Prefixes();
    Runner.run(kafka, COORDINATORS, prefixes.next());
    for (Map.Entry<String, List<Script>> family : FixedScripts.families().entrySet()) {
      if (!family.getKey().startsWith(only)) {
        continue;
      }
      Map<Script, List<Answer>> answers = new LinkedHashMap<>();
      for (Script script : family.getValue()) {
        answers.put(script, Runner.run(kafka, script, prefixes.next()));
        all++;
      }
      Golden.write(directory.resolve(family.getKey() + ".golden"), answers);
    }
    System.out.println(all + " scripts recorded");
  }

  private boolean fixed(String begin) throws IOException {
    List<Script> scripts = new ArrayList<>();
    FixedScripts.families().values().forEach(scripts::addAll);
    scripts.removeIf(script -> !script.name().startsWith(begin));
    return all(scripts);
  }

  private boolean random(int count, long first) throws IOException {
    int different = 0;
    Map<String, Integer> kinds = new TreeMap<>();
    long told = System.nanoTime();
    for (long seed = first; seed < first + count; seed++) {
      Comparison compared = ask(RandomScripts.script(seed));
      if (!compared.unexpected().isEmpty()) {
        different++;
        Difference of = compared.unexpected().getFirst();
        String kind = of.kind();
        boolean known = kinds.merge(kind, 1, Integer::sum) > 1;
        System.out.println(
            known
                ? "seed " + seed + " differs as one before: " + of
                : Shrinker.shrink(compared, this::ask).report());
      }
      if (System.nanoTime() - told > PROGRESS_NANOS) {
        told = System.nanoTime();
        System.out.println(seed - first + 1 + " scripts, " + different + " differ");
      }
    }
    System.out.println(count + " scripts, seeds " + first + " on: " + different + " differ");
    kinds.forEach((kind, times) -> System.out.println("  " + times + " x " + kind));
    return different == 0;
  }

  private boolean all(List<Script> scripts) throws IOException {
    int different = 0;
    for (Script script : scripts) {
      long began = System.nanoTime();
      Comparison compared = ask(script);
      long tookMs = (System.nanoTime() - began) / 1_000_000;
      if (tookMs > 2_000) {
        System.out.println("script " + script.name() + " took " + tookMs + " ms");
      }
      if (!compared.unexpected().isEmpty()) {
        different++;
        System.out.println(compared.report());
      }
    }
    System.out.println(scripts.size() + " scripts, " + different + " differ");
    return different == 0;
  }

  private Comparison ask(Script script) throws IOException {
    String prefix = prefixes.next();
    return Comparison.of(
        script, Runner.run(kafka, script, prefix), Runner.run(takhin, script, prefix), accepted);
  }
}
