package io.takhin.testkit.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class InMemoryLogStorageTest extends LogStorageContract {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(5, 6), "t", 0);

  @Override
  protected LogStorage create() {
    return new InMemoryLogStorage();
  }

  @Override
  protected LogStorage restart(LogStorage closed) {
    return ((InMemoryLogStorage) closed).restarted();
  }

  @Test
  void commitsCanBeHeldBack() {
    InMemoryLogStorage storage = new InMemoryLogStorage();
    CapturedProgress progress = new CapturedProgress();
    PartitionLog log = storage.open(PARTITION, LogConfigBuilder.defaults(), progress);
    storage.holdCommits(true);
    CapturedAppend.appended(log, Batches.of("a"));
    assertEquals(0, progress.committableEndOffset());
    storage.holdCommits(false);
    assertEquals(1, progress.committableEndOffset());
  }

  @Test
  void appendsCanBeRefusedAndTheDirectoryCanFail() {
    InMemoryLogStorage storage = new InMemoryLogStorage();
    CapturedProgress progress = new CapturedProgress();
    PartitionLog log = storage.open(PARTITION, LogConfigBuilder.defaults(), progress);
    storage.refuseAppends(ErrorCode.INVALID_RECORD);
    Rejected refused =
        assertInstanceOf(Rejected.class, CapturedAppend.append(log, Batches.of("a")));
    assertEquals(ErrorCode.INVALID_RECORD, refused.code());
    storage.failDirectory("gone");
    assertEquals("gone", progress.offline());
  }
}
