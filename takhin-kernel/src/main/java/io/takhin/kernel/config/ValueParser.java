package io.takhin.kernel.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Turns text into the value of a key, within its bounds.
final class ValueParser {
  private static final int MAX_SHOWN = 80;

  private ValueParser() {}

  /// A value or the reason why there is none.
  sealed interface Parsed {}

  /// The value, of the type of the record's component.
  record Good(Object value) implements Parsed {}

  /// Why not, to stand behind the key's name.
  record Bad(String reason) implements Parsed {}

  static Parsed parse(KeySpec spec, Sourced source) {
    if (source.sequence() && !spec.kind().isList()) {
      return new Bad("takes one value, not a list");
    }
    return switch (spec.kind()) {
      case BOOLEAN -> bool(spec, source.text().strip());
      case INT -> integer(spec, source.text().strip(), Integer.MIN_VALUE, Integer.MAX_VALUE);
      case LONG -> integer(spec, source.text().strip(), Long.MIN_VALUE, Long.MAX_VALUE);
      case DOUBLE -> decimal(spec, source.text().strip());
      case STRING -> oneOf(spec, source.text());
      case PATH -> path(spec, source.text());
      case ENUM -> constant(spec, source.text().strip());
      case STRING_LIST, INT_LIST -> list(spec, source);
    };
  }

  private static Parsed bool(KeySpec spec, String text) {
    return switch (text.toLowerCase(java.util.Locale.ROOT)) {
      case "true" -> new Good(true);
      case "false" -> new Good(false);
      default -> new Bad(shown(spec, text) + " is not true or false");
    };
  }

  private static Parsed integer(KeySpec spec, String text, long typeMin, long typeMax) {
    long value;
    try {
      value = Long.parseLong(text);
    } catch (NumberFormatException e) {
      return new Bad(shown(spec, text) + " is not a whole number");
    }
    long min = Math.max(typeMin, spec.min());
    long max = Math.min(typeMax, spec.max());
    if (value < min) {
      return new Bad(shown(spec, text) + " is below " + min);
    }
    if (value > max) {
      return new Bad(shown(spec, text) + " is above " + max);
    }
    boolean isInt = spec.kind() == KeySpec.Kind.INT || spec.kind() == KeySpec.Kind.INT_LIST;
    return new Good(isInt ? (Object) Math.toIntExact(value) : (Object) value);
  }

  private static Parsed decimal(KeySpec spec, String text) {
    double value;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return new Bad(shown(spec, text) + " is not a number");
    }
    if (!Double.isFinite(value)) {
      return new Bad(shown(spec, text) + " is not a finite number");
    }
    if (value < spec.min()) {
      return new Bad(shown(spec, text) + " is below " + spec.min());
    }
    if (value > spec.max()) {
      return new Bad(shown(spec, text) + " is above " + spec.max());
    }
    return new Good(value);
  }

  private static Parsed oneOf(KeySpec spec, String text) {
    if (spec.oneOf().isEmpty() || spec.oneOf().contains(text)) {
      return new Good(text);
    }
    return new Bad(
        shown(spec, text)
            + " is not one of "
            + String.join(", ", spec.oneOf())
            + Suggestions.didYouMean(text, spec.oneOf()));
  }

  private static Parsed path(KeySpec spec, String text) {
    try {
      return new Good(Path.of(text));
    } catch (InvalidPathException e) {
      return new Bad(shown(spec, text) + " is not a path: " + e.getReason());
    }
  }

  private static Parsed constant(KeySpec spec, String text) {
    Parsed parsed = oneOf(spec, text);
    Object[] constants = spec.enumType().getEnumConstants();
    if (parsed instanceof Bad || constants == null) { // without its class the text is all there is
      return parsed;
    }
    return new Good(constants[spec.oneOf().indexOf(text)]);
  }

  private static Parsed list(KeySpec spec, Sourced source) {
    List<Object> values = new ArrayList<>();
    for (String element : source.elements()) {
      Parsed parsed =
          spec.kind() == KeySpec.Kind.INT_LIST
              ? integer(spec, element.strip(), Integer.MIN_VALUE, Integer.MAX_VALUE)
              : oneOf(spec, element);
      switch (parsed) {
        case Bad bad -> {
          return bad;
        }
        case Good good -> values.add(good.value());
      }
    }
    return new Good(List.copyOf(values));
  }

  /// The text for a message: hidden for secrets, short, and without control characters.
  private static String shown(KeySpec spec, String text) {
    if (spec.secret()) {
      return "the value (hidden)";
    }
    if (text.isEmpty()) {
      return "an empty value";
    }
    String clean = text.replaceAll("\\p{Cntrl}", "?");
    return "'" + (clean.length() > MAX_SHOWN ? clean.substring(0, MAX_SHOWN) + "..." : clean) + "'";
  }
}
