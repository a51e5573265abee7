package io.takhin.coordinator.transaction;

import io.takhin.coordinator.transaction.IdPattern.Place;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the regular expression of an [IdPattern] and writes its program.
///
/// Threading: one thread.
final class IdPatternParser {
  private static final int MAX_DEPTH = 100;
  private static final int MAX_REPEATS = 1000;
  private static final int LAST = Character.MAX_CODE_POINT;
  private static final int[] DIGITS = {'0', '9'};
  private static final int[] WORDS = {'0', '9', 'A', 'Z', '_', '_', 'a', 'z'};
  private static final int[] SPACES = {'\t', '\n', '\f', '\r', ' ', ' '};

  /// What an expression is made of, before it is written out.
  private sealed interface Node {
    record One(Place place) implements Node {}

    record All(List<Node> parts) implements Node {}

    record Any(List<Node> choices) implements Node {}

    /// @param most -1 without end
    record Repeat(Node what, int least, int most) implements Node {}
  }

  private final String text;
  private final List<Place> program = new ArrayList<>();
  private int at;
  private int depth;

  IdPatternParser(String text) {
    this.text = text;
  }

  /// Errors: IllegalArgumentException.
  List<Place> program() {
    Node whole = choices();
    if (at < text.length()) {
      throw wrong("a ) without (");
    }
    write(whole);
    put(new Place.Match());
    return program;
  }

