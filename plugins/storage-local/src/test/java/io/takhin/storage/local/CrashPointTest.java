package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.codec.Codecs;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogListener;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// R9 and R10: a life of two logs and a topic that comes and goes, cut off at each of its changes
/// to the disk, by the end of the process or of the power; what is found afterwards matches the
/// durability table (`docs/durability.md`).
class CrashPointTest {
  private static final TopicPartition CACHED = new TopicPartition(new UUID(1, 1), "cached", 0);
  private static final TopicPartition FORCED = new TopicPartition(new UUID(1, 2), "forced", 0);
  private static final TopicPartition PASSING = new TopicPartition(new UUID(1, 3), "passing", 0);
  private static final int STEP = Integer.getInteger("takhin.faults.step", 5);

  /// How it ends.
  enum End {
    PROCESS_KILLED,
    POWER_CUT_ALL_UNSYNCED_LOST,
    POWER_CUT_SOME_UNSYNCED_KEPT
  }

  @TempDir Path directory;
  private final CrashDisk disk = new CrashDisk();
  private final Set<String> points = new TreeSet<>();

  private static LogConfigBuilder settings() {
    return new LogConfigBuilder()
        .indexIntervalBytes(200)
        .segmentBytes(1500)
        .flushMs(1000)
        .retentionMs(-1)
        .fileDeleteDelayMs(1000);
  }

  private static final class Told implements LogListener {
    private long committable;
    private boolean offline;

    @Override
    public synchronized void committable(long endOffset, long bytes) {
      committable = endOffset;
      notifyAll();
    }

    @Override
    public synchronized void logStartAdvanced(long offset) {}

    @Override
    public synchronized void offline(String reason) {
      offline = true;
      notifyAll();
    }

