package io.takhin.distribution.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// A list of requests to one broker, by a name.
///
/// @param name of files and reports
/// @param steps in the order in which they are sent
public record Script(String name, List<Step> steps) {
  /// Copies the list.
  public Script {
    steps = List.copyOf(steps);
  }

  /// A script to add steps to.
  static Builder named(String name) {
    return new Builder(name);
  }

  /// The same without some of its steps.
  Script without(int from, int until) {
    List<Step> fewer = new ArrayList<>(steps.subList(0, from));
    fewer.addAll(steps.subList(until, steps.size()));
    return new Script(name, fewer);
  }

  /// Collects steps.
  static final class Builder {
    private final String name;
    private final List<Step> steps = new ArrayList<>();

    private Builder(String name) {
      this.name = name;
    }

    /// A request on the first connection.
    Builder ask(ApiKeys api, int version, Function<State, ApiMessage> request) {
      return step(Requests.ask(api, version, request));
    }

    /// Any step.
    Builder step(Step step) {
      steps.add(step);
      return this;
    }

    Builder steps(List<Step> more) {
      steps.addAll(more);
      return this;
    }

    Script build() {
      return new Script(name, steps);
    }
  }
}
