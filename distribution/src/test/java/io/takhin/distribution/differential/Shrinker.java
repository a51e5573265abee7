package io.takhin.distribution.differential;

import java.io.IOException;

/// Makes a script that is answered differently smaller, as long as some answer still differs.
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
    for (int length = Math.max(1, differing.script().steps().size() / 2); length >= 1; ) {
      boolean shorter = false;
      for (int from = 0; from + length <= smallest.script().steps().size(); ) {
        Comparison tried = judge.ask(smallest.script().without(from, from + length));
        if (tried.unexpected().isEmpty()) {
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
