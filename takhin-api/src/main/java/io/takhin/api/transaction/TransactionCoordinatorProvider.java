package io.takhin.api.transaction;

import io.takhin.api.Api;
import io.takhin.api.Provider;

/// Extension point `transactions`.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface TransactionCoordinatorProvider<C extends Record>
    extends Provider<C, TransactionCoordinator> {}
