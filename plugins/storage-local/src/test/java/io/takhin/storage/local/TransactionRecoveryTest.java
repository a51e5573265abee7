package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.append;
import static io.takhin.testkit.storage.CapturedAppend.appended;
import static io.takhin.testkit.storage.CapturedAppend.end;
import static io.takhin.testkit.storage.CapturedAppend.verified;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TopicPartition;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.PartitionLog;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Transactions and their index after a crash, and after somebody damaged files: what was aborted
/// is never shown as committed, and what is open stays open.
class TransactionRecoveryTest {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "t", 0);
  private static final LogConfig SETTINGS =
      new LogConfigBuilder().indexIntervalBytes(256).segmentBytes(1200).build();
  private static final int TRANSACTIONS = 25;

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
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path file : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        if (!file.equals(directory)) {
          Files.delete(file);
        }
      }
    }
    Fixture.copy(saved, directory);
  }

  /// Housekeeping goes on: temporary files come and go, and are not even looked at.

  private static void write(PartitionLog log, long producerId, int sequence) {
    ByteBuffer batch = Batches.inTransaction(producerId, 0, sequence, "value-" + sequence);
    AppendResult result =
        log.transactionOpen(producerId, (short) 0) ? append(log, batch) : verified(log, batch);
    assertInstanceOf(Appended.class, result, result::toString);
  }

  /// Transactions of two producers that overlap; those of one are aborted. One stays open.
  private static List<AbortedTransaction> fill(PartitionLog log) {
    List<AbortedTransaction> aborted = new ArrayList<>();
    for (int i = 0; i < TRANSACTIONS; i++) {
      write(log, 1, 2 * i);
      long first = log.logEndOffset();
      write(log, 2, i);
      write(log, 1, 2 * i + 1);
      assertInstanceOf(Appended.class, end(log, 2, 0, 0, false, 0));
      aborted.add(new AbortedTransaction(2, first));
      assertInstanceOf(Appended.class, end(log, 1, 0, 0, true, 0));
    }
    write(log, 3, 0);
    return aborted;
  }

  private void assertRecovered(List<AbortedTransaction> expected) throws IOException {
    run(
        log -> {
          log.highWatermark(log.logEndOffset());
          assertEquals(expected, log.abortedTransactions(0, log.logEndOffset()));
          assertEquals(log.logEndOffset() - 1, log.firstUnstableOffset());
          assertTrue(log.transactionOpen(3, (short) 0));
          assertFalse(log.transactionOpen(1, (short) 0));
        });
  }

  private Path segment() throws IOException {
    try (Stream<Path> all = Files.list(files)) {
      return all.filter(f -> f.toString().endsWith(".log")).max(Path::compareTo).orElseThrow();
    }
  }

  private List<Path> indexes() throws IOException {
    try (Stream<Path> all = Files.list(files)) {
      return all.filter(file -> file.toString().endsWith(LogFiles.TXN_INDEX)).sorted().toList();
    }
  }

  @Test
  void theIndexHoldsWhatKafkaExpects() throws IOException {
    run(
        log -> {
          write(log, 1, 0);
          write(log, 2, 0);
          end(log, 2, 0, 0, false, 0);
          end(log, 1, 0, 0, false, 0);
        });
    ByteBuffer expected = ByteBuffer.allocate(2 * TransactionIndex.ENTRY_BYTES);
    // The other one, from offset 0 on, was open when this was aborted.
    expected.putShort((short) 0).putLong(2).putLong(1).putLong(2).putLong(0);
    expected.putShort((short) 0).putLong(1).putLong(0).putLong(3).putLong(4);
    assertArrayEquals(expected.array(), Files.readAllBytes(indexes().getFirst()));
  }

  /// Found by the simulator: DeleteRecords took the index of aborted transactions away before the
  /// segment. A power cut between the two brought back the segment alone, and what was aborted in
  /// it was shown as committed.
  @Test
  void aRemovalThatIsInterruptedLeavesNoSegmentWithoutItsAborts() throws IOException {
    List<List<AbortedTransaction>> expected = new ArrayList<>();
    run(
        log -> {
          expected.add(fill(log));
          log.highWatermark(log.logEndOffset());
          Segment[] segments = ((LocalLog) log).segments();
          disk.cannotRename = LogFiles.name(segments[0].path(LogFiles.LOG));
          log.deleteRecordsBefore(segments[1].baseOffset);
          disk.cannotRename = null;
        });
    Files.delete(directory.resolve(".kafka_cleanshutdown"));
    Files.deleteIfExists(directory.resolve("log-start-offset-checkpoint"));
    disk.boot = "boot-2";
    assertRecovered(expected.getFirst());
  }

  /// Found by the simulator: retention removed a segment, and a power cut brought its snapshot back
  /// and took the newer ones. A transaction that was open in it had ended in the segment that was
  /// gone: it stayed open for ever.
  @Test
  void aSnapshotOfASegmentThatIsGoneIsNotBelieved() throws IOException {
    long[] start = new long[1];
    crash(
        log -> {
          start[0] = endInTheSecondSegment(log, true);
          log.flush();
        });
    assertTrue(Files.exists(LogFiles.of(files, start[0], LogFiles.SNAPSHOT)));
    damageSnapshotsFrom(start[0]);
    for (Path file : listed(".log")) {
      if (LogFiles.offset(file, LogFiles.LOG) < start[0]) {
        Files.delete(file);
      }
    }
    disk.boot = "boot-2";
    assertNothingOpen();
  }

  /// The end of a transaction lay between the last snapshot and the start of the log.
  @Test
  void whatIsBelowTheStartStillEndsATransaction() throws IOException {
    long[] second = new long[1];
    run(
        log -> {
          second[0] = endInTheSecondSegment(log, false);
          log.highWatermark(log.logEndOffset());
          log.deleteRecordsBefore(log.logEndOffset() - 1);
          log.flush();
          assertEquals(second[0], ((LocalLog) log).segments()[0].baseOffset);
        });
    damageSnapshotsFrom(second[0] + 1);
    assertNothingOpen();
  }

  /// Begins a transaction in the first segment and ends it in the second.
  ///
  /// @param roll whether a third one is begun
  /// @return where the last segment begins
  private static long endInTheSecondSegment(PartitionLog log, boolean roll) {
    LocalLog local = (LocalLog) log;
    write(log, 1, 0);
    for (int i = 0; local.segments().length == 1; i++) {
      appended(log, Batches.from(9, 0, i, "value-" + i));
    }
    assertInstanceOf(Appended.class, end(log, 1, 0, 0, true, 0));
    for (int i = 0; roll && local.segments().length == 2; i++) {
      appended(log, Batches.from(10, 0, i, "value-" + i));
    }
    appended(log, Batches.of("last"));
    return local.segments()[local.segments().length - 1].baseOffset;
  }

  private void damageSnapshotsFrom(long offset) throws IOException {
    for (Path file : listed(LogFiles.SNAPSHOT)) {
      if (LogFiles.offset(file, LogFiles.SNAPSHOT) >= offset) {
        Files.write(file, new byte[5]);
      }
    }
  }

  private List<Path> listed(String suffix) throws IOException {
    try (Stream<Path> all = Files.list(files)) {
      return all.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }

  private void assertNothingOpen() throws IOException {
    run(
        log -> {
          log.highWatermark(log.logEndOffset());
          assertEquals(-1, log.firstUnstableOffset());
          assertFalse(log.transactionOpen(1, (short) 0));
        });
  }

  /// A killed broker's index of aborted transactions was never forced by the next one: a power cut
  /// after that could take it away, behind a recovery point that said all was there.
  @Test
  void whatAKilledBrokerLeftInTheIndexIsForcedByTheNext() throws IOException {
    crash(TransactionRecoveryTest::fill);
    int files = indexes().size();
    assertTrue(files > 2, indexes()::toString);
    CrashDisk crashing = new CrashDisk();
    try (Fixture second = new Fixture(directory, crashing)) {
      LocalLogStorage storage = second.start();
      PartitionLog log = storage.open(PARTITION, SETTINGS, new CapturedProgress());
      crashing.dieAt(-1);
      log.flush();
      long forced =
          crashing.operations().stream().filter(each -> each.equals("force N.txnindex")).count();
      assertEquals(files, forced, crashing.operations()::toString);
      storage.close();
    }
  }

  /// What an interrupted removal left would be believed by a later segment of that offset.
  @Test
  void anIndexWithoutASegmentIsRemoved() throws IOException {
    run(TransactionRecoveryTest::fill);
    for (String suffix : List.of(LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX)) {
      Files.write(LogFiles.of(files, 999, suffix), new byte[100]);
    }
    run(log -> {});
    for (String suffix : List.of(LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX)) {
      assertFalse(Files.exists(LogFiles.of(files, 999, suffix)), suffix);
    }
  }

  @Test
  void aKilledProcessMayLoseTheTailOfTheIndex() throws IOException {
    List<List<AbortedTransaction>> expected = new ArrayList<>();
    crash(log -> expected.add(fill(log)));
    assertTrue(indexes().size() > 2, indexes()::toString);
    Path last = indexes().getLast();
    // No snapshot covers its markers.
    assertEquals(LogFiles.offset(last, LogFiles.TXN_INDEX), LogFiles.offset(segment(), ".log"));
    byte[] content = Files.readAllBytes(last);
    for (int cut = 0; cut <= content.length; cut += 17) {
      Files.write(last, java.util.Arrays.copyOf(content, content.length - cut));
      assertRecovered(expected.getFirst());
      restore();
    }
    Files.delete(last);
    assertRecovered(expected.getFirst());
  }

  @Test
  void aMachineThatLostPowerMayLoseEveryIndexAfterTheRecoveryPoint() throws IOException {
    List<List<AbortedTransaction>> expected = new ArrayList<>();
    disk.boot = "boot-1";
    crash(log -> expected.add(fill(log)));
    Files.deleteIfExists(directory.resolve("recovery-point-offset-checkpoint"));
    for (Path index : indexes()) {
      Files.delete(index);
    }
    disk.boot = "boot-2";
    assertRecovered(expected.getFirst());
  }

  @Test
  void r3DamagedIndexesOfClosedSegmentsAreRebuilt() throws IOException {
    List<List<AbortedTransaction>> expected = new ArrayList<>();
    run(log -> expected.add(fill(log)));
    Path first = indexes().getFirst();
    byte[] content = Files.readAllBytes(first);
    Files.write(first, java.util.Arrays.copyOf(content, content.length - 1));
    assertRecovered(expected.getFirst());
    assertArrayEquals(content, Files.readAllBytes(first));
    byte[] version = content.clone();
    version[1] = 7;
    Files.write(first, version);
    assertRecovered(expected.getFirst());
    assertArrayEquals(content, Files.readAllBytes(first));
  }

  @Test
  void aTornMarkerLeavesItsTransactionOpen() throws IOException {
    crash(
        log -> {
          write(log, 1, 0);
          end(log, 1, 0, 0, false, 0);
        });
    byte[] content = Files.readAllBytes(segment());
    Files.write(segment(), java.util.Arrays.copyOf(content, content.length - 1));
    run(
        log -> {
          assertEquals(1, log.logEndOffset());
          assertEquals(0, log.firstUnstableOffset());
          assertEquals(List.of(), log.abortedTransactions(0, 1));
          assertInstanceOf(Appended.class, end(log, 1, 0, 0, true, 0));
          assertEquals(List.of(), log.abortedTransactions(0, 2));
        });
    assertEquals(List.of(), indexes());
  }

  @Test
  void retentionTakesTheIndexWithItsSegment() throws IOException {
    run(
        log -> {
          List<AbortedTransaction> all = fill(log);
          int before = indexes().size();
          log.highWatermark(log.logEndOffset());
          long start = log.logEndOffset() / 2;
          log.deleteRecordsBefore(start);
          assertTrue(indexes().size() < before);
          List<AbortedTransaction> left = log.abortedTransactions(start, log.logEndOffset());
          assertEquals(all.subList(all.size() - left.size(), all.size()), left);
          assertTrue(left.size() >= TRANSACTIONS / 2 - 1, left::toString);
          appended(log, Batches.of("x"));
        });
  }
}
