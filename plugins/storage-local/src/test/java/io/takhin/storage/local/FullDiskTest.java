package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.appended;
import static io.takhin.testkit.storage.CapturedAppend.end;
import static io.takhin.testkit.storage.CapturedAppend.verified;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck.Status;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.storage.LogConfig;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A disk that is full when logs are made, opened and closed: nothing is lost, nothing is said to
/// be on disk that is not, and all goes on when there is room.
class FullDiskTest {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "t", 0);
  private static final TopicPartition OTHER = new TopicPartition(new UUID(1, 3), "other", 0);
  private static final LogConfig SETTINGS =
      new LogConfigBuilder().indexIntervalBytes(200).segmentBytes(1000).build();
  private static final String CLEAN = ".kafka_cleanshutdown";

  @TempDir Path directory;
  @TempDir Path crashed;

  /// Fails for want of room as often as that can happen.
  ///
  /// @return the log, once there was enough
  private static PartitionLog openAtLast(
      LocalLogStorage storage, FaultyDisk disk, LogConfig settings) {
    for (int room = 0; ; room++) {
      int files = disk.openFiles.get();
      disk.changesWithRoom = room;
      try {
        PartitionLog log = storage.open(PARTITION, settings, new CapturedProgress());
        disk.changesWithRoom = Integer.MAX_VALUE;
        assertTrue(room > 0, "nothing had to be written");
        return log;
      } catch (TakhinException e) {
        disk.changesWithRoom = Integer.MAX_VALUE;
        assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, e.code());
        assertTrue(String.valueOf(e.getMessage()).contains("t-0"), e.toString());
        assertTrue(storage.mayOpenLater(PARTITION), e.toString());
        assertEquals(files, disk.openFiles.get(), "files stay open");
      }
    }
  }

  @Test
  void aLogThatCannotBeMadeIsMadeWhenThereIsRoom() throws IOException {
    FaultyDisk disk = new FaultyDisk();
    try (Fixture fixture = new Fixture(directory, disk);
        Warnings warnings = new Warnings()) {
      LocalLogStorage storage = fixture.startStill();
      assertFalse(storage.mayOpenLater(PARTITION));
      disk.changesWithRoom = 0;
      assertThrows(
          TakhinException.class, () -> storage.open(PARTITION, SETTINGS, new CapturedProgress()));
      assertFalse(Files.exists(directory.resolve("t-0")));
      assertEquals(Status.DEGRADED, fixture.context().healthChecks().getFirst().check().status());
      PartitionLog log = openAtLast(storage, disk, SETTINGS);
      assertFalse(storage.mayOpenLater(PARTITION));
      assertEquals(0, appended(log, Batches.of("a")));
      assertEquals(Status.HEALTHY, fixture.context().healthChecks().getFirst().check().status());
      assertFalse(warnings.say("missing or damaged"));
      storage.close();
      assertTrue(Files.exists(directory.resolve(CLEAN)));
    }
  }

  @Test
  void aLogThatWasNeverMadeLeavesNothingBehind() {
    FaultyDisk disk = new FaultyDisk();
    try (Fixture fixture = new Fixture(directory, disk)) {
      LocalLogStorage storage = fixture.startStill();
      disk.changesWithRoom = 2;
      assertThrows(
          TakhinException.class, () -> storage.open(PARTITION, SETTINGS, new CapturedProgress()));
      storage.delete(PARTITION);
      assertFalse(storage.mayOpenLater(PARTITION));
      assertEquals(List.of(), storage.existing());
      storage.close();
    }
  }

  @Test
  void whatFailedForAnotherReasonIsNotOpenedLater() {
    FaultyDisk disk = new FaultyDisk();
    try (Fixture fixture = new Fixture(directory, disk)) {
      LocalLogStorage storage = fixture.startStill();
      disk.cannotRename = ".tmp";
      assertThrows(
          TakhinException.class, () -> storage.open(PARTITION, SETTINGS, new CapturedProgress()));
      assertFalse(storage.mayOpenLater(PARTITION));
      disk.cannotRename = null;
      storage.close();
    }
  }

  /// With recovery after a power cut, and what a start makes sure of for group commits.
  @ParameterizedTest
  @ValueSource(longs = {1, Long.MAX_VALUE})
  void aLogThatCannotBeOpenedIsOpenedAsItWasWhenThereIsRoom(long flushMessages) throws IOException {
    LogConfig settings =
        new LogConfigBuilder()
            .indexIntervalBytes(200)
            .segmentBytes(1000)
            .flushMessages(flushMessages)
            .build();
    List<String> expected = crash(settings);
    FaultyDisk disk = new FaultyDisk();
    disk.boot = "boot-2";
    try (Fixture fixture = new Fixture(crashed, disk)) {
      LocalLogStorage storage = fixture.startStill();
      PartitionLog log = openAtLast(storage, disk, settings);
      assertEquals(expected, Batches.readAll(log, 0));
      assertEquals(expected.size(), appended(log, Batches.of("next")));
      storage.close();
    }
  }

  /// Leaves what a killed broker leaves.
  private List<String> crash(LogConfig settings) throws IOException {
    FaultyDisk disk = new FaultyDisk();
    List<String> values = new ArrayList<>();
    try (Fixture fixture = new Fixture(directory, disk)) {
      LocalLogStorage storage = fixture.startStill();
      PartitionLog log = storage.open(PARTITION, settings, new CapturedProgress());
      for (int i = 0; i < 40; i++) {
        values.add(appended(log, Batches.of("value-" + i)) + "=value-" + i);
      }
      Fixture.copy(directory, crashed);
      storage.close();
    }
    Files.deleteIfExists(crashed.resolve(CLEAN));
    for (String index : List.of("00000000000000000000.index", "leader-epoch-checkpoint")) {
      Files.deleteIfExists(crashed.resolve("t-0").resolve(index)); // made anew by the start
    }
    return values;
  }

  /// Else the start after it would believe logs that nobody has looked at since the crash.
  @Test
  void aRunThatCouldNotOpenALogDoesNotEndInOrder() throws IOException {
    List<String> expected = crash(SETTINGS);
    FaultyDisk disk = new FaultyDisk();
    disk.boot = "boot-2";
    try (Fixture fixture = new Fixture(crashed, disk)) {
      LocalLogStorage storage = fixture.startStill();
      storage.open(OTHER, SETTINGS, new CapturedProgress());
      disk.changesWithRoom = 0;
      assertThrows(
          TakhinException.class, () -> storage.open(PARTITION, SETTINGS, new CapturedProgress()));
      disk.changesWithRoom = Integer.MAX_VALUE;
      storage.close();
      assertFalse(Files.exists(crashed.resolve(CLEAN)));
      LocalLogStorage next = fixture.startStill();
      next.open(OTHER, SETTINGS, new CapturedProgress());
      PartitionLog log = next.open(PARTITION, SETTINGS, new CapturedProgress());
      assertEquals(expected, Batches.readAll(log, 0));
      next.close();
      assertTrue(Files.exists(crashed.resolve(CLEAN)));
    }
  }

  @Test
  void whatCouldNotBeWrittenIsNotClosedInOrder() throws IOException {
    FaultyDisk disk = new FaultyDisk();
    try (Fixture fixture = new Fixture(directory, disk);
        Warnings warnings = new Warnings()) {
      LocalLogStorage storage = fixture.startStill();
      LogConfig unforced = new LogConfigBuilder().flushMs(Long.MAX_VALUE).build();
      PartitionLog log = storage.open(PARTITION, unforced, new CapturedProgress());
      verified(log, Batches.inTransaction(5, 0, 0, "a"));
      disk.noRoomFor = LogFiles.TXN_INDEX;
      end(log, 5, 0, 0, false, 0);
      storage.close();
      disk.noRoomFor = null;
      assertFalse(Files.exists(directory.resolve(CLEAN)));
      assertTrue(warnings.say("is not closed in order"));
      storage = fixture.startStill();
      log = storage.open(PARTITION, unforced, new CapturedProgress());
      assertEquals(1, log.abortedTransactions(0, 2).size());
      storage.close();
      assertTrue(Files.exists(directory.resolve(CLEAN)));
    }
  }

  /// The files of a start itself are there already, or can wait.
  @Test
  void aFullDiskIsNoReasonNotToStart() throws IOException {
    crash(SETTINGS);
    FaultyDisk disk = new FaultyDisk();
    try (Fixture fixture = new Fixture(directory, disk)) {
      disk.boot = "boot-2"; // was closed in order
      disk.changesWithRoom = 0;
      LocalLogStorage storage = fixture.startStill();
      disk.changesWithRoom = Integer.MAX_VALUE;
      PartitionLog log = storage.open(PARTITION, SETTINGS, new CapturedProgress());
      assertEquals(40, appended(log, Batches.of("next")));
      storage.close(); // with a checkpoint
      assertEquals("boot-2", Files.readString(directory.resolve(".takhin-boot")));
    }
  }

  @Test
  void withoutRoomToSayItFirstNothingIsTruncated() {
    FaultyDisk disk = new FaultyDisk();
    try (Fixture fixture = new Fixture(directory, disk)) {
      LocalLogStorage storage = fixture.startStill();
      PartitionLog log = storage.open(PARTITION, SETTINGS, new CapturedProgress());
      for (int i = 0; i < 5; i++) {
        appended(log, Batches.of("value-" + i));
      }
      log.flush();
      disk.changesWithRoom = 0;
      TakhinException refused = assertThrows(TakhinException.class, () -> log.truncateTo(2));
      assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, refused.code());
      disk.changesWithRoom = Integer.MAX_VALUE;
      assertEquals(5, Batches.readAll(log, 0).size());
      log.truncateTo(2);
      assertEquals(List.of("0=value-0", "1=value-1"), Batches.readAll(log, 0));
      storage.close();
    }
  }
}
