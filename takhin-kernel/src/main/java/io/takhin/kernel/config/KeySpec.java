package io.takhin.kernel.config;

import io.takhin.api.config.Key;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A key as one record declares it.
///
/// @param key dotted name
/// @param kind how its text is read
/// @param enumType the enum behind [Kind#ENUM] while its plugin is bound, else Void
/// @param defaultValue text, perhaps with references to other keys
/// @param doc for the reference
/// @param min smallest number
/// @param max largest number
/// @param oneOf values allowed, those of an enum too; none for all
/// @param secret whether the value is hidden
public record KeySpec(
    String key,
    Kind kind,
    Class<?> enumType,
    String defaultValue,
    String doc,
    long min,
    long max,
    List<String> oneOf,
    boolean secret) {

  /// What a component of a config record may be.
  public enum Kind {
    /// `true` or `false`.
    BOOLEAN("boolean"),
    /// 32 bits.
    INT("int"),
    /// 64 bits.
    LONG("long"),
    /// Finite.
    DOUBLE("double"),
    /// Any text.
    STRING("string"),
    /// A file or directory.
    PATH("path"),
    /// One of the constants, in lower case with dashes.
    ENUM("string"),
    /// Texts.
    STRING_LIST("list of strings"),
    /// 32-bit numbers.
    INT_LIST("list of ints");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /// The type's name in messages and in the reference.
    public String label() {
      return label;
    }

    /// Whether several values may be given.
    public boolean isList() {
      return this == STRING_LIST || this == INT_LIST;
    }
  }

  private static final String KEY_PATTERN = "[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)+";

  /// The keys of a record, in the order of its components.
  ///
  /// @throws IllegalArgumentException a defect of the record's author: a component without `@Key`,
  ///     of a type that cannot be bound, or with a name that is not a key
  public static List<KeySpec> of(Class<? extends Record> type) {
    List<KeySpec> specs = new ArrayList<>();
    RecordComponent[] components = type.getRecordComponents();
    if (components == null) {
      throw new IllegalArgumentException(type.getName() + " is not a record");
    }
    for (RecordComponent component : components) {
      String where = type.getName() + "." + component.getName();
      Key key = component.getAnnotation(Key.class);
      if (key == null) {
        throw new IllegalArgumentException(where + " has no @Key");
      }
      if (!key.value().matches(KEY_PATTERN)) {
        throw new IllegalArgumentException(
            where + " has the key '" + key.value() + "', which is not like 'group.some-name'");
      }
      Kind kind = kind(component.getGenericType(), where);
      specs.add(
          new KeySpec(
              key.value(),
              kind,
              kind == Kind.ENUM ? component.getType() : Void.class,
              key.defaultValue(),
              key.doc(),
              key.min(),
              key.max(),
              kind == Kind.ENUM ? constants(component.getType()) : List.of(key.oneOf()),
              key.secret()));
    }
    return specs;
  }

  private static Kind kind(Type type, String where) {
    if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
      Type element = list.getActualTypeArguments()[0];
      if (element == String.class) {
        return Kind.STRING_LIST;
      }
      if (element == Integer.class) {
        return Kind.INT_LIST;
      }
    }
    if (type instanceof Class<?> plain) {
      if (plain.isEnum()) {
        return Kind.ENUM;
      }
      if (plain == boolean.class) {
        return Kind.BOOLEAN;
      }
      if (plain == int.class) {
        return Kind.INT;
      }
      if (plain == long.class) {
        return Kind.LONG;
      }
      if (plain == double.class) {
        return Kind.DOUBLE;
      }
      if (plain == String.class) {
        return Kind.STRING;
      }
      if (plain == Path.class) {
        return Kind.PATH;
      }
    }
    throw new IllegalArgumentException(
        where
            + " is of type "
            + type.getTypeName()
            + "; a config component is boolean, int, long, double, String, Path, an enum,"
            + " List<String> or List<Integer>");
  }

  /// The environment variable of a key.
  public static String envName(String key) {
    return "TAKHIN_" + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /// The environment variable of this key.
  public String env() {
    return envName(key);
  }

  /// The same without the enum's class, which would keep its plugin's layer in memory.
  KeySpec withoutClass() {
    return new KeySpec(key, kind, Void.class, defaultValue, doc, min, max, oneOf, secret);
  }

  private static List<String> constants(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(KeySpec::enumText).toList();
  }

  /// How an enum's constant is spelled in config.
  static String enumText(Object constant) {
    return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// Bounds in words, empty if there are none.
  public String bounds() {
    if (!oneOf.isEmpty()) {
      return String.join(", ", oneOf);
    }
    boolean low = min != Long.MIN_VALUE;
    boolean high = max != Long.MAX_VALUE;
    return low && high ? min + " to " + max : low ? "≥ " + min : high ? "≤ " + max : "";
  }

  /// In what this differs from another declaration of the same key, or empty if the two agree. The
  /// doc may differ: each plugin says what the key means to it.
  public String disagreement(KeySpec other) {
    return Stream.of(
            differs("type", typeText(), other.typeText()),
            differs("default", defaultValue, other.defaultValue),
            differs("bounds", bounds(), other.bounds()),
            differs("secret", Boolean.toString(secret), Boolean.toString(other.secret)))
        .filter(text -> !text.isEmpty())
        .collect(Collectors.joining(", "));
  }

  // Two plugins cannot share an enum class of their own, so constants are what must agree.
  private String typeText() {
    return kind == Kind.ENUM ? "one of " + oneOf : kind.label();
  }

  private static String differs(String what, String mine, String theirs) {
    return mine.equals(theirs) ? "" : what + " '" + mine + "' instead of '" + theirs + "'";
  }
}
