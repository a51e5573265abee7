package io.takhin.kernel;

import io.takhin.kernel.config.Config;
import io.takhin.kernel.config.Problems;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The flags. Each may have one dash or two, and its value as the next word or behind `=`.
///
/// @param action what to do
/// @param configFile as given by -config, or null
/// @param settings keys that flags set
record CommandLine(Action action, @Nullable String configFile, Map<String, Config.Flag> settings) {
  /// What a command line asks for.
  enum Action {
    /// Run the broker.
    RUN,
    /// Check the configuration and exit.
    VALIDATE,
    /// Print the configuration reference.
    CONFIG_REFERENCE,
    /// Print version and commit.
    VERSION,
    /// Print the flags.
    HELP
  }

  static final String HELP =
      """
      Usage: takhin [flags]

        -config FILE        YAML configuration; otherwise configs/takhin.yaml if it is there
        -data-dir DIR       where data is kept: the key storage.data.dir
        -port PORT          where Kafka clients connect: the key server.port
        -validate           check the configuration and exit
        -config-reference   print the configuration reference as Markdown and exit
        -version            print the version and exit
        -help               print this and exit

      Every key of the configuration also has an environment variable: server.port is
      TAKHIN_SERVER_PORT. Flags win over the environment, which wins over the file.
      """;

  static CommandLine parse(String[] args, Problems problems) {
    Action action = Action.RUN;
    String configFile = null;
    Map<String, Config.Flag> settings = new LinkedHashMap<>();
    for (int i = 0; i < args.length; i++) {
      String word = args[i];
      int equals = word.indexOf('=');
      String flag = equals < 0 ? word : word.substring(0, equals);
      String name = flag.startsWith("--") ? flag.substring(1) : flag;
      switch (name) {
        case "-validate" -> action = action(action, Action.VALIDATE, word, equals, problems);
        case "-config-reference" ->
            action = action(action, Action.CONFIG_REFERENCE, word, equals, problems);
        case "-version" -> action = action(action, Action.VERSION, word, equals, problems);
        case "-help", "-h" -> action = action(action, Action.HELP, word, equals, problems);
        case "-config", "-data-dir", "-port" -> {
          String value;
          if (equals >= 0) {
            value = word.substring(equals + 1);
          } else if (i + 1 < args.length) {
            value = args[++i];
          } else {
            problems.add("flag " + flag + ": needs a value");
            continue;
          }
          switch (name) {
            case "-config" -> configFile = value;
            case "-data-dir" -> settings.put("storage.data.dir", new Config.Flag(flag, value));
            default -> settings.put("server.port", new Config.Flag(flag, value));
          }
        }
        default -> problems.add("flag " + word + ": is not known; -help lists all");
      }
    }
    return new CommandLine(action, configFile, settings);
  }

  private static Action action(
      Action before, Action asked, String word, int equals, Problems problems) {
    if (equals >= 0) {
      problems.add("flag " + word + ": takes no value");
    }
    // -version and -help win over everything, whatever their place.
    return before == Action.HELP || before == Action.VERSION ? before : asked;
  }
}
