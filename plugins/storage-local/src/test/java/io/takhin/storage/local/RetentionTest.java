package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.appended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.PartitionLog;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Segments begin and go when their settings say so.
class RetentionTest {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "t", 0);
  private static final long DAY_MS = 86_400_000L;

  @TempDir Path directory;
  private final CapturedProgress progress = new CapturedProgress();
  private Fixture fixture;
  private LocalLogStorage storage;
  private LocalLog log;

  @BeforeEach
  void open() {
    fixture = new Fixture(directory, new FaultyDisk());
    storage = fixture.start();
    log = (LocalLog) storage.open(PARTITION, LogConfigBuilder.defaults(), progress);
  }

  @AfterEach
  void close() {
    storage.close();
    fixture.close();
  }

  private void fill(int batches, long timestampMs) {
    for (int i = 0; i < batches; i++) {
      appended(log, Batches.at(timestampMs, "value"));
    }
    log.highWatermark(log.logEndOffset());
  }

  private static LogConfigBuilder small() {
    return new LogConfigBuilder().segmentBytes(200).fileDeleteDelayMs(0);
  }

  @Test
  void segmentsEndBeforeTheyWouldGrowTooLarge() {
    log.reconfigure(small().build());
    fill(10, 1000);
    assertEquals(5, log.segments().length);
    for (Segment segment : log.segments()) {
      assertTrue(segment.sizeBytes() <= 200);
    }
    assertEquals(10, Batches.readAll(log, 0).size());
  }

  @Test
  void segmentsEndWhenTheirFirstRecordIsOld() {
    log.reconfigure(new LogConfigBuilder().segmentMs(100).build());
    fill(3, 1000);
    assertEquals(1, log.segments().length);
    fill(1, 1101);
    assertEquals(2, log.segments().length);
  }

  @Test
  void segmentsEndWhenTheirIndexIsFull() {
    log.reconfigure(new LogConfigBuilder().indexIntervalBytes(0).segmentIndexBytes(60).build());
    fill(30, 1000);
    assertTrue(log.segments().length > 3);
    assertEquals(30, Batches.readAll(log, 0).size());
  }

  @Test
  void oldSegmentsGoByTimeTheLastOneToo() throws IOException {
    long nowMs = System.currentTimeMillis();
    LogConfig settings = small().retentionMs(DAY_MS).build();
    log.reconfigure(settings);
    fill(6, nowMs - 2 * DAY_MS);
    try (LogSlice slice = log.reader().read(0, 6, 10_000, true)) {
      assertNotNull(slice);
      log.clean(nowMs, DAY_MS);
      storage.removals().run(true);
      assertEquals(6, log.logStartOffset());
      assertEquals(6, progress.logStartOffset());
      assertEquals(0, log.sizeBytes());
      assertEquals(2, Batches.show(Batches.bytes(slice)).size());
    }
    try (Stream<Path> files = Files.list(directory.resolve("t-0"))) {
      List<String> logs =
          files.map(LogFiles::name).filter(name -> name.contains(LogFiles.LOG)).toList();
      assertEquals(List.of("00000000000000000006.log"), logs);
    }
    assertEquals(6, appended(log, Batches.of("next")));
  }

  @Test
  void youngSegmentsAndThoseAboveTheHighWatermarkStay() {
    long nowMs = System.currentTimeMillis();
    log.reconfigure(small().retentionMs(DAY_MS).build());
    fill(4, nowMs - 2 * DAY_MS);
    log.highWatermark(3);
    log.clean(nowMs, DAY_MS);
    assertEquals(2, log.logStartOffset());
    fill(4, nowMs);
    log.clean(nowMs, DAY_MS);
    assertEquals(4, log.logStartOffset());
    assertEquals(4, Batches.readAll(log, 4).size());
  }

  @Test
  @Timeout(30)
  void idleProducersAreForgottenAfterTheTimeThatIsSet() {
    LocalStorageConfig soon =
        new LocalStorageConfig(
            directory.resolve("soon"),
            1 << 30,
            168,
            0,
            100,
            1000,
            10_000,
            true,
            1 << 20,
            "relaxed",
            64,
            1);
    LocalLogStorage forgetful = fixture.start(soon);
    try {
      PartitionLog forgotten =
          forgetful.open(PARTITION, LogConfigBuilder.defaults(), new CapturedProgress());
      appended(forgotten, byAProducerNow());
      appended(log, byAProducerNow());
      while (!forgotten.activeProducers().isEmpty()) {
        Thread.onSpinWait();
      }
      log.clean(System.currentTimeMillis(), DAY_MS);
      assertEquals(1, log.activeProducers().size());
    } finally {
      forgetful.close();
    }
  }

  private static ByteBuffer byAProducerNow() {
    return new RecordBatchBuilder()
        .producer(7, (short) 0, 0)
        .add(System.currentTimeMillis(), null, new byte[1])
        .build();
  }

  @Test
  void theOldestSegmentsGoBySize() {
    log.reconfigure(small().retentionBytes(400).build());
    fill(20, System.currentTimeMillis());
    log.clean(System.currentTimeMillis(), DAY_MS);
    assertTrue(log.sizeBytes() >= 400 && log.sizeBytes() < 600, log.sizeBytes() + " bytes");
    assertEquals(20, log.logEndOffset());
  }

  @Test
  void aReaderGoesOnAcrossSegments() {
    log.reconfigure(small().build());
    LogReader reader = log.reader();
    long next = 0;
    for (int i = 0; i < 40; i++) {
      fill(1, 1000);
      while (next < log.logEndOffset()) {
        try (LogSlice slice = reader.read(next, log.logEndOffset(), 1000, true)) {
          assertNotNull(slice);
          List<String> shown = Batches.show(Batches.bytes(slice));
          assertEquals(next + "=value", shown.getFirst());
          next += shown.size();
        }
      }
    }
    assertEquals(40, next);
  }

  @Test
  void openFilesAreBounded() {
    for (int i = 0; i < 100; i++) {
      TopicPartition other = new TopicPartition(new UUID(1, 2), "t", i + 1);
      appended(
          storage.open(other, LogConfigBuilder.defaults(), new CapturedProgress()),
          Batches.of("v"));
    }
    assertTrue(storage.context().files().size() <= 64);
    for (LocalLog each : storage.logs()) {
      assertEquals(each.logEndOffset(), Batches.readAll(each, 0).size());
    }
  }
}