    synchronized boolean await(long endOffset) {
      try {
        for (int i = 0; i < 100 && committable < endOffset && !offline; i++) {
          wait(100);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      assertTrue(offline || committable >= endOffset, "neither committed nor offline");
      return committable >= endOffset;
    }
  }

  /// What a log must hold afterwards.
  private static final class Model {
    /// The values in the log by offset; the last ones may be on their way.
    final List<String> values = new ArrayList<>();

    /// What a client was told.
    int acknowledged;

    /// What was forced.
    int forced;

    /// The end before a truncation that may not have happened; -1 if there was none.
    List<String> before = List.of();

    int sequence;
    long start;
  }

  /// One life, and what it promised.
  private final class Life {
    final Model cached = new Model();
    final Model forced = new Model();
    boolean passingAcknowledged;
    boolean passingGone;
    String step = "";

    void run() {
      TestContext context = TestContext.simulated().service(Codecs.class, new FakeCodecs()).build();
      LocalLogStorage storage = new LocalLogStorage(Fixture.config(directory), context, disk);
      try {
        live(storage, context);
      } catch (TakhinException e) {
        assertTrue(disk.died(), () -> step + " failed: " + e);
      } finally {
        step = "close";
        storage.close();
        note();
        context.close();
      }
    }

    private int noted;

    /// Changes to the disk before the truncation, and with it.
    int beforeTruncation;

    int withTruncation;

    private void note() {
      List<String> done = disk.operations();
      for (int i = noted; i < done.size(); i++) {
        points.add(step + ": " + done.get(i));
      }
      noted = done.size();
    }

    private void begin(String next) {
      note();
      step = next;
      if (disk.died()) {
        throw new TakhinException(
            io.takhin.api.ErrorCode.KAFKA_STORAGE_ERROR, "dead before " + next);
      }
    }

    private void write(LocalLog log, Model model, int batches, int epoch) {
      for (int i = 0; i < batches; i++) {
        String value = log.partition().topic() + "-" + model.values.size();
        model.values.add(value);
        AppendResult result =
            append(log, Batches.from(9, 0, model.sequence, value), epoch, Origin.CLIENT);
        if (!(result instanceof Appended appended)) {
          throw new TakhinException(
              io.takhin.api.ErrorCode.KAFKA_STORAGE_ERROR, "not appended: " + result);
        }
        assertEquals(model.values.size() - 1, appended.baseOffset());
        model.sequence++;
        model.acknowledged++;
      }
    }

    private void live(LocalLogStorage storage, TestContext context) {
      begin("start");
      storage.start();
      begin("create");
      Told told = new Told();
      LocalLog cachedLog =
          (LocalLog) storage.open(CACHED, settings().build(), new CapturedProgress());
      LocalLog forcedLog =
          (LocalLog) storage.open(FORCED, settings().flushMessages(1).build(), told);
      begin("append");
      write(cachedLog, cached, 5, 0);
      for (int i = 0; i < 4; i++) {
        begin("group commit");
        write(forcedLog, forced, 1, 0);
        if (told.await(forced.values.size())) {
          forced.forced = forced.values.size();
        }
      }
      begin("background flush");
      context.time().advanceMs(2100);
      cached.forced = (int) cachedLog.recoveryPoint();
      begin("roll");
      write(cachedLog, cached, 30, 1);
      begin("roll under group commit");
      write(forcedLog, forced, 30, 1);
      if (told.await(forced.values.size())) {
        forced.forced = forced.values.size();
      }
      context.time().runDue();
      cached.forced = (int) cachedLog.recoveryPoint();
      cachedLog.highWatermark(28);
      forcedLog.highWatermark(forced.values.size());
      begin("checkpoint");
      context.time().advanceMs(6000);
      cached.forced = (int) cachedLog.recoveryPoint();
      begin("delete records");
      cached.start = 14;
      cachedLog.deleteRecordsBefore(14);
      begin("retention");
      forcedLog.reconfigure(settings().flushMessages(1).retentionBytes(1500).build());
      forced.start = forced.values.size();
      forcedLog.clean(context.clock().millis(), context.clock().millis());
      begin("removal");
      context.time().advanceMs(1000);
      begin("truncate");
      beforeTruncation = noted;
      cached.before = List.copyOf(cached.values);
      cut(cached, 29);
      cachedLog.truncateTo(29);
      begin("append after truncation");
      withTruncation = noted;
      cached.sequence = 29;
      write(cachedLog, cached, 6, 2);
      cached.before = List.of();
      passing(storage, context);
      begin("flush");
      cachedLog.flush();
      cached.forced = cached.values.size();
    }

    private void passing(LocalLogStorage storage, TestContext context) {
      begin("topic create");
      LocalLog log = (LocalLog) storage.open(PASSING, settings().build(), new CapturedProgress());
      write(log, new Model(), 2, 0);
      log.flush();
      passingAcknowledged = true;
      begin("topic delete");
      passingAcknowledged = false;
      storage.delete(PASSING);
      passingGone = true;
      begin("topic removal");
      context.time().advanceMs(6000);
    }

    private void cut(Model model, int end) {
      while (model.values.size() > end) {
        model.values.removeLast();
      }
      model.acknowledged = Math.min(model.acknowledged, end);
      model.forced = Math.min(model.forced, end);
    }
  }

  private void verify(Life life, End end, int at) throws IOException {
    String where = end + " at change " + at + ", " + life.step;
    TestContext context = TestContext.simulated().service(Codecs.class, new FakeCodecs()).build();
    LocalLogStorage storage = new LocalLogStorage(Fixture.config(directory), context, disk);
    try (Warnings warnings = new Warnings()) {
      storage.start();
      boolean powerCut = end != End.PROCESS_KILLED;
      verify(storage, CACHED, life.cached, powerCut, where);
      verify(storage, FORCED, life.forced, powerCut, where);
      // What was said to be forced was: also where a log was cut.
      assertTrue(!warnings.say("records are lost"), where + ": a recovery point beyond the end");
      boolean there = storage.existing().contains(PASSING);
      assertTrue(there || !life.passingAcknowledged, where + ": the topic is lost");
      assertTrue(!there || !life.passingGone, where + ": the deleted topic is back");
      if (there) {
        storage.delete(PASSING);
      }
      context.time().advanceMs(6000);
    } catch (TakhinException e) {
      throw new AssertionError(where, e);
    } finally {
      storage.close();
      context.close();
    }
    try (Stream<Path> all = Files.list(directory)) {
      assertTrue(
          all.noneMatch(f -> f.toString().endsWith(LogFiles.DELETED_DIRECTORY)),
          where + ": a deleted directory stayed");
    }
  }

  private static void verify(
      LocalLogStorage storage, TopicPartition partition, Model model, boolean cut, String where)
      throws IOException {
    CapturedProgress progress = new CapturedProgress();
    LocalLog log = (LocalLog) storage.open(partition, settings().build(), progress);
    String what = where + ", " + partition;
    int promised = cut ? model.forced : model.acknowledged;
    long end = log.logEndOffset();
    assertTrue(end >= promised, what + ": ends at " + end + ", promised " + promised);
    assertTrue(log.logStartOffset() <= model.start, what + ": starts too late");
    List<String> read = Batches.readAll(log, log.logStartOffset());
    assertEquals(end - log.logStartOffset(), read.size(), what + ": offsets are not dense");
    List<String> may = end > model.values.size() ? model.before : model.values;
    assertTrue(end <= may.size(), what + ": ends at " + end + " of " + may.size());
    for (int i = 0; i < read.size(); i++) {
      int offset = (int) log.logStartOffset() + i;
      assertEquals(offset + "=" + may.get(offset), read.get(i), what);
    }
    if (end > log.logStartOffset() && model.before.isEmpty()) {
      int last = (int) end - 1;
      assertInstanceOf(Duplicate.class, append(log, Batches.from(9, 0, last, may.get(last))), what);
      AppendResult next = append(log, Batches.from(9, 0, last + 1, "next"), 3, Origin.CLIENT);
      assertEquals(end, assertInstanceOf(Appended.class, next, what).baseOffset(), what);
    }
  }

  private void clear() throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path file : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        if (!file.equals(directory)) {
          Files.delete(file);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void eachChangeToTheDiskMayBeTheLast(End end) throws IOException {
    int at = end.ordinal() % STEP;
    while (diesAt(at, end)) {
      at += STEP;
    }
    assertTrue(points.size() >= 60, points.size() + " crash points: " + points);
  }

  /// Found by reading: after a crash between a truncation and the next checkpoint the recovery
  /// point was beyond the end, and what had been written there since counted as forced.
  @ParameterizedTest
  @EnumSource(End.class)
  void aTruncationLowersTheRecoveryPointFirst(End end) throws IOException {
    disk.dieAt(-1);
    Life whole = new Life();
    whole.run();
    assertTrue(whole.withTruncation > whole.beforeTruncation + 3, "nothing was truncated");
    for (int at = whole.beforeTruncation - 1; at <= whole.withTruncation + 2; at++) {
      assertTrue(diesAt(at, end), "it does not die at " + at);
    }
  }

  /// Whether a life ended there; what is found then was verified.
  private boolean diesAt(int at, End end) throws IOException {
    clear();
    disk.boot = "boot-1";
    disk.dieAt(at);
    Life life = new Life();
    life.run();
    boolean died = disk.died() || disk.operations().size() == at + 1;
    disk.dieAt(-1);
    Random random = new Random(at);
    if (end != End.PROCESS_KILLED) {
      disk.cutPower(random, end == End.POWER_CUT_SOME_UNSYNCED_KEPT ? 0.5 : 0);
      disk.boot = "boot-2";
    } else {
      disk.cutPower(random, 1);
    }
    verify(life, end, at);
    return died;
  }

  @Test
  void theLifeWithoutACrashIsWhole() throws IOException {
    disk.dieAt(-1);
    Life life = new Life();
    life.run();
    assertEquals("close", life.step);
    verify(life, End.PROCESS_KILLED, -1);
    assertTrue(points.size() >= 60, points.size() + " crash points: " + points);
  }
}