  private IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException(what + " at " + at);
  }

  private boolean next(String wanted) {
    boolean there = text.startsWith(wanted, at);
    if (there) {
      at += wanted.length();
    }
    return there;
  }

  private Node choices() {
    if (++depth > MAX_DEPTH) {
      throw wrong("too many ( in each other");
    }
    List<Node> choices = new ArrayList<>();
    do {
      List<Node> parts = new ArrayList<>();
      while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
        if (next("\\Q")) {
          quoted(parts);
        } else {
          parts.add(repeated(atom()));
        }
      }
      choices.add(new Node.All(parts));
    } while (next("|"));
    depth--;
    return new Node.Any(choices);
  }

  private void quoted(List<Node> parts) {
    int end = text.indexOf("\\E", at);
    String literal = text.substring(at, end < 0 ? text.length() : end);
    literal.codePoints().forEach(c -> parts.add(one(c)));
    at = end < 0 ? text.length() : end + 2;
  }

  private static Node one(int c) {
    return new Node.One(new Place.Take(new int[] {c, c}, false));
  }

  private Node atom() {
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return switch (c) {
      case '(' -> group();
      case '[' -> new Node.One(bracket());
      case '.' -> new Node.One(new Place.Take(new int[] {'\n', '\n'}, true));
      case '^' -> new Node.One(new Place.Edge(false));
      case '$' -> new Node.One(new Place.Edge(true));
      case '*', '+', '?' -> throw wrong("nothing to repeat");
      case '\\' -> escaped();
      default -> one(c);
    };
  }

  private Node group() {
    if (next("?:")) {
      return closed();
    }
    if (next("?P<") || next("?<")) {
      int end = text.indexOf('>', at);
      if (end <= at || !text.substring(at, end).matches("[A-Za-z0-9_]{1,100}")) {
        throw wrong("a group without name");
      }
      at = end + 1;
      return closed();
    }
    if (next("?")) {
      throw wrong("a kind of group that is not understood");
    }
    return closed();
  }

  private Node closed() {
    Node inner = choices();
    if (!next(")")) {
      throw wrong("a ( without )");
    }
    return inner;
  }

  private Node escaped() {
    if (next("A")) {
      return new Node.One(new Place.Edge(false));
    }
    if (next("z")) {
      return new Node.One(new Place.Edge(true));
    }
    Place.Take shorthand = shorthand();
    return shorthand != null ? new Node.One(shorthand) : one(literal());
  }

  private Place.@Nullable Take shorthand() {
    int[] ranges =
        switch (at < text.length() ? text.charAt(at) : ' ') {
          case 'd', 'D' -> DIGITS;
          case 'w', 'W' -> WORDS;
          case 's', 'S' -> SPACES;
          default -> null;
        };
    return ranges == null ? null : new Place.Take(ranges, Character.isUpperCase(text.charAt(at++)));
  }

  /// What stands after a backslash for itself.
  private int literal() {
    if (at == text.length()) {
      throw wrong("a \\ with nothing after it");
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return switch (c) {
      case 't' -> '\t';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 'f' -> '\f';
      default -> {
        if (c > 127 || Character.isLetterOrDigit(c)) {
          throw wrong("an escape that is not understood");
        }
        yield c;
      }
    };
  }

  private Place.Take bracket() {
    boolean none = next("^");
    List<Integer> ranges = new ArrayList<>();
    boolean first = true;
    while (first || !next("]")) {
      first = false;
      if (at == text.length() || text.startsWith("[:", at)) {
        throw wrong("a [ without ], or a class that is not understood");
      }
      Place.Take shorthand = null;
      if (text.charAt(at) == '\\') {
        at++;
        shorthand = shorthand();
        if (shorthand == null) {
          at--;
        }
      }
      if (shorthand != null) {
        addAll(ranges, shorthand);
        continue;
      }
      int from = member();
      int to = from;
      if (text.startsWith("-", at) && !text.startsWith("-]", at)) {
        at++;
        to = member();
      }
      if (to < from) {
        throw wrong("a range that ends before it begins");
      }
      ranges.add(from);
      ranges.add(to);
    }
    return new Place.Take(ranges.stream().mapToInt(Integer::intValue).toArray(), none);
  }

  private static void addAll(List<Integer> ranges, Place.Take shorthand) {
    int[] of = shorthand.ranges();
    int from = 0;
    for (int i = 0; i < of.length; i += 2) {
      ranges.add(shorthand.none() ? from : of[i]);
      ranges.add(shorthand.none() ? of[i] - 1 : of[i + 1]);
      from = of[i + 1] + 1;
    }
    if (shorthand.none()) {
      ranges.add(from);
      ranges.add(LAST);
    }
  }

  private int member() {
    if (at == text.length()) {
      throw wrong("a [ without ]");
    }
    if (next("\\")) {
      return literal();
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return c;
  }

  private Node repeated(Node what) {
    int before = at;
    int least = 0;
    int most = -1;
    if (next("+")) {
      least = 1;
    } else if (next("?")) {
      most = 1;
    } else if (!next("*")) {
      int[] counts = counts();
      if (counts == null) {
        at = before;
        return what;
      }
      least = counts[0];
      most = counts[1];
    }
    next("?"); // lazy: the whole id matches or does not
    int after = at;
    boolean again = at < text.length() && "*+?".indexOf(text.charAt(at)) >= 0;
    if (again || counts() != null) {
      throw wrong("a repeat of a repeat");
    }
    at = after;
    return new Node.Repeat(what, least, most);
  }

  /// {n}, {n,} or {n,m}; null if it is none, for then the brace is one.
  private int @Nullable [] counts() {
    int end = text.indexOf('}', at);
    if (!next("{") || end < 0) {
      return null;
    }
    String inner = text.substring(at, Math.min(end, at + 12));
    if (!inner.matches("[0-9]{1,5}(,[0-9]{0,5})?") || end - at > 11) {
      return null;
    }
    at = end + 1;
    int comma = inner.indexOf(',');
    int least = Integer.parseInt(comma < 0 ? inner : inner.substring(0, comma));
    int most = least;
    if (comma >= 0) {
      most = comma + 1 == inner.length() ? -1 : Integer.parseInt(inner.substring(comma + 1));
    }
    if (least > MAX_REPEATS || most > MAX_REPEATS || (most >= 0 && most < least)) {
      throw wrong("a count that cannot be");
    }
    return new int[] {least, most};
  }

  // ---- writing

  private int put(Place place) {
    if (program.size() >= IdPattern.MAX_SIZE) {
      throw new IllegalArgumentException("the expression is too large");
    }
    program.add(place);
    return program.size() - 1;
  }

  private void write(Node node) {
    switch (node) {
      case Node.One one -> put(one.place());
      case Node.All all -> all.parts().forEach(this::write);
      case Node.Any any -> writeAny(any.choices());
      case Node.Repeat repeat -> writeRepeat(repeat);
    }
  }

  private void writeAny(List<Node> choices) {
    List<Integer> ends = new ArrayList<>();
    for (int i = 0; i + 1 < choices.size(); i++) {
      int split = put(new Place.Match());
      write(choices.get(i));
      ends.add(put(new Place.Match()));
      program.set(split, new Place.Split(split + 1, program.size()));
    }
    write(choices.getLast());
    for (int end : ends) {
      program.set(end, new Place.Split(program.size(), program.size()));
    }
  }

  /// Every round has a place of its own, also if what is repeated has none: rounds are bounded.
  private void writeRepeat(Node.Repeat repeat) {
    for (int i = 0; i < repeat.least(); i++) {
      int place = put(new Place.Match());
      program.set(place, new Place.Split(place + 1, place + 1));
      write(repeat.what());
    }
    if (repeat.most() < 0) {
      int split = put(new Place.Match());
      write(repeat.what());
      put(new Place.Split(split, split));
      program.set(split, new Place.Split(split + 1, program.size()));
      return;
    }
    List<Integer> splits = new ArrayList<>();
    for (int i = repeat.least(); i < repeat.most(); i++) {
      splits.add(put(new Place.Match()));
      write(repeat.what());
    }
    for (int split : splits) {
      program.set(split, new Place.Split(split + 1, program.size()));
    }
  }
}
