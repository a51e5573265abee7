package io.takhin.coordinator.group;

import io.takhin.api.PluginContext;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinatorProvider;

/// Makes the coordinator of groups.
public final class ClassicGroupProvider implements GroupCoordinatorProvider<GroupConfig> {
  /// For ServiceLoader.
  public ClassicGroupProvider() {}

  @Override
  public String name() {
    return "group";
  }

  @Override
  public Class<GroupConfig> configType() {
    return GroupConfig.class;
  }

  @Override
  public GroupCoordinator create(GroupConfig config, PluginContext context) {
    return new GroupCoordinatorService(config, context);
  }
}
