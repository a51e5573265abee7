package io.takhin.coordinator.group;

import io.takhin.api.group.GroupCoordinator;
import io.takhin.testkit.group.GroupCoordinatorContract;

class GroupCoordinatorServiceContractTest extends GroupCoordinatorContract {
  private final ServiceHarness harness = new ServiceHarness();

  @Override
  protected GroupCoordinator start() {
    return harness.start(ServiceHarness.DEFAULTS);
  }

  @Override
  protected void advanceMs(long ms) {
    harness.time.advanceMs(ms);
  }
}
