package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.append;
import static io.takhin.testkit.storage.CapturedAppend.appended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.PartitionLog;
import io.takhin.api.storage.PartitionLog.EpochEndOffset;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a start finds after a crash, and after somebody damaged files: the last whole batch, or a
/// repair; never garbage.
class RecoveryTest {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "t", 0);
  private static final LogConfig SETTINGS =
      new LogConfigBuilder().indexIntervalBytes(256).segmentBytes(4096).build();

  @TempDir Path directory;
  @TempDir Path saved;
  private final FaultyDisk disk = new FaultyDisk();
  private Fixture fixture;
  private Path files;

  @BeforeEach
  void prepare() {
    fixture = new Fixture(directory, disk);
    files = directory.resolve("t-0");
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private interface Use {
    void with(PartitionLog log) throws IOException;
  }

  private void run(Use use) throws IOException {
    LocalLogStorage storage = fixture.start();
    try {
      use.with(storage.open(PARTITION, SETTINGS, new CapturedProgress()));
    } finally {
      storage.close();
    }
  }

  /// Runs, and leaves the directory as a crash during the run would.
  private void crash(Use use) throws IOException {
    LocalLogStorage storage = fixture.start();
    use.with(storage.open(PARTITION, SETTINGS, new CapturedProgress()));
    Fixture.copy(directory, saved);
    storage.close();
    restore();
  }

  private void restore() throws IOException {
    clear(directory);
    Fixture.copy(saved, directory);
  }

  private static void clear(Path path) throws IOException {
    try (Stream<Path> all = Files.walk(path)) {
      for (Path file : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        if (!file.equals(path)) {
          Files.delete(file);
        }
      }
    }
  }

  private static List<String> fill(PartitionLog log, int batches) {
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < batches; i++) {
      long offset = appended(log, Batches.from(9, 0, i, "value-" + i));
      expected.add(offset + "=value-" + i);
    }
    return expected;
  }

  @Test
  void aKilledProcessIsFollowedByAShortStartAlsoIfNothingIsEverForced() throws IOException {
    LogConfig unforced = new LogConfigBuilder().build();
    String[] values = {"v".repeat(16 << 10)};
    LocalLogStorage storage = fixture.start();
    LocalLog log = (LocalLog) storage.open(PARTITION, unforced, new CapturedProgress());
    int batches = 3072; // 48 MiB in one segment
    for (int i = 0; i < batches; i++) {
      appended(log, Batches.from(9, 0, i, values));
      if (i % 128 == 127) {
        assertTrue(log.durability().flushIfDue());
      }
    }
    assertEquals(0, log.recoveryPoint());
    Fixture.copy(directory, saved);
    storage.close();
    restore();
    disk.bytesRead.reset();
    storage = fixture.start();
    log = (LocalLog) storage.open(PARTITION, unforced, new CapturedProgress());
    long read = disk.bytesRead.sum();
    assertEquals(batches, log.logEndOffset());
    assertInstanceOf(Duplicate.class, append(log, Batches.from(9, 0, batches - 1, values)));
    assertEquals(batches, appended(log, Batches.from(9, 0, batches, values)));
    storage.close();
    assertTrue(read < 8 << 20, read + " bytes were read");
  }

  @Test
  void aBurstThatHousekeepingHadNoTimeForIsNotReadAgainWhole() throws IOException {
    LogConfig unforced = new LogConfigBuilder().build();
    String[] values = {"v".repeat(16 << 10)};
    LocalLogStorage storage = fixture.start();
    LocalLog log = (LocalLog) storage.open(PARTITION, unforced, new CapturedProgress());
    int batches = 3072; // 48 MiB in one segment
    for (int i = 0; i < batches; i++) {
      appended(log, Batches.from(9, 0, i, values));
    }
    Path index = files.resolve("00000000000000000000.index");
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (!Files.exists(index) || Files.size(index) < 16_000 || newestSnapshot() < 2_000) {
      assertTrue(System.nanoTime() < deadline, "no progress was noted");
      Thread.onSpinWait();
    }
    Fixture.copy(directory, saved);
    storage.close();
    restore();
    disk.bytesRead.reset();
    storage = fixture.start();
    log = (LocalLog) storage.open(PARTITION, unforced, new CapturedProgress());
    long read = disk.bytesRead.sum();
    assertEquals(batches, log.logEndOffset());
    storage.close();
    assertTrue(read < 40 << 20, read + " bytes were read");
  }

  private long newestSnapshot() throws IOException {
    try (Stream<Path> all = Files.list(files)) {
      return all.mapToLong(file -> LogFiles.offset(file, LogFiles.SNAPSHOT)).max().orElse(-1);
    }
  }

  private Path activeSegment() throws IOException {
    try (Stream<Path> all = Files.list(files)) {
      return all.filter(f -> f.toString().endsWith(".log")).max(Path::compareTo).orElseThrow();
    }
  }

  @Test
  void aTailTornAtAnyByteIsCutToTheLastWholeBatch() throws IOException {
    List<String> expected = new ArrayList<>();
    crash(log -> expected.addAll(fill(log, 60)));
    byte[] content = Files.readAllBytes(activeSegment());
    long firstActive = LogFiles.offset(activeSegment(), LogFiles.LOG);
    Random random = new Random(1);
    for (int cut = 1; cut < content.length; cut += 1 + random.nextInt(97)) {
      restore();
      disk.boot = "boot-" + (cut % 3);
      byte[] torn = java.util.Arrays.copyOf(content, content.length - cut);
      Files.write(activeSegment(), torn);
      int whole = (int) firstActive + wholeBatches(torn);
      run(
          log -> {
            assertEquals(expected.subList(0, whole), Batches.readAll(log, 0));
            assertEquals(whole, appended(log, Batches.from(9, 0, whole, "again")));
            assertInstanceOf(Duplicate.class, append(log, Batches.from(9, 0, whole - 1, "v")));
          });
    }
  }

  private static int wholeBatches(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    int count = 0;
    int at = 0;
    while (at + RecordBatch.HEADER_BYTES <= bytes.length
        && at + RecordBatch.sizeBytes(in, at) <= bytes.length) {
      at += (int) RecordBatch.sizeBytes(in, at);
      count++;
    }
    return count;
  }

  @Test
  void anyBitFlippedInAFileIsNeverServedAfterAnotherBoot() throws IOException {
    List<String> expected = new ArrayList<>();
    crash(log -> expected.addAll(fill(log, 90)));
    List<Path> all;
    try (Stream<Path> found = Files.list(files)) {
      all = found.sorted().toList();
    }
    Random random = new Random(2);
    for (int i = 0; i < 80; i++) {
      restore();
      disk.boot = "another-" + i;
      Path victim = all.get(random.nextInt(all.size()));
      byte[] content = Files.readAllBytes(victim);
      if (content.length == 0 || victim.endsWith(LogFiles.METADATA)) {
        continue;
      }
      content[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(victim, content);
      run(
          log -> {
            List<String> read = Batches.readAll(log, log.logStartOffset());
            assertTrue(isPrefix(read, expected), victim + ": " + read.size());
            if (!victim.toString().endsWith(".log")) {
              assertEquals(expected.size(), read.size(), victim.toString());
            }
            appended(log, Batches.of("after"));
          });
    }
  }

  /// Base offset and leader epoch are not under the checksum: a flipped epoch is not detectable.
  private static boolean isPrefix(List<String> read, List<String> expected) {
    return read.size() <= expected.size() && read.equals(expected.subList(0, read.size()));
  }

  @Test
  void missingEmptyAndZeroFilledFilesAreRebuilt() throws IOException {
    List<String> expected = new ArrayList<>();
    crash(
        log -> {
          expected.addAll(fill(log, 60));
          log.flush();
        });
    List<Path> all;
    try (Stream<Path> found = Files.list(files)) {
      all = found.filter(f -> !f.toString().endsWith(".log")).sorted().toList();
    }
    for (Path victim : all) {
      for (int kind = 0; kind < 3; kind++) {
        restore();
        disk.boot = kind + victim.toString();
        byte[] content = Files.readAllBytes(victim);
        switch (kind) {
          case 0 -> Files.delete(victim);
          case 1 -> Files.write(victim, new byte[0]);
          default -> Files.write(victim, new byte[content.length]);
        }
        run(
            log -> {
              assertEquals(expected, Batches.readAll(log, 0), victim.toString());
              assertEquals(new EpochEndOffset(0, 60), log.endOffsetForEpoch(0));
              for (int i = 56; i < 60; i++) {
                assertEquals(expected.get(i), Batches.readAll(log, i).getFirst());
              }
              assertInstanceOf(Duplicate.class, append(log, Batches.from(9, 0, 55, "x")));
            });
      }
    }
  }

  @Test
  void zerosAfterTheEndAreCut() throws IOException {
    List<String> expected = new ArrayList<>();
    crash(log -> expected.addAll(fill(log, 10)));
    disk.boot = "another";
    byte[] content = Files.readAllBytes(activeSegment());
    Files.write(activeSegment(), java.util.Arrays.copyOf(content, content.length + 5000));
    run(log -> assertEquals(expected, Batches.readAll(log, 0)));
  }

  @Test
  void aHoleInTheMiddleSetsLaterSegmentsAside() throws IOException {
    List<String> expected = new ArrayList<>();
    crash(log -> expected.addAll(fill(log, 150)));
    disk.boot = "another";
    Path first = files.resolve("00000000000000000000.log");
    byte[] content = Files.readAllBytes(first);
    content[content.length / 2] ^= 1;
    Files.write(first, content);
    run(
        log -> {
          List<String> read = Batches.readAll(log, 0);
          assertTrue(read.size() < 50 && isPrefix(read, expected));
          try (Stream<Path> all = Files.list(files)) {
            assertTrue(all.anyMatch(f -> f.toString().endsWith(LogFiles.QUARANTINED)));
          }
        });
  }

  @Test
  void aStartKilledBeforeItLookedAtALogLeavesThatToTheNext() throws IOException {
    List<String> expected = new ArrayList<>();
    crash(log -> expected.addAll(fill(log, 150)));
    disk.boot = "another";
    Path first = files.resolve("00000000000000000000.log");
    byte[] content = Files.readAllBytes(first);
    content[content.length / 2] ^= 1;
    Files.write(first, content);
    LocalLogStorage killed = fixture.start();
    clear(saved);
    Fixture.copy(directory, saved);
    killed.close();
    restore();
    run(
        log -> {
          List<String> read = Batches.readAll(log, 0);
          assertTrue(read.size() < 50 && isPrefix(read, expected), read::toString);
        });
  }

  /// Found by the damage tests: of logs that were opened side by side after a power cut, the last
  /// two both noted that all had been looked at, and one of them failed over the other's file.
  @Test
  void logsOpenedSideBySideAfterAPowerCutAreAllOpened() throws Exception {
    List<TopicPartition> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(new TopicPartition(new UUID(1, 2), "t", i));
    }
    for (int boot = 0; boot < 60; boot++) {
      disk.boot = "boot-" + boot;
      LocalLogStorage storage = fixture.start();
      CyclicBarrier together = new CyclicBarrier(all.size());
      try (ExecutorService threads = Executors.newFixedThreadPool(all.size())) {
        List<Future<PartitionLog>> opened = new ArrayList<>();
        for (TopicPartition partition : all) {
          opened.add(
              threads.submit(
                  () -> {
                    together.await();
                    return storage.open(partition, SETTINGS, new CapturedProgress());
                  }));
        }
        for (Future<PartitionLog> each : opened) {
          each.get(); // throws if it could not be opened
        }
      } finally {
        storage.close();
        Files.deleteIfExists(directory.resolve(".kafka_cleanshutdown"));
      }
      assertEquals(disk.boot, Files.readString(directory.resolve(".takhin-boot")));
    }
  }

  @Test
  void anIndexThatLiesIsRebuiltWhenItIsRead() throws IOException {
    List<String> expected = new ArrayList<>();
    run(log -> expected.addAll(fill(log, 100)));
    Path index = files.resolve("00000000000000000000.index");
    ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(index));
    content.putInt(4, content.getInt(4) + 1);
    Files.write(index, content.array());
    run(
        log -> {
          for (int i = 0; i < 40; i++) {
            assertEquals(expected.get(i), Batches.readAll(log, i).getFirst());
          }
        });
  }

  /// Found by the simulator: what recovery had cut off, set aside or deleted came back with the
  /// next power cut, among batches that had taken its offsets since.
  @Test
  void whatRecoveryCutsOffStaysAwayThroughAPowerCut() throws IOException {
    run(log -> fill(log, 120));
    Path first = files.resolve("00000000000000000000.log");
    byte[] content = Files.readAllBytes(first);
    content[content.length / 2] ^= 1;
    Files.write(first, content);
    Files.delete(directory.resolve(".kafka_cleanshutdown"));
    Files.delete(directory.resolve("recovery-point-offset-checkpoint"));
    CrashDisk crashing = new CrashDisk();
    crashing.boot = "boot-2";
    try (Fixture second = new Fixture(directory, crashing)) {
      LocalLogStorage storage = second.start();
      storage.open(PARTITION, SETTINGS, new CapturedProgress());
      List<String> done = crashing.operations();
      long cut = Files.size(first);
      crashing.dieAt(0);
      storage.close();
      crashing.cutPower(new Random(1), 0);
      assertTrue(cut < content.length, "nothing was cut");
      assertEquals(cut, Files.size(first));
      assertForced(done, "rename to N.log.quarantined");
      assertForced(done, "delete N.snapshot");
    }
  }

  /// Found by the simulator: the topic of a coordinator, which asks for compaction, was taken for
  /// one that may have gaps. After a power cut it went on behind records that were lost.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aGapIsALossUnlessTheCleanerWasThere(boolean cleaned) throws IOException {
    run(log -> fill(log, 200));
    LogConfig compact =
        new LogConfigBuilder().indexIntervalBytes(256).segmentBytes(4096).compact(true).build();
    try (FileChannel first =
        FileChannel.open(
            files.resolve("00000000000000000000.log"),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      first.truncate(lastBatchBelow(first, 2000));
    }
    Files.delete(directory.resolve(".kafka_cleanshutdown"));
    Files.delete(directory.resolve("recovery-point-offset-checkpoint"));
    if (cleaned) {
      Files.writeString(directory.resolve("cleaner-offset-checkpoint"), "0\n1\nt 0 150\n");
    }
    disk.boot = "boot-2";
    LocalLogStorage storage = fixture.start();
    PartitionLog log = storage.open(PARTITION, compact, new CapturedProgress());
    List<String> left = Batches.readAll(log, 0);
    assertEquals(cleaned ? 200 : left.size(), log.logEndOffset());
    assertTrue(left.size() < 200);
    assertEquals(cleaned, left.contains("199=value-199"));
    storage.close();
  }

  private static long lastBatchBelow(FileChannel file, long position) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(RecordBatch.HEADER_BYTES);
    long at = 0;
    while (true) {
      file.read(header.clear(), at);
      long next = at + RecordBatch.sizeBytes(header, 0);
      if (next > position) {
        return at;
      }
      at = next;
    }
  }

  /// Found by the simulator: a segment that could not be removed, with those behind it gone, looked
  /// like a log with a hole after a crash, and all behind the hole was set aside.
  @Test
  void aSegmentThatCannotBeRemovedKeepsThoseBehindIt() throws IOException {
    List<String> expected = new ArrayList<>();
    LocalLogStorage storage = fixture.start();
    LocalLog log = (LocalLog) storage.open(PARTITION, SETTINGS, new CapturedProgress());
    expected.addAll(fill(log, 400));
    Segment[] segments = log.segments();
    disk.cannotRename = LogFiles.name(segments[1].path(LogFiles.LOG));
    long start = segments[4].baseOffset;
    log.highWatermark(400);
    log.deleteRecordsBefore(start);
    disk.cannotRename = null;
    Fixture.copy(directory, saved);
    storage.close();
    restore();
    Files.deleteIfExists(directory.resolve("log-start-offset-checkpoint"));
    Files.deleteIfExists(directory.resolve("recovery-point-offset-checkpoint"));
    disk.boot = "boot-2";
    run(
        again -> {
          assertEquals(400, again.logEndOffset());
          List<String> tail = expected.subList((int) start, 400);
          assertEquals(tail, Batches.readAll(again, start));
        });
  }

  /// A segment that could not be removed stayed behind the new end: the log went on without it, and
  /// met it again when it had grown so far.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aTruncationThatCannotRemoveASegmentLeavesAWholeLog(boolean all) throws IOException {
    LocalLogStorage storage = fixture.start();
    LocalLog log = (LocalLog) storage.open(PARTITION, SETTINGS, new CapturedProgress());
    List<String> expected = fill(log, 400);
    Segment[] segments = log.segments();
    disk.cannotRename = LogFiles.name(segments[3].path(LogFiles.LOG));
    long offset = segments[1].baseOffset + 1;
    assertThrows(
        TakhinException.class,
        () -> {
          if (all) {
            log.truncateFullyAndStartAt(1_000);
          } else {
            log.truncateTo(offset);
          }
        });
    assertNotNull(storage.directories().getFirst().offline());
    disk.cannotRename = null;
    Fixture.copy(directory, saved);
    storage.close();
    restore();
    run(
        again -> {
          assertEquals(segments[4].baseOffset, again.logEndOffset());
          assertEquals(expected.subList(0, (int) again.logEndOffset()), Batches.readAll(again, 0));
          again.truncateTo(offset);
          assertEquals(expected.subList(0, (int) offset), Batches.readAll(again, 0));
        });
  }

  /// A power cut brought back the segments that a truncation had removed: the names were not
  /// forced, though what was written in their place was.
  @Test
  void whatWasTruncatedStaysAwayThroughAPowerCut() throws IOException {
    CrashDisk crashing = new CrashDisk();
    try (Fixture second = new Fixture(directory, crashing)) {
      LocalLogStorage storage = second.start();
      LocalLog log = (LocalLog) storage.open(PARTITION, SETTINGS, new CapturedProgress());
      fill(log, 400);
      Segment[] segments = log.segments();
      log.flush();
      log.truncateTo(segments[2].baseOffset);
      List<String> done = crashing.operations();
      assertForced(done, "rename to N.log.deleted");
      crashing.dieAt(0);
      storage.close();
    }
  }

  private static void assertForced(List<String> done, String change) {
    assertTrue(done.contains(change), change + " is not in " + done);
    assertTrue(
        done.lastIndexOf(change) < done.lastIndexOf("force directory t-0"),
        change + " was not forced: " + done);
  }

  @Test
  void appendsSurviveRandomCrashes() throws IOException {
    for (int seed = 0; seed < 12; seed++) {
      clear(directory);
      clear(saved);
      Random random = new Random(seed);
      List<String> expected = new ArrayList<>();
      int sequence = 0;
      for (int life = 0; life < 4; life++) {
        disk.boot = "boot-" + random.nextInt(2);
        int from = sequence;
        int batches = random.nextInt(60);
        Use use =
            log -> {
              assertEquals(expected, Batches.readAll(log, log.logStartOffset()));
              for (int i = 0; i < batches; i++) {
                String value = "v".repeat(random.nextInt(400)) + (from + i);
                long offset = appended(log, Batches.from(5, 0, from + i, value));
                expected.add(offset + "=" + value);
                if (random.nextInt(20) == 0) {
                  log.flush();
                }
              }
              assertEquals(expected.size(), log.logEndOffset());
            };
        if (random.nextBoolean()) {
          crash(use);
        } else {
          run(use);
        }
        sequence += batches;
      }
      run(log -> assertEquals(expected, Batches.readAll(log, 0)));
    }
  }
}
