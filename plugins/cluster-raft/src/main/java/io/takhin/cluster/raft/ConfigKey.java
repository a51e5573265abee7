package io.takhin.cluster.raft;

import io.takhin.api.cluster.ConfigEntry;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// A config key of Kafka, as a line of one of the tables has it.
///
/// @param defaultValue null if there is none
/// @param constraint what values are allowed beyond the type, see [#check]
/// @param related the broker key behind a topic or group key; for broker keys, how Kafka lets them
///     change
/// @param documentation null for broker keys
record ConfigKey(
    String name,
    ConfigEntry.Type type,
    @Nullable String defaultValue,
    String constraint,
    String related,
    @Nullable String documentation) {

  private static final int MAX_VALUE_CHARS = 32_767;
  private static final Pattern THROTTLED = Pattern.compile("\\*?|\\d{1,9}:\\d{1,9}");
  private static final Set<String> MATCHES =
      Set.of(
          "client_instance_id",
          "client_id",
          "client_software_name",
          "client_software_version",
          "client_source_address",
          "client_source_port");

  /// Whether APPEND and SUBTRACT make sense.
  boolean isList() {
    return type == ConfigEntry.Type.LIST;
  }

  /// The elements of a list value.
  static List<String> elements(String value) {
    return Arrays.stream(value.split(",", -1))
        .map(String::strip)
        .filter(element -> !element.isEmpty())
        .toList();
  }

  /// What is wrong with a value, or null.
  ///
  /// Constraints: `-` none; `min..max`, either may be absent; `-1|min..max`; `in:a|b` one of, or
  /// for a list only of; `throttled`, `match` and `reset` for the forms of three keys.
  @Nullable String check(String value) {
    String wrong = value.length() > MAX_VALUE_CHARS ? "is too long" : checkType(value.strip());
    if (wrong == null) {
      wrong = checkConstraint(value.strip());
    }
    String shown = value.length() > 100 ? value.substring(0, 100) + "..." : value;
    return wrong == null ? null : "Invalid value %s for %s: it %s".formatted(shown, name, wrong);
  }

  private @Nullable String checkType(String value) {
    try {
      switch (type) {
        case BOOLEAN -> {
          if (!value.equalsIgnoreCase("true") && !value.equalsIgnoreCase("false")) {
            return "is neither true nor false";
          }
        }
        case INT -> Integer.parseInt(value);
        case SHORT -> Short.parseShort(value);
        case LONG -> Long.parseLong(value);
        case DOUBLE -> Double.parseDouble(value);
        case STRING, LIST, CLASS, PASSWORD -> {}
      }
      return null;
    } catch (NumberFormatException e) {
      return "is not a number of type " + type;
    }
  }

  private @Nullable String checkConstraint(String value) {
    if (constraint.equals("-")) {
      return null;
    }
    if (constraint.startsWith("in:")) {
      return checkAllowed(value);
    }
    return switch (constraint) {
      case "throttled" ->
          elements(value).stream().allMatch(e -> THROTTLED.matcher(e).matches())
              ? null
              : "is not a list of partition:broker pairs, nor *";
      case "match" -> checkMatches(value);
      case "reset" -> checkReset(value);
      default -> checkRange(value);
    };
  }

  private @Nullable String checkAllowed(String value) {
    Set<String> allowed =
        new LinkedHashSet<>(Arrays.asList(constraint.substring(3).split("\\|", -1)));
    List<String> given = isList() ? elements(value) : List.of(value);
    for (String element : given) {
      if (!allowed.contains(element)) {
        return "must be one of " + String.join(", ", allowed);
      }
    }
    return null;
  }

  private @Nullable String checkRange(String value) {
    String range = constraint;
    if (range.startsWith("-1|")) {
      if (value.equals("-1")) {
        return null;
      }
      range = range.substring(3);
    }
    int dots = range.indexOf("..");
    String min = range.substring(0, dots);
    String max = range.substring(dots + 2);
    // Through double only where the type is: longs near their end would lose digits.
    boolean floating = type == ConfigEntry.Type.DOUBLE;
    if (floating && Double.isNaN(Double.parseDouble(value))) {
      return "is not a number";
    }
    if (floating
        ? Double.parseDouble(value) < Double.parseDouble(min)
        : Long.parseLong(value) < Long.parseLong(min)) {
      return "must be at least " + min;
    }
    if (max.isEmpty()) {
      return null;
    }
    if (floating
        ? Double.parseDouble(value) > Double.parseDouble(max)
        : Long.parseLong(value) > Long.parseLong(max)) {
      return "must be at most " + max;
    }
    return null;
  }

  private static @Nullable String checkMatches(String value) {
    for (String element : elements(value)) {
      int equals = element.indexOf('=');
      if (equals < 0 || !MATCHES.contains(element.substring(0, equals).strip())) {
        return "is not attribute=pattern with an attribute of "
            + MATCHES.stream().sorted().toList();
      }
      try {
        Pattern.compile(element.substring(equals + 1).strip());
      } catch (PatternSyntaxException e) {
        return "has a pattern that is no regular expression: " + e.getDescription();
      }
    }
    return null;
  }

  private static @Nullable String checkReset(String value) {
    if (value.equals("latest") || value.equals("earliest")) {
      return null;
    }
    if (value.startsWith("by_duration:")) {
      try {
        if (!Duration.parse(value.substring("by_duration:".length())).isNegative()) {
          return null;
        }
      } catch (DateTimeParseException e) {
        return "has a duration that is not of the form PnDTnHnMn.nS";
      }
    }
    return "must be latest, earliest or by_duration:PnDTnHnMn.nS";
  }
}
