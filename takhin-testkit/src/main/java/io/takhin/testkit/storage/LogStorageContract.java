package io.takhin.testkit.storage;

import static io.takhin.testkit.storage.CapturedAppend.append;
import static io.takhin.testkit.storage.CapturedAppend.appended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import io.takhin.api.storage.PartitionLog.EpochEndOffset;
import io.takhin.api.storage.PartitionLog.OffsetAtTimestamp;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every [LogStorage] keeps. T numbers name what usually goes wrong between Kafka's clients
/// and servers that are not Kafka.
public abstract class LogStorageContract {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "orders", 3);

  private LogStorage storage;
  private CapturedProgress progress = new CapturedProgress();
  private PartitionLog log;

  /// For the subclass.
  @SuppressWarnings("NullAway.Init")
  protected LogStorageContract() {}

  /// A started storage without logs.
  protected abstract LogStorage create();

  /// A started storage that finds what `closed` left behind; `closed` is closed already.
  protected abstract LogStorage restart(LogStorage closed);

  @BeforeEach
  void open() {
    storage = create();
    log = storage.open(PARTITION, LogConfigBuilder.defaults(), progress);
  }

  @AfterEach
  void close() {
    storage.close();
  }

  private void reopen(LogConfig config) {
    storage.close();
    storage = restart(storage);
    progress = new CapturedProgress();
    log = storage.open(PARTITION, config, progress);
  }

  private void reopen() {
    reopen(LogConfigBuilder.defaults());
  }

  @Test
  void startsEmpty() {
    assertEquals(PARTITION, log.partition());
    assertEquals(0, log.logStartOffset());
    assertEquals(0, log.logEndOffset());
    assertEquals(0, log.highWatermark());
    assertEquals(0, log.sizeBytes());
    assertEquals(-1, log.latestEpoch());
    assertEquals(List.of(PARTITION), storage.existing());
    assertEquals(OffsetAtTimestamp.NONE, log.offsetAtOrAfter(0));
    assertEquals(OffsetAtTimestamp.NONE, log.offsetOfMaxTimestamp());
    assertEquals(List.of(), Batches.readAll(log, 0));
  }

  @Test
  void assignsDenseOffsetsAndStampsTheEpoch() {
    assertEquals(new Appended(0, 1, -1, 0), append(log, Batches.of("a", "b"), 7, Origin.CLIENT));
    assertEquals(new Appended(2, 2, -1, 0), append(log, Batches.of("c"), 7, Origin.CLIENT));
    assertEquals(3, log.logEndOffset());
    assertEquals(7, log.latestEpoch());
    assertEquals(List.of("0=a", "1=b", "2=c"), Batches.readAll(log, 0));
    try (LogSlice slice = log.reader().read(0, 3, 1000, true)) {
      assertNotNull(slice);
      assertEquals(7, RecordBatch.leaderEpoch(Batches.bytes(slice), 0));
    }
  }

  @Test
  void honoursPositionAndLimitOfTheRecords() {
    ByteBuffer batch = Batches.of("a");
    ByteBuffer inFrame = ByteBuffer.allocateDirect(batch.limit() + 20);
    inFrame.position(13);
    inFrame.put(batch);
    inFrame.flip().position(13);
    assertEquals(0, appended(log, inFrame));
    assertEquals(List.of("0=a"), Batches.readAll(log, 0));
  }

  @Test
  void tellsProgressWithTheBytesAdded() {
    appended(log, Batches.of("a"));
    appended(log, Batches.of("b", "c"));
    progress.awaitCommittable(3);
    assertEquals(3, log.committableEndOffset());
    assertEquals(log.sizeBytes(), progress.committedBytes());
  }

  @Test
  void durableAppendsBecomeCommittable() {
    log.reconfigure(new LogConfigBuilder().flushMessages(1).build());
    for (int i = 0; i < 10; i++) {
      appended(log, Batches.of("v" + i));
    }
    progress.awaitCommittable(10);
    assertEquals(log.sizeBytes(), progress.committedBytes());
  }

  @Test
  void appendsFromManyThreadsAreAllThereInOrder() throws InterruptedException {
    int threads = 4;
    int each = 200;
    CountDownLatch started = new CountDownLatch(threads);
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> running = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      String name = "t" + t + "-";
      running.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      started.countDown();
                      started.await();
                      long last = -1;
                      for (int i = 0; i < each; i++) {
                        long offset = appended(log, Batches.of(name + i));
                        assertTrue(offset > last);
                        last = offset;
                      }
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread thread : running) {
      thread.join();
    }
    assertEquals(List.of(), failures);
    progress.awaitCommittable(threads * each);
    List<String> all = Batches.readAll(log, 0);
    assertEquals(threads * each, all.size());
    for (int i = 0; i < all.size(); i++) {
      assertTrue(all.get(i).startsWith(i + "="));
    }
    for (int t = 0; t < threads; t++) {
      String name = "t" + t + "-";
      List<String> mine =
          all.stream()
              .map(shown -> shown.substring(shown.indexOf('=') + 1))
              .filter(value -> value.startsWith(name))
              .toList();
      for (int i = 0; i < each; i++) {
        assertEquals(name + i, mine.get(i));
      }
    }
  }

  @Test
  void t26FirstBatchComesEvenIfLargerThanMaxBytes() {
    appended(log, Batches.of("a".repeat(100)));
    appended(log, Batches.of("b"));
    LogReader reader = log.reader();
    try (LogSlice none = reader.read(0, 2, 10, false);
        LogSlice one = reader.read(0, 2, 10, true)) {
      assertNotNull(none);
      assertNotNull(one);
      assertEquals(0, none.sizeBytes());
      assertEquals(1, Batches.show(Batches.bytes(one)).size());
    }
  }

  @Test
  void readsStopBeforeTheBatchThatReachesTheEndOffset() {
    appended(log, Batches.of("a", "b"));
    appended(log, Batches.of("c", "d"));
    appended(log, Batches.of("e"));
    LogReader reader = log.reader();
    assertEquals(List.of(), shown(reader.read(0, 1, 1 << 20, true)));
    assertEquals(List.of("0=a", "1=b"), shown(reader.read(0, 2, 1 << 20, true)));
    assertEquals(List.of("0=a", "1=b"), shown(reader.read(0, 3, 1 << 20, true)));
    assertEquals(List.of("0=a", "1=b", "2=c", "3=d"), shown(reader.read(1, 4, 1 << 20, true)));
    assertEquals(List.of("2=c", "3=d", "4=e"), shown(reader.read(2, 5, 1 << 20, true)));
    assertEquals(List.of(), shown(reader.read(4, 4, 1 << 20, true)));
    assertEquals(List.of("4=e"), shown(reader.read(4, 5, 1 << 20, true)));
    assertEquals(List.of(), shown(reader.read(5, 5, 1 << 20, true)));
  }

  @Test
  void readsAreNullOutsideTheLog() {
    appended(log, Batches.of("a", "b"));
    log.deleteRecordsBefore(1);
    LogReader reader = log.reader();
    assertNull(reader.read(0, 2, 100, true));
    assertNull(reader.read(3, 2, 100, true));
    assertNull(reader.read(-1, 2, 100, true));
    assertEquals(List.of(), shown(reader.read(2, 2, 100, true)));
    // With no byte to spare they say so all the same.
    assertNull(reader.read(0, 2, 0, false));
    assertNull(reader.read(3, 2, 0, false));
    assertEquals(List.of(), shown(reader.read(1, 2, 0, false)));
  }

  @Test
  void copiesPartsOfASlice() {
    appended(log, Batches.of("a".repeat(50), "b"));
    try (LogSlice slice = log.reader().read(0, 2, 1000, true)) {
      assertNotNull(slice);
      assertTrue(slice.inMemory());
      ByteBuffer whole = Batches.bytes(slice);
      ByteBuffer part = ByteBuffer.allocateDirect(20);
      slice.copyTo(30, part);
      assertEquals(20, part.position());
      assertEquals(whole.slice(30, 20), part.flip());
    }
  }

  @Test
  void t23DamagedBatchesAreRejectedAndNothingIsStored() {
    assertRejected(ErrorCode.CORRUPT_MESSAGE, flipped(70));
    assertRejected(ErrorCode.INVALID_RECORD, cut(1));
    assertRejected(ErrorCode.INVALID_RECORD, cut(30));
    assertRejected(ErrorCode.INVALID_RECORD, changed(buffer -> buffer.put(16, (byte) 1)));
    assertRejected(ErrorCode.CORRUPT_MESSAGE, changed(buffer -> buffer.put(16, (byte) 3)));
    assertRejected(ErrorCode.INVALID_RECORD, changed(buffer -> buffer.putInt(23, 5)));
    assertRejected(ErrorCode.INVALID_RECORD, changed(buffer -> buffer.putInt(57, -1)));
    assertRejected(ErrorCode.INVALID_RECORD, changed(buffer -> buffer.putShort(21, (short) 0x20)));
    assertRejected(ErrorCode.CORRUPT_MESSAGE, negativeLength());
    assertEquals(0, log.logEndOffset());
    assertEquals(0, log.sizeBytes());
  }

  @Test
  void t23OneBatchForEachClientAppend() {
    ByteBuffer one = Batches.of("a");
    ByteBuffer two = ByteBuffer.allocateDirect(one.limit() * 2);
    two.put(one.duplicate()).put(one.duplicate()).flip();
    assertRejected(ErrorCode.INVALID_RECORD, two);
  }

  @Test
  void tooLargeIsRejected() {
    log.reconfigure(new LogConfigBuilder().maxMessageBytes(100).build());
    assertRejected(ErrorCode.MESSAGE_TOO_LARGE, Batches.of("x".repeat(100)));
    assertEquals(0, appended(log, Batches.of("x")));
  }

  @Test
  void coordinatorsMayWriteControlBatches() {
    ByteBuffer marker =
        new RecordBatchBuilder()
            .attributes(0x30)
            .producer(5, (short) 0, -1)
            .add(1, new byte[] {0, 0, 0, 1}, new byte[6])
            .build();
    assertInstanceOf(Appended.class, append(log, marker, 0, Origin.COORDINATOR));
  }

  @Test
  void t47DuplicateSequencesAreAnsweredWithTheFirstOutcome() {
    appended(log, Batches.of("x"));
    for (int i = 0; i < 5; i++) {
      assertEquals(1 + 2 * i, appended(log, Batches.from(9, 0, 2 * i, "a" + i, "b" + i)));
    }
    for (int i = 0; i < 5; i++) {
      assertEquals(
          new Duplicate(1 + 2 * i, 2 + 2 * i, -1, 0),
          append(log, Batches.from(9, 0, 2 * i, "a" + i, "b" + i)));
    }
    assertEquals(11, log.logEndOffset());
    assertEquals(11, appended(log, Batches.from(9, 0, 10, "c")));
    assertRejected(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, Batches.from(9, 0, 0, "a0", "b0"));
  }

  @Test
  void t47GapsAndOldEpochsAreRejectedAndNewEpochsBeginAtZero() {
    appended(log, Batches.from(9, 1, 0, "a"));
    assertRejected(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, Batches.from(9, 1, 2, "c"));
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, Batches.from(9, 0, 1, "b"));
    assertRejected(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, Batches.from(9, 2, 1, "b"));
    assertEquals(1, appended(log, Batches.from(9, 2, 0, "b")));
    assertEquals(2, appended(log, Batches.from(10, 0, 77, "first of an unknown producer")));
    assertEquals(2, log.activeProducers().size());
  }

  @Test
  void t47OfAProducerWithoutEpochNothingIsKnownButWhatItWroteLast() {
    assertEquals(0, appended(log, Batches.from(9, -1, 7, "a")));
    assertEquals(new Duplicate(0, 0, -1, 0), append(log, Batches.from(9, -1, 7, "a")));
    assertEquals(1, appended(log, Batches.from(9, -1, 3, "b")));
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, Batches.from(9, -2, 0, "c"));
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, Batches.from(8, -2, 0, "c"));
    assertEquals(
        List.of(new ActiveProducer(9, (short) -1, 3, 1000, -1, -1)), log.activeProducers());
    reopen();
    assertEquals(new Duplicate(1, 1, -1, 0), append(log, Batches.from(9, -1, 3, "b")));
    assertEquals(2, appended(log, Batches.from(9, 0, 5, "c")));
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, Batches.from(9, -1, 6, "d"));
  }

  @Test
  void t47SequencesWrapAround() {
    appended(log, Batches.from(9, 0, Integer.MAX_VALUE - 1, "a", "b", "c"));
    assertEquals(3, appended(log, Batches.from(9, 0, 1, "d")));
  }

  @Test
  void t47ProducersSurviveARestart() {
    appended(log, Batches.from(9, 0, 0, "a"));
    appended(log, Batches.from(9, 0, 1, "b"));
    reopen();
    assertEquals(new Duplicate(0, 0, -1, 0), append(log, Batches.from(9, 0, 0, "a")));
    assertRejected(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, Batches.from(9, 0, 3, "d"));
    assertEquals(2, appended(log, Batches.from(9, 0, 2, "c")));
  }

  @Test
  void t24LogAppendTimeIsStampedAndReported() {
    log.reconfigure(new LogConfigBuilder().timestampType(TimestampType.LOG_APPEND_TIME).build());
    AppendResult result = append(log, Batches.at(5, "a", "b"));
    long stamp = assertInstanceOf(Appended.class, result).logAppendTimeMs();
    assertTrue(stamp > 5);
    assertEquals(List.of("0=a", "1=b"), Batches.readAll(log, 0));
    assertEquals(new OffsetAtTimestamp(0, stamp, 0), log.offsetAtOrAfter(6));
  }

  @Test
  void t24TimestampsAreFoundExactly() {
    appended(log, Batches.at(100, "a", "b"));
    appended(log, Batches.at(300, "c"));
    appended(log, Batches.at(200, "d", "e"));
    assertEquals(new OffsetAtTimestamp(0, 100, 0), log.offsetAtOrAfter(0));
    assertEquals(new OffsetAtTimestamp(1, 101, 0), log.offsetAtOrAfter(101));
    assertEquals(new OffsetAtTimestamp(2, 300, 0), log.offsetAtOrAfter(102));
    assertEquals(new OffsetAtTimestamp(2, 300, 0), log.offsetAtOrAfter(300));
    assertEquals(OffsetAtTimestamp.NONE, log.offsetAtOrAfter(301));
    assertEquals(new OffsetAtTimestamp(2, 300, 0), log.offsetOfMaxTimestamp());
  }

  @Test
  void t29EpochsEndWhereTheNextBegins() {
    append(log, Batches.of("a", "b"), 1, Origin.CLIENT);
    append(log, Batches.of("c"), 4, Origin.CLIENT);
    append(log, Batches.of("d"), 4, Origin.CLIENT);
    assertEquals(new EpochEndOffset(0, 0), log.endOffsetForEpoch(0));
    assertEquals(new EpochEndOffset(1, 2), log.endOffsetForEpoch(1));
    assertEquals(new EpochEndOffset(1, 2), log.endOffsetForEpoch(3));
    assertEquals(new EpochEndOffset(4, 4), log.endOffsetForEpoch(4));
    assertEquals(new EpochEndOffset(-1, -1), log.endOffsetForEpoch(5));
    assertEquals(4, log.latestEpoch());
  }

  @Test
  void replicasKeepOffsetsAndEpochsAndMustContinue() {
    assertEquals(
        new Appended(0, 1, -1, 0), append(log, Batches.replica(0, 3, "a", "b"), 9, Origin.REPLICA));
    assertInstanceOf(Appended.class, append(log, Batches.replica(5, 4, "f"), 9, Origin.REPLICA));
    assertInstanceOf(Rejected.class, append(log, Batches.replica(4, 4, "e"), 9, Origin.REPLICA));
    assertEquals(List.of("0=a", "1=b", "5=f"), Batches.readAll(log, 0));
    assertEquals(List.of("5=f"), Batches.readAll(log, 3));
    assertEquals(4, log.latestEpoch());
  }

  @Test
  void deletedRecordsAreGoneAndTheListenerKnows() {
    appended(log, Batches.of("a", "b"));
    appended(log, Batches.of("c"));
    log.highWatermark(3);
    log.deleteRecordsBefore(2);
    assertEquals(2, log.logStartOffset());
    assertEquals(2, progress.logStartOffset());
    assertEquals(List.of("2=c"), Batches.readAll(log, 2));
    log.deleteRecordsBefore(1);
    assertEquals(2, log.logStartOffset());
    assertEquals(new Appended(3, 3, -1, 2), append(log, Batches.of("d")));
    reopen();
    assertEquals(2, log.logStartOffset());
  }

  @Test
  void t29TruncationRemovesRecordsEpochsAndProducers() {
    append(log, Batches.from(9, 0, 0, "a"), 1, Origin.CLIENT);
    append(log, Batches.from(9, 0, 1, "b"), 2, Origin.CLIENT);
    log.highWatermark(2);
    log.truncateTo(1);
    assertEquals(1, log.logEndOffset());
    assertEquals(1, log.latestEpoch());
    assertEquals(1, log.highWatermark());
    assertEquals(1, log.committableEndOffset());
    assertEquals(List.of("0=a"), Batches.readAll(log, 0));
    assertEquals(
        new Appended(1, 1, -1, 0), append(log, Batches.from(9, 0, 1, "B"), 3, Origin.CLIENT));
    assertEquals(List.of("0=a", "1=B"), Batches.readAll(log, 0));
  }

  @Test
  void truncationInTheMiddleOfABatchRemovesTheBatch() {
    appended(log, Batches.of("a"));
    appended(log, Batches.of("b", "c"));
    log.truncateTo(2);
    assertEquals(1, log.logEndOffset());
    assertEquals(List.of("0=a"), Batches.readAll(log, 0));
  }

  @Test
  void fullTruncationStartsAnewElsewhere() {
    appended(log, Batches.of("a"));
    log.truncateFullyAndStartAt(100);
    assertEquals(100, log.logStartOffset());
    assertEquals(100, log.logEndOffset());
    assertEquals(-1, log.latestEpoch());
    assertEquals(100, appended(log, Batches.of("b")));
    assertEquals(List.of("100=b"), Batches.readAll(log, 100));
    assertNull(log.reader().read(0, 100, 100, true));
  }

  @Test
  void aRestartFindsEverything() {
    append(log, Batches.at(100, "a", "b"), 1, Origin.CLIENT);
    append(log, Batches.at(200, "c"), 2, Origin.CLIENT);
    log.highWatermark(3);
    long size = log.sizeBytes();
    reopen();
    assertEquals(List.of(PARTITION), storage.existing());
    assertEquals(3, log.logEndOffset());
    assertEquals(3, log.highWatermark());
    assertEquals(3, log.committableEndOffset());
    assertEquals(size, log.sizeBytes());
    assertEquals(2, log.latestEpoch());
    assertEquals(new EpochEndOffset(1, 2), log.endOffsetForEpoch(1));
    assertEquals(new OffsetAtTimestamp(2, 200, 2), log.offsetAtOrAfter(150));
    assertEquals(List.of("0=a", "1=b", "2=c"), Batches.readAll(log, 0));
    assertEquals(3, appended(log, Batches.of("d")));
  }

  @Test
  void aDeletedLogIsGoneButOpenSlicesStayReadable() {
    appended(log, Batches.of("a"));
    try (LogSlice slice = log.reader().read(0, 1, 1000, true)) {
      assertNotNull(slice);
      storage.delete(PARTITION);
      assertEquals(List.of("0=a"), Batches.show(Batches.bytes(slice)));
    }
    assertEquals(List.of(), storage.existing());
    Rejected rejected = assertInstanceOf(Rejected.class, append(log, Batches.of("b")));
    assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, rejected.code());
    LogReader reader = log.reader();
    assertThrows(TakhinException.class, () -> reader.read(0, 1, 100, true));
    log = storage.open(PARTITION, LogConfigBuilder.defaults(), progress);
    assertEquals(0, log.logEndOffset());
  }

  @Test
  void aTopicMadeAnewDoesNotSeeTheOldData() {
    appended(log, Batches.of("a"));
    storage.close();
    storage = restart(storage);
    TopicPartition again = new TopicPartition(new UUID(3, 4), "orders", 3);
    log = storage.open(again, LogConfigBuilder.defaults(), progress);
    assertEquals(0, log.logEndOffset());
    assertEquals(List.of(again), storage.existing());
  }

  private void assertRejected(ErrorCode code, ByteBuffer records) {
    long end = log.logEndOffset();
    Rejected rejected = assertInstanceOf(Rejected.class, append(log, records));
    assertEquals(code, rejected.code(), rejected.message());
    assertEquals(end, log.logEndOffset());
  }

  private static List<String> shown(@org.jspecify.annotations.Nullable LogSlice slice) {
    assertNotNull(slice);
    try (slice) {
      return Batches.show(Batches.bytes(slice));
    }
  }

  private static ByteBuffer flipped(int at) {
    ByteBuffer batch = Batches.of("a", "b", "c");
    return batch.put(at, (byte) (batch.get(at) ^ 1));
  }

  private static ByteBuffer cut(int bytes) {
    ByteBuffer batch = Batches.of("a", "b", "c");
    return batch.limit(batch.limit() - bytes);
  }

  private static ByteBuffer negativeLength() {
    return Batches.of("a").putInt(8, -5);
  }

  private static ByteBuffer changed(java.util.function.Consumer<ByteBuffer> change) {
    ByteBuffer batch = Batches.of("a", "b", "c");
    change.accept(batch);
    RecordBatch.updateCrc(batch, 0);
    return batch;
  }
}
