package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.appended;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TopicPartition;
import io.takhin.api.codec.Codecs;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.PartitionLog;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.TestTime;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a killed broker left in the page cache alone, and what a power cut makes of it. All of this
/// was found by the simulator, or looked for beside what it found.
class UnforcedTest {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "t", 0);
  private static final int BATCHES = 120;

  @TempDir Path first;
  @TempDir Path second;
  private final CrashDisk disk = new CrashDisk();
  private Fixture fixture;

  @BeforeEach
  void prepare() {
    fixture = new Fixture(second, disk);
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private static LogConfigBuilder settings() {
    return new LogConfigBuilder().indexIntervalBytes(256).segmentBytes(4096);
  }

  /// Leaves a directory as a killed process would, with nothing forced by its log.
  private void killed() throws IOException {
    try (Fixture before = new Fixture(first, new FaultyDisk())) {
      LocalLogStorage storage = before.start();
      PartitionLog log = storage.open(PARTITION, settings().build(), new CapturedProgress());
      for (int i = 0; i < BATCHES; i++) {
        appended(log, Batches.from(9, 0, i, "value-" + i));
      }
      Fixture.copy(first, second);
      storage.close();
    }
    Files.deleteIfExists(second.resolve("recovery-point-offset-checkpoint"));
  }

  private LocalLog open(LocalLogStorage storage, LogConfig config) {
    return (LocalLog) storage.open(PARTITION, config, new CapturedProgress());
  }

  @Test
  void theNamesOfANewDataDirectoryAreForced() {
    Path deep = second.resolve("new/data");
    try (Fixture fresh = new Fixture(deep, disk)) {
      LocalLogStorage storage = fresh.start();
      List<String> done = disk.operations();
      assertTrue(done.contains("force directory " + CrashDisk.kind(second)), done::toString);
      assertTrue(done.contains("force directory new"), done::toString);
      storage.close();
    }
  }

  @Test
  void namesAndRecordsOfAKilledBrokerAreForcedByTheNext() throws IOException {
    killed();
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, settings().build());
    int segments = log.segments().length;
    assertTrue(segments > 2);
    disk.dieAt(-1);
    log.flush();
    List<String> done = disk.operations();
    assertEquals(segments, done.stream().filter(each -> each.equals("force N.log")).count());
    assertTrue(done.contains("force directory t-0"), done::toString);
    assertTrue(done.contains("force directory " + CrashDisk.kind(second)), done::toString);
    assertEquals(BATCHES, log.recoveryPoint());
    storage.close();
  }

  /// The clock of `flush.ms` began anew with each start: brokers that died young put it off for
  /// ever, and a power cut took what was acknowledged many times `flush.ms` ago.
  @ParameterizedTest
  @ValueSource(longs = {600_000, Long.MAX_VALUE})
  void whatAKilledBrokerLeftIsForcedAtTheFirstLookUnlessNothingIs(long flushMs) throws IOException {
    killed();
    try (TestContext context =
        TestContext.simulated().service(Codecs.class, new FakeCodecs()).build()) {
      LocalLogStorage storage = new LocalLogStorage(Fixture.config(second), context, disk);
      storage.start();
      LocalLog log = open(storage, settings().flushMs(flushMs).build());
      assertEquals(0, log.recoveryPoint());
      context.time().advance(Duration.ofSeconds(1));
      assertEquals(flushMs < Long.MAX_VALUE ? BATCHES : 0, log.recoveryPoint());
      appended(log, Batches.of("young"));
      context.time().advance(Duration.ofSeconds(1));
      assertEquals(flushMs < Long.MAX_VALUE ? BATCHES : 0, log.recoveryPoint());
      storage.close();
    }
  }

  /// Found by a power cut that took less than it should have: a look began at a time before the
  /// record's, took that for a clock that had been set back, and forced what nobody had asked for.
  @Test
  void aClockThatGoesBackForcesNothing() {
    try (TestContext context =
        TestContext.simulated().service(Codecs.class, new FakeCodecs()).build()) {
      LocalLogStorage storage = new LocalLogStorage(Fixture.config(second), context, disk);
      storage.start();
      LocalLog log = open(storage, settings().flushMs(5_000).build());
      appended(log, Batches.of("young"));
      context.time().jumpWallClock(TestTime.EPOCH.minusSeconds(3600));
      context.time().advance(Duration.ofSeconds(2));
      assertEquals(0, log.recoveryPoint());
      context.time().advance(Duration.ofSeconds(4));
      assertEquals(1, log.recoveryPoint());
      storage.close();
    }
  }

  @Test
  void withGroupCommitTheyAreForcedBeforeTheyAreVisible() throws IOException {
    killed();
    LocalLogStorage storage = fixture.start();
    disk.dieAt(-1);
    LocalLog log = open(storage, settings().flushMessages(1).build());
    assertEquals(BATCHES, log.recoveryPoint());
    assertTrue(disk.operations().contains("force N.log"), disk.operations()::toString);
    storage.close();
  }

  /// A log that was closed in order while it was empty counted as forced: what was acknowledged in
  /// it later, with `flush.messages=1`, went with its names in a power cut.
  @Test
  void theNamesOfALogThatWasClosedEmptyAreForcedWithItsFirstRecord() {
    try (Fixture before = new Fixture(second, new FaultyDisk())) {
      LocalLogStorage storage = before.start();
      open(storage, settings().build());
      storage.close();
    }
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, settings().build());
    disk.dieAt(-1);
    appended(log, Batches.of("first"));
    log.flush();
    List<String> done = disk.operations();
    assertTrue(done.contains("force directory t-0"), done::toString);
    assertTrue(done.contains("force directory " + CrashDisk.kind(second)), done::toString);
    storage.close();
  }

  /// A power cut took the tail of a time index: retention thought the segment older than it was.
  @Test
  void theIndexesOfAClosedSegmentAreForcedWithIt() throws IOException {
    killed();
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, settings().build());
    disk.dieAt(-1);
    log.flush();
    List<String> done = disk.operations();
    for (String index : List.of("force N.index", "force N.timeindex")) {
      assertEquals(
          log.segments().length - 1, done.stream().filter(index::equals).count(), done::toString);
    }
    storage.close();
  }

  /// The fsync of a slow disk took longer than DeleteRecords or retention and the delay of deletes:
  /// the next segment was gone, and the whole directory went offline for it.
  @Test
  void aSegmentThatGoesDuringAFlushIsNoFaultOfTheDisk() throws IOException {
    killed();
    FaultyDisk slow = new FaultyDisk();
    try (Fixture after = new Fixture(second, slow)) {
      LocalLogStorage storage = after.start();
      LocalLog log = open(storage, settings().build());
      log.highWatermark(BATCHES);
      long start = log.segments()[2].baseOffset;
      slow.duringForce = () -> log.deleteRecordsBefore(start);
      log.flush();
      assertNull(log.context().directory().offline());
      assertEquals(start, log.logStartOffset());
      assertEquals(BATCHES, log.recoveryPoint());
      storage.close();
    }
  }

  /// All of the segment was on disk when it was closed, as with group commit: the fsync passed it
  /// over, and with it the end of its indexes.
  @Test
  void theIndexesOfASegmentThatWasOnDiskBeforeItWasClosedAreForced() {
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, settings().build());
    disk.dieAt(-1);
    for (int i = 0; log.segments().length == 1; i++) {
      log.flush();
      appended(log, Batches.from(9, 0, i, "value-" + i));
    }
    log.flush();
    List<String> done = disk.operations();
    for (String index : List.of("force N.index", "force N.timeindex")) {
      assertEquals(1, done.stream().filter(index::equals).count(), done::toString);
    }
    storage.close();
  }

  /// Nobody may believe the end of indexes that were written after the recovery point had got
  /// there.
  @Test
  void aSegmentThatEndsAtTheRecoveryPointIsNotOlderThanItIs() throws IOException {
    long second;
    try (Fixture before = new Fixture(first, new FaultyDisk())) {
      LocalLogStorage storage = before.start();
      LocalLog log = open(storage, settings().build());
      for (int i = 0; log.segments().length == 1; i++) {
        appended(log, Batches.at(1_000_000 + i, "value-" + i));
      }
      second = log.segments()[1].baseOffset;
      Fixture.copy(first, this.second);
      storage.close();
    }
    Path times = this.second.resolve("t-0/00000000000000000000.timeindex");
    byte[] all = Files.readAllBytes(times);
    Files.write(times, Arrays.copyOf(all, all.length - 24));
    new Checkpoint(disk, this.second.resolve("recovery-point-offset-checkpoint"))
        .write(Map.of("t-0", second));
    disk.boot = "boot-2";
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, settings().build());
    assertEquals(1_000_000 + second - 1, log.segments()[0].maxTimestamp());
    storage.close();
  }

  /// A start after a close in order believes the indexes, but a power cut behind it had taken the
  /// end of the time index: retention took records that were too young.
  @Test
  void theIndexesOfALogThatIsClosedAreForcedOnce() {
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, settings().build());
    for (int i = 0; i < 20; i++) {
      appended(log, Batches.at(1_000_000 + i, "value-" + i));
    }
    assertEquals(1, log.segments().length);
    List<String> indexes = List.of("force N.index", "force N.timeindex");
    for (int times = 1; times >= 0; times--) {
      disk.dieAt(-1);
      storage.close();
      for (String index : indexes) {
        assertEquals(times, disk.operations().stream().filter(index::equals).count());
      }
      storage = fixture.start();
      open(storage, settings().build());
    }
    storage.close();
  }

  /// A gap before a segment counted as compaction's, and the log ended behind it: a coordinator
  /// waited for ever for records up to that end.
  @ParameterizedTest
  @ValueSource(ints = {0, 30, 80})
  void aCompactedLogEndsWithABatchThoughAPowerCutLeftNoneInTheNextSegment(int bytes)
      throws IOException {
    LogConfig compacted = settings().compact(true).build();
    long last;
    int batchBytes;
    try (Fixture before = new Fixture(first, new FaultyDisk())) {
      LocalLogStorage storage = before.start();
      LocalLog log = open(storage, compacted);
      appended(log, keyed(0));
      batchBytes = log.segments()[0].sizeBytes();
      for (int i = 1; log.segments().length < 3; i++) {
        appended(log, keyed(i));
      }
      last = log.segments()[2].baseOffset;
      Fixture.copy(first, second);
      storage.close();
    }
    Path grown = LogFiles.of(second.resolve("t-0"), last, LogFiles.LOG);
    Files.write(grown, Arrays.copyOf(Files.readAllBytes(grown), bytes));
    Path cut = second.resolve("t-0/" + secondSegment());
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 2 * batchBytes));
    disk.boot = "boot-2";
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, compacted);
    assertEquals(log.segments()[1].baseOffset + 2, log.logEndOffset());
    assertEquals(2, log.segments().length);
    assertEquals(log.logEndOffset(), appended(log, keyed(9_999)));
    storage.close();
  }

  private static ByteBuffer keyed(int number) {
    byte[] key = String.format(Locale.ROOT, "key-%08d", number).getBytes(UTF_8);
    return new RecordBatchBuilder().add(1_000, key, new byte[10]).build();
  }

  /// The name of the log's second file.
  private String secondSegment() throws IOException {
    try (Stream<Path> files = Files.list(second.resolve("t-0"))) {
      return files
          .map(LogFiles::name)
          .filter(name -> name.endsWith(LogFiles.LOG))
          .sorted()
          .skip(1)
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void aSegmentThatAPowerCutEndedAtABatchIsTheLast() throws IOException {
    killed();
    Path segment = second.resolve("t-0/00000000000000000000.log");
    byte[] content = Files.readAllBytes(segment);
    int batchBytes = (int) RecordBatch.sizeBytes(ByteBuffer.wrap(content), 0);
    Files.write(segment, Arrays.copyOf(content, 3 * batchBytes));
    disk.boot = "boot-2";
    LocalLogStorage storage = fixture.start();
    LocalLog log = open(storage, settings().build());
    assertEquals(3, log.logEndOffset());
    assertEquals(3, appended(log, Batches.of("next")));
    assertEquals(List.of("0=value-0", "1=value-1", "2=value-2", "3=next"), Batches.readAll(log, 0));
    storage.close();
  }
}
