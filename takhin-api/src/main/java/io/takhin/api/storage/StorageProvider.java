package io.takhin.api.storage;

import io.takhin.api.Api;
import io.takhin.api.Provider;

/// Extension point `storage`: where the batches of partitions live.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface StorageProvider<C extends Record> extends Provider<C, LogStorage> {}
