package io.takhin.distribution.differential;

import java.io.IOException;

/// Makes a script that is answered differently smaller, as long as an answer differs in the same
/// way.
final class Shrinker {
  /// Asks both brokers.
  @FunctionalInterface
  interface Judge {
    /// How they answer.
    Comparison ask(Script script) throws IOException;
  }

  private Shrinker() {}

  /// The smallest that leaving out steps leads to: halves first, then single ones, until none can
  /// go.
  static Comparison shrink(Comparison differing, Judge judge) throws IOException {
    Comparison smallest = differing;
    String kind = differing.unexpected().getFirst().kind();
    for (int length = Math.max(1, differing.script().steps().size() / 2); length >= 1; ) {
      boolean shorter = false;
      for (int from = 0; from + length <= smallest.script().steps().size(); ) {
        Comparison tried = judge.ask(smallest.script().without(from, from + length));
        if (tried.unexpected().stream().noneMatch(other -> other.kind().equals(kind))) {
          from++;
        } else {
          smallest = tried;
          shorter = true;
        }
      }
      if (length > 1) {
        length /= 2;
      } else if (!shorter) {
        break;
      }
    }
    return smallest;
  }
}
