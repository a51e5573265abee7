package io.takhin.kernel;

import java.util.List;

/// The process cannot start; each line says what is wrong and what to do.
final class StartFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<String> lines;

  StartFailure(List<String> lines) {
    super(String.join("\n", lines));
    this.lines = List.copyOf(lines);
  }

  StartFailure(String line) {
    this(List.of(line));
  }

  List<String> lines() {
    return lines;
  }
}
