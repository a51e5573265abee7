package io.takhin.storage.local;

import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.storage.LogStorageContract;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

class LocalLogStorageTest extends LogStorageContract {
  @TempDir Path directory;
  private Fixture fixture;

  @BeforeEach
  void prepare() {
    fixture();
  }

  private Fixture fixture() {
    if (fixture == null) {
      fixture = new Fixture(directory, new FileDisk());
    }
    return fixture;
  }

  @AfterEach
  void closeContexts() {
    fixture.close();
  }

  @Override
  protected LogStorage create() {
    return fixture().start();
  }

  @Override
  protected LogStorage restart(LogStorage closed) {
    return fixture().start();
  }
}
