package io.takhin.kernel.lifecycle;

import io.takhin.api.Service;

/// A place where plugins plug in.
///
/// @param name in config and messages
/// @param providerType what plugins provide
/// @param serviceType under which other plugins find what it makes
/// @param one whether exactly one service is made; otherwise one of each provider
/// @param <S> the service
public record ExtensionPoint<S extends Service>(
    String name, Class<?> providerType, Class<S> serviceType, boolean one) {

  /// The key that chooses among several providers.
  public String choiceKey() {
    return "plugins." + name;
  }
}
