package io.takhin.coordinator.transaction;

import java.util.List;

/// A regular expression that transactional ids are filtered by (KIP-1152), matched without going
/// back: all ways to match are followed at once, so that time is bounded by the expression's size
/// times the id's. The JDK's engine takes exponential time for expressions like `(a|a)*b`.
///
/// Understood, as RE2 means it: `. | ( ) (?: ) (?<name> ) [ ] [^ ] * + ? {n} {n,} {n,m}`, lazy or
/// not, `^ $ \A \z`, `\d \w \s` and their opposites, `\Q \E`, and escaped punctuation.
///
/// Threading: one thread. Blocking: CPU only.
final class IdPattern {
  /// Places of a program, which counts write out.
  static final int MAX_SIZE = 2_000;

  /// Steps for all ids together, some 300 ms.
  static final long MAX_STEPS = 50_000_000;

  private final List<Place> places;
  private final int[] now;
  private final int[] then;
  private final int[] seen;
  private final int[] open;
  private int round;
  private int count;
  private long steps;

  /// One place of the program: what it takes, or where it goes on without taking anything.
  sealed interface Place {
    /// Takes a character that is in one of the ranges, or in none of them.
    record Take(int[] ranges, boolean none) implements Place {
      boolean takes(int c) {
        for (int i = 0; i < ranges.length; i += 2) {
          if (ranges[i] <= c && c <= ranges[i + 1]) {
            return !none;
          }
        }
        return none;
      }
    }

    /// Goes on at both; to one if they are the same.
    record Split(int first, int second) implements Place {}

    /// Goes on only at the start, or only at the end, of the id.
    record Edge(boolean end) implements Place {}

    /// It matched.
    record Match() implements Place {}
  }

  /// Errors: IllegalArgumentException if it is no expression, or one too large.
  IdPattern(String text) {
    places = new IdPatternParser(text).program();
    now = new int[places.size()];
    then = new int[places.size()];
    seen = new int[places.size()];
    open = new int[2 * places.size() + 2];
  }

  /// Whether the whole id matches.
  ///
  /// Errors: IllegalArgumentException if matching takes too long.
  boolean matches(String id) {
    int[] from = now;
    int[] to = then;
    int at = 0;
    int length = id.length();
    int alive = follow(0, 0, length, to);
    while (at < length && alive > 0) {
      int[] swap = from;
      from = to;
      to = swap;
      int c = id.codePointAt(at);
      at += Character.charCount(c);
      round++;
      count = 0;
      for (int i = 0; i < alive; i++) {
        if (places.get(from[i]) instanceof Place.Take take) {
          spend(take.ranges().length);
          if (take.takes(c)) {
            add(from[i] + 1, at, length, to);
          }
        }
      }
      alive = count;
    }
    round++;
    for (int i = 0; i < alive; i++) {
      if (places.get(to[i]) instanceof Place.Match) {
        return at == length;
      }
    }
    return false;
  }

  private void spend(int more) {
    steps += more;
    if (steps > MAX_STEPS) {
      throw new IllegalArgumentException("matching takes too long");
    }
  }

  private int follow(int place, int at, int length, int[] to) {
    round++;
    count = 0;
    add(place, at, length, to);
    return count;
  }

  /// Adds all places that are reached without taking anything.
  private void add(int first, int at, int length, int[] to) {
    int left = 0;
    open[left++] = first;
    while (left > 0) {
      int place = open[--left];
      spend(1);
      if (seen[place] == round) {
        continue;
      }
      seen[place] = round;
      switch (places.get(place)) {
        case Place.Split split -> {
          open[left++] = split.first();
          open[left++] = split.second();
        }
        case Place.Edge edge -> {
          if (at == (edge.end() ? length : 0)) {
            open[left++] = place + 1;
          }
        }
        case Place.Take take -> to[count++] = place;
        case Place.Match match -> to[count++] = place;
      }
    }
  }
}
