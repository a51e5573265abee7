package io.takhin.kernel.config;

import java.util.ArrayList;
import java.util.List;

/// Everything that is wrong with a configuration, in the order in which it was found.
public final class Problems {
  private final List<String> lines = new ArrayList<>();

  /// None yet.
  public Problems() {}

  /// Adds one: where, what, and what to do, in one line.
  public void add(String line) {
    lines.add(line);
  }

  /// All so far.
  public List<String> lines() {
    return List.copyOf(lines);
  }

  /// Whether there is none.
  public boolean isEmpty() {
    return lines.isEmpty();
  }
}
