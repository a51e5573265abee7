package io.takhin.kernel.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes the configuration reference as Markdown from the records of everybody present.
public final class ConfigReference {
  private ConfigReference() {}

  /// The whole page.
  public static String markdown(ConfigSchema schema) {
    StringBuilder page = new StringBuilder();
    page.append(
        """
        # Configuration

        Generated from the config records of the kernel and of every plugin in the distribution by
        `bin/takhin.sh -config-reference`. Do not edit by hand.

        Sources, later ones win: the YAML file (`-config`, else `configs/takhin.yaml`), environment
        variables, flags (`-data-dir` sets `storage.data.dir`, `-port` sets `server.port`). In YAML,
        `storage: {data: {dir: x}}` and `storage.data.dir: x` mean the same. Lists are YAML lists or
        comma-separated text; in the environment always the latter. A default such as
        `${server.port}` is the value of that key; `${takhin.home}` is the directory of the
        distribution. Relative paths start at the working directory. Unknown keys, bad values and
        bad combinations are reported together, and the broker does not start (exit code 2).
        `-validate` checks a configuration and exits.
        """);
    Map<String, List<ConfigSchema.Declared>> byOwner = new LinkedHashMap<>();
    for (ConfigSchema.Declared declared : schema.declared()) {
      byOwner
          .computeIfAbsent(declared.owners().getFirst(), owner -> new ArrayList<>())
          .add(declared);
    }
    byOwner.forEach((owner, keys) -> section(page, owner, keys));
    return page.toString();
  }

  private static void section(
      StringBuilder page, String owner, List<ConfigSchema.Declared> declarations) {
    page.append("\n## ").append(owner).append("\n\n");
    page.append("| key | environment | type | default | allowed | meaning |\n");
    page.append("|---|---|---|---|---|---|\n");
    for (ConfigSchema.Declared declared : declarations) {
      KeySpec spec = declared.spec();
      List<String> others = declared.owners().subList(1, declared.owners().size());
      page.append("| `")
          .append(spec.key())
          .append("` | `")
          .append(spec.env())
          .append("` | ")
          .append(spec.kind().label())
          .append(" | ")
          .append(defaultText(spec))
          .append(" | ")
          .append(cell(spec.bounds()))
          .append(" | ")
          .append(cell(spec.doc()))
          .append(spec.secret() ? " Hidden in logs." : "")
          .append(others.isEmpty() ? "" : " Also read by " + String.join(", ", others) + ".")
          .append(" |\n");
    }
  }

  private static String defaultText(KeySpec spec) {
    if (!spec.defaultValue().isEmpty()) {
      return "`" + cell(spec.defaultValue()) + "`";
    }
    return switch (spec.kind()) {
      case STRING, PATH, STRING_LIST, INT_LIST -> "empty";
      case BOOLEAN, INT, LONG, DOUBLE, ENUM -> "required";
    };
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replaceAll("\\s+", " ").strip();
  }
}
