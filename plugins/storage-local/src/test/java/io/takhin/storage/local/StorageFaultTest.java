package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.append;
import static io.takhin.testkit.storage.CapturedAppend.appended;
import static io.takhin.testkit.storage.CapturedAppend.end;
import static io.takhin.testkit.storage.CapturedAppend.verified;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck.Status;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.PartitionLog;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A disk that fills up or fails: nothing is acknowledged that is not there, and nothing torn is
/// shown.
class StorageFaultTest {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "t", 0);

  @TempDir Path directory;
  private final FaultyDisk disk = new FaultyDisk();
  private final CapturedProgress progress = new CapturedProgress();
  private Fixture fixture;
  private LocalLogStorage storage;
  private PartitionLog log;

  @BeforeEach
  void open() {
    fixture = new Fixture(directory, disk);
    storage = fixture.start();
    log = storage.open(PARTITION, LogConfigBuilder.defaults(), progress);
  }

  @AfterEach
  void close() {
    disk.forceError = null;
    disk.writeError = null;
    disk.truncateError = null;
    storage.close();
    fixture.close();
  }

  @Test
  void aFullDiskRejectsAtEveryByteAndHealsByItself() {
    appended(log, Batches.from(9, 0, 0, "before"));
    int size = Batches.from(9, 0, 1, "x").remaining();
    long before = log.sizeBytes();
    for (int room = 0; room < size; room++) {
      disk.room = room;
      Rejected rejected = assertInstanceOf(Rejected.class, append(log, Batches.from(9, 0, 1, "x")));
      assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, rejected.code());
      assertEquals(before, log.sizeBytes());
      assertEquals(before, sizeOnDisk());
    }
    assertEquals(Status.DEGRADED, fixture.context().healthChecks().getFirst().check().status());
    assertEquals(List.of("0=before"), Batches.readAll(log, 0));
    disk.room = Long.MAX_VALUE;
    assertEquals(1, appended(log, Batches.from(9, 0, 1, "x")));
    assertInstanceOf(Duplicate.class, append(log, Batches.from(9, 0, 1, "x")));
    assertEquals(List.of("0=before", "1=x"), Batches.readAll(log, 0));
    assertEquals(Status.HEALTHY, fixture.context().healthChecks().getFirst().check().status());
    assertNull(progress.offline());
  }

  private long sizeOnDisk() {
    try {
      return Files.size(directory.resolve("t-0/00000000000000000000.log"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anErrorOfTheDiskTakesTheDirectoryOffline() {
    appended(log, Batches.of("a"));
    disk.writeError = new IOException("Input/output error");
    Rejected rejected = assertInstanceOf(Rejected.class, append(log, Batches.of("b")));
    assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, rejected.code());
    disk.writeError = null;
    progress.awaitOffline();
    assertInstanceOf(Rejected.class, append(log, Batches.of("c")));
    assertThrows(TakhinException.class, () -> log.reader().read(0, 1, 100, true));
    assertNotNull(storage.directories().getFirst().offline());
    assertEquals(Status.UNHEALTHY, fixture.context().healthChecks().getFirst().check().status());
    storage.close();
    storage = fixture.start();
    log = storage.open(PARTITION, LogConfigBuilder.defaults(), new CapturedProgress());
    assertEquals(List.of("0=a"), Batches.readAll(log, 0));
  }

  /// Found by the simulator: a group commit that had no room for the index of aborted transactions
  /// was not tried again; its records stayed invisible until somebody appended something else.
  @Test
  void aCommitThatHadNoRoomIsMadeWhenThereIsSome() {
    log.reconfigure(new LogConfigBuilder().flushMessages(1).build());
    verified(log, Batches.inTransaction(5, 0, 0, "a"));
    progress.awaitCommittable(1);
    disk.noRoomFor = LogFiles.TXN_INDEX;
    end(log, 5, 0, 0, false, 0);
    while (fixture.context().healthChecks().getFirst().check().status() != Status.DEGRADED) {
      Thread.onSpinWait();
    }
    disk.noRoomFor = null;
    progress.awaitCommittable(2);
  }

  /// A system that could not write a page may take it for clean. What a
  /// start on the same boot found was forced without a write, acknowledged, and lost with the next
  /// power cut.
  @Test
  void whatAFailedFsyncLeftIsWrittenOnceMoreByTheNextStart() {
    appended(log, Batches.of("a"));
    appended(log, Batches.of("b"));
    disk.forceError = new IOException("Input/output error");
    assertThrows(TakhinException.class, () -> log.flush());
    disk.forceError = null;
    assertEquals(List.of("0=a", "1=b"), startsAgain());
    assertEquals(log.sizeBytes(), disk.segmentBytesWritten.sum());
    assertEquals(List.of("0=a", "1=b"), startsAgain());
    assertEquals(0, disk.segmentBytesWritten.sum());
  }

  private List<String> startsAgain() {
    storage.close();
    disk.segmentBytesWritten.reset();
    storage = fixture.start();
    log = storage.open(PARTITION, LogConfigBuilder.defaults(), new CapturedProgress());
    return Batches.readAll(log, 0);
  }

  @Test
  void anFsyncThatFailedIsNeverTriedAgainAndNothingBecomesCommittable() {
    log.reconfigure(new LogConfigBuilder().flushMessages(1).build());
    appended(log, Batches.of("a"));
    progress.awaitCommittable(1);
    disk.forceError = new IOException("Input/output error");
    append(log, Batches.of("b"));
    progress.awaitOffline();
    disk.forceError = null;
    assertThrows(TakhinException.class, () -> log.flush());
    assertEquals(1, progress.committableEndOffset());
    assertInstanceOf(Rejected.class, append(log, Batches.of("c")));
  }

  @Test
  void whatCannotBeCutBackTakesTheDirectoryOffline() {
    appended(log, Batches.of("a"));
    disk.room = 30;
    disk.truncateError = new IOException("Input/output error");
    assertInstanceOf(Rejected.class, append(log, Batches.of("b")));
    progress.awaitOffline();
  }

  @Test
  void aFullDiskAtARollKeepsTheLogAsItWas() {
    log.reconfigure(new LogConfigBuilder().segmentBytes(200).build());
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      long offset = appended(log, Batches.of("value-" + i));
      expected.add(offset + "=value-" + i);
      disk.room = 0;
      assertInstanceOf(Rejected.class, append(log, Batches.of("lost")));
      disk.room = Long.MAX_VALUE;
    }
    assertEquals(expected, Batches.readAll(log, 0));
    assertTrue(((LocalLog) log).segments().length > 3);
    storage.close();
    storage = fixture.start();
    log = storage.open(PARTITION, LogConfigBuilder.defaults(), new CapturedProgress());
    assertEquals(expected, Batches.readAll(log, 0));
  }

  @Test
  void aSecondProcessIsKeptOutWithARemedy() {
    TakhinException refused =
        assertThrows(
            TakhinException.class,
            () -> {
              try (Fixture second = new Fixture(directory, new FileDisk())) {
                second.start();
              }
            });
    assertTrue(String.valueOf(refused.getMessage()).contains("in use by another process"));
  }

  @Test
  void aDirectoryThatCannotBeMadeIsOneClearLine() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    try (Fixture other = new Fixture(file.resolve("data"), new FileDisk())) {
      TakhinException refused = assertThrows(TakhinException.class, other::start);
      assertTrue(String.valueOf(refused.getMessage()).contains("storage.data.dir"));
    }
  }
}
