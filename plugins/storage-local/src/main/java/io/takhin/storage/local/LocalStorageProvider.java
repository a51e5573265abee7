package io.takhin.storage.local;

import io.takhin.api.PluginContext;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.StorageProvider;

/// The door of this plugin: storage `local`.
public final class LocalStorageProvider implements StorageProvider<LocalStorageConfig> {
  /// For ServiceLoader.
  public LocalStorageProvider() {}

  @Override
  public String name() {
    return "local";
  }

  @Override
  public Class<LocalStorageConfig> configType() {
    return LocalStorageConfig.class;
  }

  @Override
  public LogStorage create(LocalStorageConfig config, PluginContext context) {
    return new LocalLogStorage(config, context, new FileDisk());
  }
}
