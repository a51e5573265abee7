package io.takhin.kernel.config;

import java.util.List;

/// A value as somebody wrote it.
///
/// @param items the texts: several for a YAML sequence, else one
/// @param sequence whether it was a YAML sequence
/// @param origin where it stands: `takhin.yaml:12`, `environment TAKHIN_SERVER_PORT`, `flag -port`
record Sourced(List<String> items, boolean sequence, String origin) {
  /// One text, as environment and flags have it.
  static Sourced text(String text, String origin) {
    return new Sourced(List.of(text), false, origin);
  }

  /// The single text; for a sequence, all of it.
  String text() {
    return sequence ? items.toString() : items.getFirst();
  }

  /// The elements for a list: those of the sequence, or of a comma-separated text.
  List<String> elements() {
    return sequence ? items : split(items.getFirst());
  }

  /// Comma-separated text as a list, without blanks around elements and without empty elements.
  static List<String> split(String text) {
    return java.util.Arrays.stream(text.split(",", -1))
        .map(String::strip)
        .filter(element -> !element.isEmpty())
        .toList();
  }
}
