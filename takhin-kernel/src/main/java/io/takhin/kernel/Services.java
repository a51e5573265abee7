package io.takhin.kernel;

import io.takhin.api.ErrorCode;
import io.takhin.api.Service;
import io.takhin.api.TakhinException;
import io.takhin.kernel.lifecycle.ExtensionPoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The services that are made, for plugins that ask for them by type. Written by the main thread,
/// read by any.
final class Services {
  private final List<Published> published = new CopyOnWriteArrayList<>();

  private record Published(ExtensionPoint<?> point, String plugin, Service service) {}

  void publish(ExtensionPoint<?> point, String plugin, Service service) {
    published.add(new Published(point, plugin, service));
  }

  void withdraw(String plugin) {
    published.removeIf(entry -> entry.plugin().equals(plugin));
  }

  /// All services of a type with their plugins' names.
  <T> List<T> all(Class<T> type) {
    List<T> found = new ArrayList<>();
    for (Published entry : published) {
      if (entry.point().serviceType() == type) {
        found.add(type.cast(entry.service()));
      }
    }
    return found;
  }

  <T> T one(String askingPlugin, Class<T> type) {
    List<T> found = all(type);
    if (found.size() == 1) {
      return found.getFirst();
    }
    List<String> present =
        published.stream()
            .map(entry -> entry.point().serviceType().getSimpleName() + " by " + entry.plugin())
            .toList();
    throw new TakhinException(
        ErrorCode.UNKNOWN_SERVER_ERROR,
        "plugin "
            + askingPlugin
            + " asks for "
            + type.getName()
            + ", which "
            + (found.isEmpty()
                ? "no plugin before it provides; add one to the plugin directory"
                : found.size() + " plugins provide")
            + ". Present: "
            + present);
  }
}
