package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.testkit.group.InMemoryGroupCoordinator;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/// Groups that take every marker and note it; the rest is as in memory.
final class TakingGroups {
  private final List<Integer> markers = new CopyOnWriteArrayList<>();
  private final InMemoryGroupCoordinator groups;

  TakingGroups(PluginContext context) {
    groups = new InMemoryGroupCoordinator(context);
  }

  /// Partitions of markers, in their order.
  List<Integer> markers() {
    return markers;
  }

  GroupCoordinator coordinator() {
    return (GroupCoordinator)
        Proxy.newProxyInstance(
            GroupCoordinator.class.getClassLoader(),
            new Class<?>[] {GroupCoordinator.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("endTransaction")) {
                markers.add((Integer) arguments[0]);
                return CompletableFuture.completedFuture(ErrorCode.NONE);
              }
              try {
                return method.invoke(groups, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }
}
