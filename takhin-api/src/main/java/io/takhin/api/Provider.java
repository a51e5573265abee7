package io.takhin.api;

/// The one shape of every extension point: a name, a config record and a factory.
///
/// An extension point is a sub-interface that fixes `S`, such as
/// [io.takhin.api.storage.StorageProvider]. A plugin `provides` it in its `module-info`; the kernel
/// finds it by ServiceLoader in the plugin's own layer, binds and validates the config, and calls
/// [#create] once. What ships in the box comes through the same door as a stranger's plugin.
///
/// @param <C> the config: a record whose components carry [io.takhin.api.config.Key]
/// @param <S> the service that is made
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface Provider<C extends Record, S extends Service> {
  /// The implementation's name in config, logs and REST, unique within its extension point:
  /// lower-case words joined by dashes.
  String name();

  /// The record that [#create] wants. The kernel binds it from YAML, environment and flags, and
  /// writes the configuration reference from it. A plugin without settings has an empty record.
  Class<C> configType();

  /// Makes the service, without starting it: no threads, no sockets, no files yet.
  ///
  /// Threading: the kernel's main thread, one plugin after the other.
  /// Blocking: should not; [Service#start] may.
  /// Buffers: none.
  /// Errors: [TakhinException] for what the user can mend, with the remedy in its message; anything
  /// else is reported as a defect of the plugin. Either way the plugin is refused by name.
  S create(C config, PluginContext context);

  /// Does ahead what [#create] and [Service#start] would spend time on without knowing the config:
  /// initializes classes and loads native libraries, while other plugins start. Mostly there is
  /// nothing to do.
  ///
  /// Threading: a thread of the kernel's own, at the same time as anything else of this or another
  /// plugin. The kernel may leave it out, and waits for nothing.
  /// Blocking: allowed, but not for long.
  /// Buffers: none.
  /// Errors: whatever it throws is forgotten; `create` and `start` will meet it again and report
  /// it.
  default void warmUp() {}
}
