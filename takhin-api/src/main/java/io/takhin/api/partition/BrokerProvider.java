package io.takhin.api.partition;

import io.takhin.api.Api;
import io.takhin.api.Provider;

/// Extension point `broker`: the partitions of this broker.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface BrokerProvider<C extends Record> extends Provider<C, PartitionService> {}
