package io.takhin.kernel.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// All keys that somebody present declares, and who.
public final class ConfigSchema {
  private final Map<String, Declared> keys = new LinkedHashMap<>();
  private final Map<String, String> keysByEnv = new LinkedHashMap<>();

  /// No keys yet.
  public ConfigSchema() {}

  /// A key with its declarers, the first of which is the one that others must agree with.
  ///
  /// @param spec the first declaration
  /// @param owners the kernel or plugins
  public record Declared(KeySpec spec, List<String> owners) {}

  /// Adds the keys of one owner, all or none.
  ///
  /// @throws IllegalArgumentException what is wrong with the record, in words for its author
  public void add(String owner, Class<? extends Record> type) {
    List<KeySpec> specs = KeySpec.of(type);
    for (KeySpec spec : specs) {
      Declared present = keys.get(spec.key());
      String disagreement = present == null ? "" : spec.disagreement(present.spec());
      if (present != null && !disagreement.isEmpty()) {
        throw new IllegalArgumentException(
            "declares "
                + spec.key()
                + " with "
                + disagreement
                + ", as "
                + present.owners().getFirst()
                + " does; declarations of a shared key must agree");
      }
      String other = keysByEnv.get(spec.env());
      if (other != null && !other.equals(spec.key())) {
        throw new IllegalArgumentException(
            "declares " + spec.key() + ", which has the environment variable of " + other);
      }
      checkDefault(spec);
    }
    for (KeySpec spec : specs) {
      keysByEnv.put(spec.env(), spec.key());
      keys.computeIfAbsent(spec.key(), key -> new Declared(spec.withoutClass(), new ArrayList<>()))
          .owners()
          .add(owner);
    }
  }

  /// The key's declaration, or null if nobody present has it.
  public @Nullable KeySpec spec(String key) {
    Declared declared = keys.get(key);
    return declared == null ? null : declared.spec();
  }

  /// All keys in the order of their declaration.
  public Collection<Declared> declared() {
    return List.copyOf(keys.values());
  }

  /// The key of an environment variable, or null.
  @Nullable String keyOfEnv(String env) {
    return keysByEnv.get(env);
  }

  /// All environment variables that mean something.
  Collection<String> envNames() {
    return keysByEnv.keySet();
  }

  /// All keys.
  Collection<String> keys() {
    return keys.keySet();
  }

  private static void checkDefault(KeySpec spec) {
    if (spec.defaultValue().contains("${") || spec.defaultValue().isEmpty()) {
      return; // resolved, or found missing, when a configuration is bound
    }
    ValueParser.Parsed parsed = ValueParser.parse(spec, Sourced.text(spec.defaultValue(), ""));
    if (parsed instanceof ValueParser.Bad bad) {
      throw new IllegalArgumentException(
          "declares " + spec.key() + " with a default that is not valid: " + bad.reason());
    }
  }
}
