package io.takhin.api.cluster;

import io.takhin.api.Api;
import io.takhin.api.Provider;

/// Extension point `cluster`.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface ClusterProvider<C extends Record> extends Provider<C, Cluster> {}
