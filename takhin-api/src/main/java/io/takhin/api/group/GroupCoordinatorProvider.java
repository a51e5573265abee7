package io.takhin.api.group;

import io.takhin.api.Api;
import io.takhin.api.Provider;

/// Extension point `coordinator` for groups.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface GroupCoordinatorProvider<C extends Record> extends Provider<C, GroupCoordinator> {}
