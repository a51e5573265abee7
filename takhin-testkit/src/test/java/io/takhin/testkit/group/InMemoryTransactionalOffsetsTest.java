package io.takhin.testkit.group;

import io.takhin.api.group.GroupCoordinator;
import io.takhin.testkit.TestContext;

class InMemoryTransactionalOffsetsTest extends TransactionalOffsetsContract {
  private final TestContext context = TestContext.simulated().build();

  @Override
  protected GroupCoordinator start() {
    return new InMemoryGroupCoordinator(context);
  }

  @Override
  protected void advanceMs(long ms) {
    context.time().advanceMs(ms);
  }
}
