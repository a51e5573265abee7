package io.takhin.coordinator.transaction;

import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.testkit.transaction.TransactionCoordinatorContract;

class TransactionCoordinatorServiceContractTest extends TransactionCoordinatorContract {
  private final ServiceHarness harness = new ServiceHarness();

  @Override
  protected TransactionCoordinator start() {
    return harness.start();
  }

  @Override
  protected void advanceMs(long ms) {
    harness.time.advanceMs(ms);
  }
}
