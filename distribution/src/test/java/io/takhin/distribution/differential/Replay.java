package io.takhin.distribution.differential;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Asks a broker the fixed scripts and compares with what Kafka answered when it was recorded.
public final class Replay {
  private final Broker takhin;
  private final Path recordings;
  private final AcceptedDifferences accepted = AcceptedDifferences.read();
  private final Prefixes prefixes = new Prefixes();
  private int scripts;

  /// @param recordings the directory of the files
  public Replay(Broker takhin, Path recordings) {
    this.takhin = takhin;
    this.recordings = recordings;
  }

  /// The families of scripts.
  public static List<String> families() {
    return List.copyOf(FixedScripts.families().keySet());
  }

  /// Reports of the scripts of a family that are answered differently.
  public List<String> differing(String family) throws IOException {
    Map<String, List<Answer>> recorded = Golden.read(recordings.resolve(family + ".golden"));
    List<String> differing = new ArrayList<>();
    for (Script script : FixedScripts.families().getOrDefault(family, List.of())) {
      List<Answer> kafka = recorded.get(script.name());
      if (kafka == null || kafka.size() != script.steps().size()) {
        differing.add(script.name() + " is not recorded: scripts/differential.sh --record");
        continue;
      }
      Comparison compared =
          Comparison.of(script, kafka, Runner.run(takhin, script, prefixes.next()), accepted);
      scripts++;
      if (!compared.unexpected().isEmpty()) {
        differing.add(compared.report());
      }
    }
    return differing;
  }

  /// How many scripts were asked.
  public int scripts() {
    return scripts;
  }

  /// Accepted differences that no script showed: they can go, or lack a script.
  public List<String> acceptedForNothing() {
    return accepted.notMet();
  }
}
