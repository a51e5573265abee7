package io.takhin.kernel.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What the user configured, in three layers: flags win over the environment, which wins over the
/// YAML file. Values are text until [#bind] reads them as the records want them.
///
/// A default may refer to another key: `${server.port}` is the value in force of that key, and
/// `${takhin.home}` the directory of the distribution. Values that users write are taken as they
/// are.
public final class Config {
  /// Variables that the start script or a container platform uses; they are no configuration.
  private static final Pattern NOT_CONFIG =
      Pattern.compile(
          "TAKHIN_(HOME|CONFIG|JAVA_HOME|JVM_.*|JAVA_.*|HEAP.*|DIRECT_MEMORY|GC_.*|AOT.*|PID_.*|LOG_DIR|LOG_FILE|TEST_.*|BENCH_.*|DAEMON_.*|START_.*|STOP_.*"
              // Kubernetes sets these in every pod beside a service named "takhin".
              + "|SERVICE_HOST|SERVICE_PORT|SERVICE_PORT_.*|PORT|PORT_\\d+_(TCP|UDP).*)");

  private static final Pattern REFERENCE = Pattern.compile("\\$\\{([a-z0-9.-]+)}");
  private static final int MAX_REFERENCES = 8;

  private final Map<String, Sourced> yaml;
  private final Map<String, String> env;
  private final Map<String, Sourced> flags;
  private final Path home;
  private final Problems problems;

  private Config(
      Map<String, Sourced> yaml,
      Map<String, String> env,
      Map<String, Sourced> flags,
      Path home,
      Problems problems) {
    this.yaml = yaml;
    this.env = env;
    this.flags = flags;
    this.home = home;
    this.problems = problems;
  }

  /// Reads the sources.
  ///
  /// @param file the YAML file, or null for none
  /// @param environment all variables; those without the prefix are left alone
  /// @param flags keys that the command line sets, with their flags' names: `server.port` to
  ///     `[-port, 9093]`
  /// @param home for `${takhin.home}`
  public static Config read(
      @Nullable Path file,
      Map<String, String> environment,
      Map<String, Flag> flags,
      Path home,
      Problems problems) {
    Map<String, Sourced> yaml = file == null ? Map.of() : YamlSource.read(file, problems);
    Map<String, String> env = new TreeMap<>();
    environment.forEach(
        (name, value) -> {
          if (name.startsWith("TAKHIN_") && !NOT_CONFIG.matcher(name).matches()) {
            env.put(name, value);
          }
        });
    Map<String, Sourced> byFlag = new LinkedHashMap<>();
    flags.forEach(
        (key, flag) -> byFlag.put(key, Sourced.text(flag.value(), "flag " + flag.name())));
    return new Config(yaml, env, byFlag, home, problems);
  }

  /// A flag as the user gave it.
  public record Flag(String name, String value) {}

  /// The text of a key before any record is known; null if nobody set it. For the few keys that
  /// decide where plugins are.
  public @Nullable List<String> raw(String key) {
    Sourced source = source(key);
    return source == null ? null : source.elements();
  }

  /// Reports what is set but nobody declares.
  public void checkUnknown(ConfigSchema schema) {
    yaml.forEach(
        (key, value) -> {
          if (schema.spec(key) == null) {
            problems.add(value.origin() + ": " + unknownKey(key, schema));
          }
        });
    env.keySet()
        .forEach(
            name -> {
              if (schema.keyOfEnv(name) == null) {
                problems.add(
                    "environment "
                        + name
                        + ": no key has this variable"
                        + Suggestions.didYouMean(name, schema.envNames()));
              }
            });
    flags.forEach(
        (key, value) -> {
          if (schema.spec(key) == null) {
            problems.add(value.origin() + ": no plugin present has the key " + key);
          }
        });
  }

  private static String unknownKey(String key, ConfigSchema schema) {
    List<String> inside =
        schema.keys().stream().filter(known -> known.startsWith(key + ".")).limit(3).toList();
    if (!inside.isEmpty()) {
      return key + " takes no value; it is a group of keys such as " + String.join(", ", inside);
    }
    return key
        + " is not a key of the kernel or of a plugin present"
        + Suggestions.didYouMean(key, schema.keys());
  }

  /// What was set and where, in one line for the log; secrets hidden.
  public String describeSet(ConfigSchema schema) {
    List<String> set = new ArrayList<>();
    for (String key : schema.keys()) {
      Sourced source = source(key);
      KeySpec spec = schema.spec(key);
      if (source != null && spec != null) {
        String value = spec.secret() ? "(hidden)" : String.join(",", source.items());
        set.add(key + "=" + value + " (" + source.origin() + ")");
      }
    }
    return set.isEmpty() ? "nothing, all defaults" : String.join(", ", set);
  }

