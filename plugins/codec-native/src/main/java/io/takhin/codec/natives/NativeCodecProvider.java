package io.takhin.codec.natives;

import io.takhin.api.PluginContext;
import io.takhin.api.codec.CodecProvider;
import io.takhin.api.codec.Codecs;

/// Provides the codecs `native`.
public final class NativeCodecProvider implements CodecProvider<NativeCodecConfig> {
  /// For ServiceLoader.
  public NativeCodecProvider() {}

  @Override
  public String name() {
    return "native";
  }

  @Override
  public Class<NativeCodecConfig> configType() {
    return NativeCodecConfig.class;
  }

  @Override
  public Codecs create(NativeCodecConfig config, PluginContext context) {
    return new NativeCodecs();
  }

  /// Unpacks and loads the native libraries.
  @Override
  public void warmUp() {
    NativeCodecs.loadAll();
  }
}
