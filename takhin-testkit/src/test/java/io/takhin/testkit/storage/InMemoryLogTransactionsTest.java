package io.takhin.testkit.storage;

import io.takhin.api.storage.LogStorage;

class InMemoryLogTransactionsTest extends LogTransactionsContract {
  @Override
  protected LogStorage create() {
    return new InMemoryLogStorage();
  }

  @Override
  protected LogStorage restart(LogStorage closed) {
    return ((InMemoryLogStorage) closed).restarted();
  }
}
