package io.takhin.bench;

import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// One benchmark case. It makes its own topics on a broker that runs, and returns what it measured.
///
/// @param id as it is named on the command line
/// @param group cases that are measured, and drawn, together
/// @param phase what the broker has been through before
/// @param isShort whether it belongs to the short form
/// @param kinds the brokers that can serve it
/// @param run does it
record Case(String id, String group, Phase phase, boolean isShort, Set<Kind> kinds, Run run) {
  /// When in the life of a broker's process a case runs.
  enum Phase {
    /// Right after the first start.
    COLD,
    /// After the warm-up.
    WARM,
    /// At the end, when it may be killed.
    LAST
  }

  /// What a case does.
  interface Run {
    List<Figure> run(Broker broker) throws IOException, InterruptedException;
  }

  /// A case for Takhin and for Kafka as it ships, after the warm-up.
  static Case of(String group, String id, Run run) {
    return new Case(id, group, Phase.WARM, false, EnumSet.of(Kind.TAKHIN, Kind.KAFKA), run);
  }

  /// The same in another phase.
  Case at(Phase otherPhase) {
    return new Case(id, group, otherPhase, isShort, kinds, run);
  }

  /// The same, as part of the short form.
  Case inShortForm() {
    return new Case(id, group, phase, true, kinds, run);
  }

  /// The same, for other brokers too.
  Case also(Kind... more) {
    EnumSet<Kind> all = EnumSet.copyOf(kinds);
    all.addAll(List.of(more));
    return new Case(id, group, phase, isShort, all, run);
  }

  /// The same, with a processor for the load generator alone: what is measured is latency.
  Case apart() {
    return new Case(
        id,
        group,
        phase,
        isShort,
        kinds,
        broker -> {
          Placement placement = Placement.apart(broker);
          try {
            return run.run(broker);
          } finally {
            placement.close();
          }
        });
  }
}