  /// The value in force of every key, as text; secrets are left out.
  public Map<String, String> effective(ConfigSchema schema) {
    Map<String, String> values = new TreeMap<>();
    for (String key : schema.keys()) {
      KeySpec spec = schema.spec(key);
      if (spec == null || spec.secret()) {
        continue;
      }
      Sourced source = source(key);
      String text =
          source != null
              ? String.join(",", source.items())
              : resolveReferences(spec, schema, new HashSet<>());
      if (text != null) {
        values.put(key, text);
      }
    }
    return Collections.unmodifiableMap(values);
  }

  /// Binds one record. Its problems go to the list, and null comes back.
  public <C extends Record> @Nullable C bind(String owner, Class<C> type, ConfigSchema schema) {
    List<KeySpec> specs = KeySpec.of(type);
    List<Object> arguments = new ArrayList<>();
    boolean whole = true;
    for (KeySpec spec : specs) {
      Object value = value(spec, schema, new HashSet<>());
      whole &= value != null;
      if (value != null) {
        arguments.add(value);
      }
    }
    return whole ? construct(owner, type, arguments) : null;
  }

  private @Nullable Object value(KeySpec spec, ConfigSchema schema, Set<String> referring) {
    Sourced source = source(spec.key());
    if (source == null) {
      String text = resolveReferences(spec, schema, referring);
      if (text == null) {
        return null;
      }
      if (refersToBadValue(spec, schema)) {
        return null; // told where that value stands; this default only repeats it
      }
      source = Sourced.text(text, "default");
      if (text.isEmpty() && needsText(spec)) {
        report("config: " + spec.key() + " is required: set it in YAML or as " + spec.env());
        return null;
      }
    }
    return switch (ValueParser.parse(spec, source)) {
      case ValueParser.Good good -> good.value();
      case ValueParser.Bad bad -> {
        report(source.origin() + ": " + spec.key() + ": " + bad.reason());
        yield null;
      }
    };
  }

  private boolean refersToBadValue(KeySpec spec, ConfigSchema schema) {
    Matcher matcher = REFERENCE.matcher(spec.defaultValue());
    while (matcher.find()) {
      Sourced set = source(matcher.group(1));
      KeySpec other = schema.spec(matcher.group(1));
      if (set != null
          && other != null
          && ValueParser.parse(other, set) instanceof ValueParser.Bad) {
        return true;
      }
    }
    return false;
  }

  private static boolean needsText(KeySpec spec) {
    return switch (spec.kind()) {
      case BOOLEAN, INT, LONG, DOUBLE, ENUM -> true;
      case STRING, PATH, STRING_LIST, INT_LIST -> false;
    };
  }

  /// A shared key is read once for each record: its problem is told once.
  private void report(String line) {
    if (!problems.lines().contains(line)) {
      problems.add(line);
    }
  }

  private @Nullable String resolveReferences(
      KeySpec spec, ConfigSchema schema, Set<String> referring) {
    if (!referring.add(spec.key()) || referring.size() > MAX_REFERENCES) {
      report("default of " + spec.key() + ": refers to itself through " + referring);
      return null;
    }
    Matcher matcher = REFERENCE.matcher(spec.defaultValue());
    StringBuilder resolved = new StringBuilder();
    while (matcher.find()) {
      String key = matcher.group(1);
      String text;
      if (key.equals("takhin.home")) {
        text = home.toString();
      } else {
        Sourced set = source(key);
        KeySpec other = schema.spec(key);
        if (set != null) {
          text = String.join(",", set.items());
        } else if (other != null) {
          text = resolveReferences(other, schema, referring);
        } else {
          report(
              "default of "
                  + spec.key()
                  + ": refers to "
                  + key
                  + ", which no plugin present has; set "
                  + spec.key()
                  + " or add the plugin");
          text = null;
        }
      }
      if (text == null) {
        return null;
      }
      matcher.appendReplacement(resolved, Matcher.quoteReplacement(text));
    }
    referring.remove(spec.key());
    return matcher.appendTail(resolved).toString();
  }

  private @Nullable Sourced source(String key) {
    Sourced flag = flags.get(key);
    if (flag != null) {
      return flag;
    }
    String name = KeySpec.envName(key);
    String variable = env.get(name);
    return variable != null ? Sourced.text(variable, "environment " + name) : yaml.get(key);
  }

  private <C extends Record> @Nullable C construct(
      String owner, Class<C> type, List<Object> arguments) {
    Class<?>[] types =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      Constructor<C> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(arguments.toArray());
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      if (cause instanceof IllegalArgumentException) {
        problems.add("config of " + owner + ": " + cause.getMessage());
        return null;
      }
      throw new IllegalArgumentException(type.getName() + " cannot be made: " + cause, cause);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(type.getName() + " cannot be made: " + e, e);
    }
  }
}
