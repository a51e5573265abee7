package io.takhin.kernel;

import io.takhin.api.Provider;
import io.takhin.kernel.config.ConfigSchema;
import io.takhin.kernel.layer.OpenJars;
import io.takhin.kernel.layer.PluginDirectory;
import io.takhin.kernel.layer.PluginLayer;
import io.takhin.kernel.layer.Refusal;
import io.takhin.kernel.layer.RefusedException;
import io.takhin.kernel.lifecycle.ExtensionPoint;
import io.takhin.kernel.lifecycle.Plugin;
import io.takhin.kernel.lifecycle.Plugin.Part;
import io.takhin.kernel.lifecycle.PluginState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/// Finds the plugins of a directory, asks each for its providers and learns their keys. Runs no
/// code of a plugin but the constructors of its providers.
///
/// Threads: the main thread.
final class PluginDiscovery {
  private final PluginCalls calls;
  private final ConfigSchema schema;
  private final List<Plugin> plugins;
  private final List<Refusal> refusals;
  private final Map<String, String> providerNames = new HashMap<>();

  /// A discovery.
  ///
  /// @param schema takes the plugins' keys
  /// @param plugins takes those that can run
  /// @param refusals takes why the others cannot
  PluginDiscovery(
      PluginCalls calls, ConfigSchema schema, List<Plugin> plugins, List<Refusal> refusals) {
    this.calls = calls;
    this.schema = schema;
    this.plugins = plugins;
    this.refusals = refusals;
  }

  /// Looks at everything in the directory.
  ///
  /// @param open takes the jars that were opened
  void discover(Path directory, OpenJars open) throws IOException {
    PluginDirectory.Found found = PluginDirectory.load(directory, open);
    refusals.addAll(found.refusals());
    for (PluginDirectory.Loaded loaded : found.plugins()) {
      Plugin plugin = new Plugin(loaded);
      try {
        resolveInPlugin(plugin);
        plugin.state(new PluginState.Discovered().resolved(), "its providers are known");
        plugins.add(plugin);
      } catch (RefusedException e) {
        plugin.state(new PluginState.Discovered().failed(e), e.reason());
        refusals.add(new Refusal(plugin.name(), plugin.location(), e.reason(), e.remedy()));
        plugin.forget();
      }
    }
  }

  private void resolveInPlugin(Plugin plugin) throws RefusedException {
    RefusedException[] refused = new RefusedException[1];
    try {
      calls.in(
          plugin,
          "find its providers",
          () -> {
            try {
              resolve(plugin);
            } catch (RefusedException e) {
              refused[0] = e;
            }
          });
    } catch (RuntimeException | LinkageError e) {
      throw new RefusedException(
          "it threw while its providers were asked: " + e, PluginLayer.remedyFor(e), e);
    }
    if (refused[0] != null) {
      throw refused[0];
    }
  }

  private void resolve(Plugin plugin) throws RefusedException {
    PluginLayer layer = plugin.layer();
    for (ExtensionPoint<?> point : ExtensionPoints.ALL) {
      ServiceLoader<?> loader = ServiceLoader.load(layer.layer(), point.providerType());
      for (Provider<?, ?> provider : layer.own(loader)) {
        String other =
            providerNames.putIfAbsent(point.name() + " " + provider.name(), plugin.name());
        if (other != null) {
          throw new RefusedException(
              "its "
                  + point.name()
                  + " provider is named '"
                  + provider.name()
                  + "', as that of "
                  + other,
              "Remove one of the two plugins");
        }
        plugin.addPart(point, provider);
      }
    }
    if (plugin.parts().isEmpty()) {
      throw new RefusedException(
          "it provides nothing that this kernel knows",
          "Its module-info needs 'provides ... with ...' for one of "
              + ExtensionPoints.ALL.stream()
                  .map(point -> point.providerType().getSimpleName())
                  .toList());
    }
    for (Part part : plugin.parts()) {
      Class<? extends Record> type = part.provider().configType();
      layer.openToKernel(type);
      try {
        schema.add(plugin.name(), type);
      } catch (IllegalArgumentException e) {
        throw new RefusedException(
            String.valueOf(e.getMessage()), "This is a defect of the plugin's config record", e);
      }
    }
  }
}
