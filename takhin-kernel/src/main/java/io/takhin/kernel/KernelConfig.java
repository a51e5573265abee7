package io.takhin.kernel;

import io.takhin.api.config.Key;
import java.nio.file.Path;
import java.util.List;

/// The kernel's own keys, but for logs and health.
record KernelConfig(
    @Key(
            value = "plugins.dir",
            defaultValue = "${takhin.home}/plugins",
            doc = "Where the plugins are: a directory of jars for each, or single jars.")
        Path pluginsDir,
    @Key(
            value = "plugins.disabled",
            doc =
                "Names of plugins that are present but shall not run. Their keys are still known.")
        List<String> disabled,
    @Key(
            value = "plugins.required",
            defaultValue = "codec,storage,cluster,broker,coordinator,transactions,protocol",
            oneOf = {
              "codec",
              "storage",
              "cluster",
              "broker",
              "coordinator",
              "transactions",
              "protocol",
              "metrics"
            },
            doc =
                "Extension points without which the process does not start. Less than the default"
                    + " makes sense only to try a plugin alone.")
        List<String> required,
    @Key(
            value = "plugins.codec",
            doc = "Which codec plugin to use when several are present. Empty: the only one.")
        String codec,
    @Key(
            value = "plugins.storage",
            doc = "Which storage plugin to use when several are present. Empty: the only one.")
        String storage,
    @Key(
            value = "plugins.cluster",
            doc = "Which cluster plugin to use when several are present. Empty: the only one.")
        String cluster,
    @Key(
            value = "plugins.broker",
            doc = "Which broker plugin to use when several are present. Empty: the only one.")
        String broker,
    @Key(
            value = "plugins.coordinator",
            doc =
                "Which group coordinator plugin to use when several are present. Empty: the only"
                    + " one.")
        String coordinator,
    @Key(
            value = "plugins.transactions",
            doc =
                "Which transaction coordinator plugin to use when several are present. Empty: the"
                    + " only one.")
        String transactions,
    @Key(
            value = "shutdown.timeout.seconds",
            defaultValue = "30",
            min = 1,
            max = 3600,
            doc =
                "How long an orderly stop may take before the process ends anyway. Give the service"
                    + " manager a little more.")
        int shutdownTimeoutSeconds) {

  /// The implementation chosen for an extension point; empty for the only one present.
  String choice(String point) {
    return switch (point) {
      case "codec" -> codec;
      case "storage" -> storage;
      case "cluster" -> cluster;
      case "broker" -> broker;
      case "coordinator" -> coordinator;
      case "transactions" -> transactions;
      default -> "";
    };
  }
}
