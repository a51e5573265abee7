package io.takhin.storage.local;

import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.storage.LogTransactionsContract;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

class LocalLogTransactionsTest extends LogTransactionsContract {
  @TempDir Path directory;
  private final List<Fixture> fixtures = new ArrayList<>();

  @AfterEach
  void closeContexts() {
    fixtures.forEach(Fixture::close);
  }

  @Override
  protected LogStorage create() {
    fixtures.add(new Fixture(directory.resolve("" + fixtures.size()), new FileDisk()));
    return fixtures.getLast().start();
  }

  @Override
  protected LogStorage restart(LogStorage closed) {
    return fixtures.getLast().start();
  }
}
