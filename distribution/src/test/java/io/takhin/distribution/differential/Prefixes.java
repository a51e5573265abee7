package io.takhin.distribution.differential;

/// Prefixes of names for one run of a script each, that no other run and no other process uses, all
/// of the same length.
final class Prefixes {
  private final String session =
      Long.toString((System.nanoTime() & 0x1FFFFFF) + 0x3000000, 36).substring(0, 5);
  private int runs;

  /// The next one.
  String next() {
    return "d-" + session + "-" + Integer.toString(46_656 + runs++, 36) + "-";
  }
}
