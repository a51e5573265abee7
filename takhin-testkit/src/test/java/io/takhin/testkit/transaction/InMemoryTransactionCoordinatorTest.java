package io.takhin.testkit.transaction;

import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.testkit.TestContext;

class InMemoryTransactionCoordinatorTest extends TransactionCoordinatorContract {
  private final TestContext context = TestContext.simulated().build();

  @Override
  protected TransactionCoordinator start() {
    return new InMemoryTransactionCoordinator(context);
  }

  @Override
  protected void advanceMs(long ms) {
    context.time().advanceMs(ms);
  }
}
