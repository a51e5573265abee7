package io.takhin.kernel.config;

import java.util.ArrayList;
import java.util.List;

/// Everything that is wrong with a configuration, in the order in which it was found.
public final class Problems {
  private static final int MAX_CHARS = 1000;

  private final List<String> lines = new ArrayList<>();

  /// None yet.
  public Problems() {}

  /// Adds one: where, what, and what to do, in one line. What a file holds is quoted in it, so
  /// characters that would move about in a terminal are shown as `?`, and long lines are cut.
  public void add(String line) {
    StringBuilder shown = new StringBuilder(Math.min(line.length(), MAX_CHARS));
    line.codePoints().limit(MAX_CHARS).forEach(c -> shown.appendCodePoint(printable(c) ? c : '?'));
    lines.add(line.length() > MAX_CHARS ? shown.append("...").toString() : shown.toString());
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
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
