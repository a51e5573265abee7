package io.takhin.coordinator.transaction;

import io.takhin.api.PluginContext;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinatorProvider;

/// Makes the coordinator of transactions.
public final class TransactionProvider
    implements TransactionCoordinatorProvider<TransactionConfig> {
  /// For ServiceLoader.
  public TransactionProvider() {}

  @Override
  public String name() {
    return "transaction";
  }

  @Override
  public Class<TransactionConfig> configType() {
    return TransactionConfig.class;
  }

  @Override
  public TransactionCoordinator create(TransactionConfig config, PluginContext context) {
    return new TransactionCoordinatorService(config, context);
  }
}
