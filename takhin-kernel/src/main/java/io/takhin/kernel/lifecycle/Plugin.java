package io.takhin.kernel.lifecycle;

import io.takhin.api.Provider;
import io.takhin.api.Service;
import io.takhin.kernel.layer.PluginDescriptor;
import io.takhin.kernel.layer.PluginDirectory;
import io.takhin.kernel.layer.PluginLayer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A plugin that is present: its layer, its parts and its state. Used by the main thread alone,
/// but for the state, which anybody may read.
public final class Plugin {
  private static final Logger log = LoggerFactory.getLogger(Plugin.class);

  private final PluginDescriptor descriptor;
  private final Path location;
  private final List<Part> parts = new ArrayList<>();
  private @Nullable PluginLayer layer;
  private @Nullable PluginScope scope;
  // Written by the main thread, read by health and metrics.
  private volatile PluginState state = new PluginState.Discovered();

  /// One provider of a plugin, for one extension point, with what was made of it.
  public static final class Part {
    private final ExtensionPoint<?> point;
    private final Provider<?, ?> provider;
    private @Nullable Record config;
    private @Nullable Service service;
    private boolean started;

    Part(ExtensionPoint<?> point, Provider<?, ?> provider) {
      this.point = point;
      this.provider = provider;
    }

    /// Where it plugs in.
    public ExtensionPoint<?> point() {
      return point;
    }

    /// The plugin's provider.
    public Provider<?, ?> provider() {
      return provider;
    }

    /// Its bound config; null before.
    public @Nullable Record config() {
      return config;
    }

    /// Keeps the bound config.
    public void config(Record bound) {
      this.config = bound;
    }

    /// What the provider made; null before.
    public @Nullable Service service() {
      return service;
    }

    /// Keeps what the provider made.
    public void service(Service made) {
      this.service = made;
    }

    /// Whether `start` returned.
    public boolean started() {
      return started;
    }

    /// Remembers that `start` returned.
    public void markStarted() {
      started = true;
    }
  }

  /// A plugin whose layer stands.
  public Plugin(PluginDirectory.Loaded loaded) {
    this.descriptor = loaded.descriptor();
    this.location = loaded.location();
    this.layer = loaded.layer();
  }

  /// Its name.
  public String name() {
    return descriptor.name();
  }

  /// Its descriptor.
  public PluginDescriptor descriptor() {
    return descriptor;
  }

  /// Its directory or jar.
  public Path location() {
    return location;
  }

  /// Its layer; IllegalStateException once it is unloaded.
  public PluginLayer layer() {
    if (layer == null) {
      throw new IllegalStateException("plugin " + name() + " is unloaded");
    }
    return layer;
  }

  /// What it provides, in the order of the extension points.
  public List<Part> parts() {
    return List.copyOf(parts);
  }

  /// Adds a provider.
  public void addPart(ExtensionPoint<?> point, Provider<?, ?> provider) {
    parts.add(new Part(point, provider));
  }

  /// Its view of the kernel; null before it is made.
  public @Nullable PluginScope scope() {
    return scope;
  }

  /// Keeps its view of the kernel.
  public void scope(PluginScope made) {
    this.scope = made;
  }

  /// Where it stands.
  public PluginState state() {
    return state;
  }

  /// Moves on, with a log line and a flight-recorder event.
  public void state(PluginState next, String reason) {
    PluginState before = state;
    state = next;
    PluginStateEvent event = new PluginStateEvent();
    event.plugin = name();
    event.from = before.label();
    event.to = next.label();
    event.reason = reason;
    event.commit();
    log.debug("plugin {}: {} -> {}, {}", name(), before.label(), next.label(), reason);
  }

  /// Lets go of everything that holds the plugin's classes.
  public void forget() {
    parts.clear();
    scope = null;
    layer = null;
    if (state instanceof PluginState.Failed failed) {
      // An exception of the plugin's own class would hold its loader.
      state =
          new PluginState.Failed(failed.at(), new IllegalStateException(failed.cause().toString()));
    }
  }
}
