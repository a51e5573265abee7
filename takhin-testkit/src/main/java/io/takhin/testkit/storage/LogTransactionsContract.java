package io.takhin.testkit.storage;

import static io.takhin.testkit.storage.CapturedAppend.append;
import static io.takhin.testkit.storage.CapturedAppend.appended;
import static io.takhin.testkit.storage.CapturedAppend.end;
import static io.takhin.testkit.storage.CapturedAppend.verified;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every [PartitionLog] does with transactions.
public abstract class LogTransactionsContract {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "orders", 3);

  /// Segments of a few batches: markers and their transactions lie in different ones.
  private static final LogConfig SMALL =
      new LogConfigBuilder().segmentBytes(600).indexIntervalBytes(100).build();

  private LogStorage storage;
  private PartitionLog log;

  /// For the subclass.
  @SuppressWarnings("NullAway.Init")
  protected LogTransactionsContract() {}

  /// A started storage without logs.
  protected abstract LogStorage create();

  /// A started storage that finds what `closed` left behind; `closed` is closed already.
  protected abstract LogStorage restart(LogStorage closed);

  @BeforeEach
  void open() {
    storage = create();
    log = storage.open(PARTITION, SMALL, new CapturedProgress());
  }

  @AfterEach
  void close() {
    storage.close();
  }

  private void reopen() {
    storage.close();
    storage = restart(storage);
    log = storage.open(PARTITION, SMALL, new CapturedProgress());
  }

  private long write(long producerId, int epoch, int sequence, String... values) {
    ByteBuffer batch = Batches.inTransaction(producerId, epoch, sequence, values);
    AppendResult result =
        log.transactionOpen(producerId, (short) epoch) ? append(log, batch) : verified(log, batch);
    return assertInstanceOf(Appended.class, result, result::toString).baseOffset();
  }

  private long abort(long producerId, int epoch) {
    return marker(producerId, epoch, false);
  }

  private long commit(long producerId, int epoch) {
    return marker(producerId, epoch, true);
  }

  private long marker(long producerId, int epoch, boolean commit) {
    AppendResult result = end(log, producerId, epoch, 0, commit, 0);
    long at = assertInstanceOf(Appended.class, result, result::toString).baseOffset();
    log.highWatermark(at + 1);
    return at;
  }

  private static void assertRejected(ErrorCode code, AppendResult result) {
    assertEquals(code, assertInstanceOf(Rejected.class, result, result::toString).code());
  }

  @Test
  void t32AnOpenTransactionHoldsTheStableOffsetUntilItsMarkerIsVisible() {
    assertEquals(-1, log.firstUnstableOffset());
    appended(log, Batches.of("x"));
    assertEquals(-1, log.firstUnstableOffset());
    write(9, 0, 0, "a", "b");
    write(9, 0, 2, "c");
    assertEquals(1, log.firstUnstableOffset());
    assertTrue(log.transactionOpen(9, (short) 0));
    assertFalse(log.transactionOpen(9, (short) 1));
    assertFalse(log.transactionOpen(8, (short) 0));
    log.highWatermark(4);
    AppendResult marker = end(log, 9, 0, 7, true, 0);
    assertEquals(new Appended(4, 4, -1, 0), marker);
    assertFalse(log.transactionOpen(9, (short) 0));
    assertEquals(1, log.firstUnstableOffset());
    log.highWatermark(5);
    assertEquals(-1, log.firstUnstableOffset());
    assertEquals(List.of(), log.abortedTransactions(0, 5));
    assertEquals(List.of(new ActiveProducer(9, (short) 0, 2, 2000, 7, -1)), log.activeProducers());
  }

  @Test
  void t32TheOldestOpenTransactionCountsAndEndedOnesBeforeItStillDo() {
    write(1, 0, 0, "a");
    write(2, 0, 0, "b");
    write(3, 0, 0, "c");
    commit(1, 0);
    assertEquals(1, log.firstUnstableOffset());
    commit(3, 0);
    assertEquals(1, log.firstUnstableOffset());
    abort(2, 0);
    assertEquals(-1, log.firstUnstableOffset());
    assertEquals(List.of(new AbortedTransaction(2, 1)), log.abortedTransactions(0, 6));
  }

  @Test
  void markersAreReadAsTheyWereWritten() {
    write(9, 3, 0, "a");
    end(log, 9, 3, 42, false, 0);
    try (LogSlice slice = log.reader().read(1, 2, 1000, true)) {
      assertNotNull(slice);
      assertEquals(2, slice.endOffset());
      ByteBuffer batch = Batches.bytes(slice);
      assertTrue(RecordBatch.control(batch, 0));
      assertTrue(RecordBatch.transactional(batch, 0));
      assertEquals(-1, RecordBatch.baseSequence(batch, 0));
      assertEquals(9, RecordBatch.producerId(batch, 0));
      assertEquals(3, RecordBatch.producerEpoch(batch, 0));
      assertEquals(new TransactionMarker(false, 42), TransactionMarker.read(batch, 0));
    }
  }

  @Test
  void slicesSayWhereTheyEnd() {
    appended(log, Batches.of("a", "b"));
    appended(log, Batches.of("c"));
    try (LogSlice all = log.reader().read(0, 3, 1000, true);
        LogSlice first = log.reader().read(0, 3, 1, true);
        LogSlice none = log.reader().read(3, 3, 1, true)) {
      assertNotNull(all);
      assertNotNull(first);
      assertNotNull(none);
      assertEquals(3, all.endOffset());
      assertEquals(2, first.endOffset());
      assertEquals(-1, none.endOffset());
    }
  }

  @Test
  void whatIsNotVerifiedCannotOpenATransaction() {
    ByteBuffer batch = Batches.inTransaction(9, 0, 0, "a");
    assertRejected(ErrorCode.INVALID_TXN_STATE, append(log, batch));
    assertEquals(0, log.logEndOffset());
    write(9, 0, 0, "a");
    appended(log, Batches.inTransaction(9, 0, 1, "b"));
    assertEquals(2, log.logEndOffset());
  }

  @Test
  void c6AMarkerMakesAVerificationWorthless() {
    long token = log.beginVerification(9, (short) 0);
    assertInstanceOf(Appended.class, end(log, 9, 0, 0, false, 0));
    CapturedAppend late = new CapturedAppend(Batches.inTransaction(9, 0, 0, "late"), token);
    log.append(late);
    assertRejected(ErrorCode.INVALID_TXN_STATE, late.await());
    assertEquals(-1, log.firstUnstableOffset());
    write(9, 0, 0, "a");
  }

  @Test
  void t48AMarkerWithItsOwnEpochLeavesTheNextTransactionsVerificationAlone() {
    write(9, 0, 0, "a");
    long token = log.beginVerification(9, (short) 1);
    assertInstanceOf(Appended.class, end(log, 9, 1, 0, true, 2));
    CapturedAppend next = new CapturedAppend(Batches.inTransaction(9, 1, 0, "b"), token);
    log.append(next);
    assertInstanceOf(Appended.class, next.await());
    long late = log.beginVerification(9, (short) 1);
    assertInstanceOf(Appended.class, end(log, 9, 2, 0, true, 2));
    CapturedAppend last = new CapturedAppend(Batches.inTransaction(9, 1, 1, "c"), late);
    log.append(last);
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, last.await());
  }

  @Test
  void endedVerificationsAndThoseOfOthersAreWorthNothing() {
    long ended = log.beginVerification(9, (short) 0);
    log.endVerification(9, ended);
    CapturedAppend first = new CapturedAppend(Batches.inTransaction(9, 0, 0, "a"), ended);
    log.append(first);
    assertRejected(ErrorCode.INVALID_TXN_STATE, first.await());
    long others = log.beginVerification(8, (short) 0);
    CapturedAppend second = new CapturedAppend(Batches.inTransaction(9, 0, 0, "a"), others);
    log.append(second);
    assertRejected(ErrorCode.INVALID_TXN_STATE, second.await());
  }

  @Test
  void t47ALaterBatchDoesNotBeginATransactionBeforeOneThatFailed() {
    long token = log.beginVerification(9, (short) 0);
    CapturedAppend later = CapturedAppend.beginning(Batches.inTransaction(9, 0, 1, "b"), token, 0);
    log.append(later);
    assertRejected(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, later.await());
    CapturedAppend first = CapturedAppend.beginning(Batches.inTransaction(9, 0, 0, "a"), token, 0);
    log.append(first);
    assertInstanceOf(Appended.class, first.await());
    // What goes on with a transaction is held to the sequence before it alone.
    CapturedAppend next = CapturedAppend.beginning(Batches.inTransaction(9, 0, 1, "b"), 0, 0);
    log.append(next);
    assertInstanceOf(Appended.class, next.await());
    CapturedAppend again = CapturedAppend.beginning(Batches.inTransaction(9, 0, 1, "b"), 0, 0);
    log.append(again);
    assertInstanceOf(Duplicate.class, again.await());
  }

  @Test
  void batchesOutsideOfTheOpenTransactionAreRefused() {
    write(9, 0, 0, "a");
    assertRejected(ErrorCode.INVALID_TXN_STATE, append(log, Batches.from(9, 0, 1, "b")));
    commit(9, 0);
    appended(log, Batches.from(9, 0, 1, "b"));
  }

  @Test
  void t46OldEpochsAreFencedByMarkers() {
    write(9, 0, 0, "a");
    abort(9, 1);
    assertRejected(
        ErrorCode.INVALID_PRODUCER_EPOCH, verified(log, Batches.inTransaction(9, 0, 1, "b")));
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, end(log, 9, 0, 0, true, 0));
    assertRejected(
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        verified(log, Batches.inTransaction(9, 1, 1, "gap")));
    write(9, 1, 0, "b");
    commit(9, 1);
  }

  @Test
  void t50MarkersOfOlderCoordinatorsAreFenced() {
    write(9, 0, 0, "a");
    assertInstanceOf(Appended.class, end(log, 9, 0, 5, true, 0));
    write(9, 0, 1, "b");
    assertRejected(ErrorCode.TRANSACTION_COORDINATOR_FENCED, end(log, 9, 0, 4, false, 0));
    assertTrue(log.transactionOpen(9, (short) 0));
    assertInstanceOf(Appended.class, end(log, 9, 0, 5, true, 0));
  }

  @Test
  void t48MarkersOfTheSecondGenerationMustHaveANewEpoch() {
    write(9, 0, 0, "a");
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, end(log, 9, 0, 0, true, 2));
    assertInstanceOf(Appended.class, end(log, 9, 1, 0, true, 2));
    // Sent again before the next transaction: nothing to end.
    assertInstanceOf(Appended.class, end(log, 9, 1, 0, true, 2));
    write(9, 1, 0, "b");
    // Sent again too late: it must not end the next one (KAFKA-17754).
    assertRejected(ErrorCode.INVALID_PRODUCER_EPOCH, end(log, 9, 1, 0, true, 2));
    assertTrue(log.transactionOpen(9, (short) 1));
    assertInstanceOf(Appended.class, end(log, 9, 2, 0, false, 2));
  }

  @Test
  void c7TheLastEpochOfAllEndsItsOwnTransactions() {
    write(9, Short.MAX_VALUE, 0, "a");
    assertInstanceOf(Appended.class, end(log, 9, Short.MAX_VALUE, 0, true, 2));
    assertFalse(log.transactionOpen(9, Short.MAX_VALUE));
  }

  @Test
  void coordinatorsWriteDataOfTransactionsWithoutSequences() {
    ByteBuffer pending =
        new RecordBatchBuilder()
            .producer(9, (short) 1, -1)
            .attributes(0x10)
            .add(1, new byte[1], null)
            .build();
    assertInstanceOf(Appended.class, append(log, pending.duplicate(), 0, Origin.COORDINATOR));
    assertInstanceOf(Appended.class, append(log, pending.duplicate(), 0, Origin.COORDINATOR));
    assertEquals(0, log.firstUnstableOffset());
    commit(9, 1);
    assertEquals(-1, log.firstUnstableOffset());
    abort(9, 2);
    assertRejected(
        ErrorCode.INVALID_PRODUCER_EPOCH, append(log, pending.duplicate(), 0, Origin.COORDINATOR));
  }

  @Test
  void t47DuplicatesInATransactionAreRecognised() {
    write(9, 0, 0, "a");
    assertInstanceOf(Duplicate.class, append(log, Batches.inTransaction(9, 0, 0, "a")));
    commit(9, 0);
    assertInstanceOf(Duplicate.class, verified(log, Batches.inTransaction(9, 0, 0, "a")));
    assertEquals(-1, log.firstUnstableOffset());
  }

  @Test
  void openTransactionsSurviveARestart() {
    appended(log, Batches.of("x"));
    write(9, 4, 0, "a");
    write(8, 0, 0, "b");
    abort(8, 0);
    reopen();
    assertEquals(1, log.firstUnstableOffset());
    assertTrue(log.transactionOpen(9, (short) 4));
    assertEquals(
        List.of(
            new ActiveProducer(8, (short) 0, 0, 2000, 0, -1),
            new ActiveProducer(9, (short) 4, 0, 1000, -1, 1)),
        log.activeProducers().stream()
            .sorted(java.util.Comparator.comparingLong(ActiveProducer::producerId))
            .toList());
    assertEquals(List.of(new AbortedTransaction(8, 2)), log.abortedTransactions(0, 4));
    appended(log, Batches.inTransaction(9, 4, 1, "c"));
    abort(9, 4);
    assertEquals(
        List.of(new AbortedTransaction(9, 1), new AbortedTransaction(8, 2)),
        log.abortedTransactions(0, 9));
  }

  @Test
  void truncationOpensATransactionAgainWhoseMarkerIsGone() {
    write(9, 0, 0, "a");
    long marker = abort(9, 0);
    assertEquals(1, log.abortedTransactions(0, 2).size());
    log.truncateTo(marker);
    assertEquals(0, log.firstUnstableOffset());
    assertTrue(log.transactionOpen(9, (short) 0));
    assertEquals(List.of(), log.abortedTransactions(0, 2));
    commit(9, 0);
    assertEquals(List.of(), log.abortedTransactions(0, 2));
    log.truncateFullyAndStartAt(100);
    assertEquals(-1, log.firstUnstableOffset());
    assertEquals(List.of(), log.abortedTransactions(100, 101));
  }

  @Test
  void theFirstUnstableOffsetIsNotBelowTheLogStart() {
    write(9, 0, 0, "a");
    appended(log, Batches.of("x"));
    log.highWatermark(2);
    log.deleteRecordsBefore(1);
    assertEquals(1, log.firstUnstableOffset());
  }

  /// Against a list of all transactions: ranges of all kinds, over segment borders, after restarts
  /// and truncations.
  @Test
  void t32AbortedTransactionsOfEveryRange() {
    for (int seed = 0; seed < 6; seed++) {
      storage.close();
      storage = create();
      log = storage.open(PARTITION, SMALL, new CapturedProgress());
      everyRange(new Random(seed), seed);
    }
  }

  private void everyRange(Random random, int seed) {
    Map<Long, Long> open = new HashMap<>();
    Map<Long, Integer> sequences = new HashMap<>();
    // producer, first, marker
    List<long[]> aborted = new ArrayList<>();
    for (int step = 0; step < 120; step++) {
      long id = random.nextInt(4);
      int kind = random.nextInt(40) == 0 ? 17 : random.nextInt(17);
      if (kind < 10) {
        int sequence = sequences.merge(id, 1, Integer::sum) - 1;
        long at = write(id, 0, sequence, "x".repeat(random.nextInt(60)));
        open.putIfAbsent(id, at);
      } else if (kind < 16 && open.containsKey(id)) {
        boolean commits = random.nextBoolean();
        long at = marker(id, 0, commits);
        long first = open.remove(id);
        if (!commits) {
          aborted.add(new long[] {id, first, at});
        }
      } else if (kind < 17) {
        appended(log, Batches.of("not in a transaction"));
      } else if (kind == 17) {
        reopen();
      }
      long first = open.values().stream().min(Long::compare).orElse(-1L);
      assertEquals(first, log.firstUnstableOffset(), "seed " + seed + " step " + step);
    }
    long end = log.logEndOffset();
    for (long from = 0; from < end; from += 1 + random.nextInt(5)) {
      for (long until = from + 1; until <= end; until += 1 + random.nextInt(5)) {
        long low = from;
        long high = until;
        List<AbortedTransaction> expected =
            aborted.stream()
                .filter(each -> each[1] < high && each[2] >= low)
                .sorted(java.util.Comparator.comparingLong((long[] each) -> each[1]))
                .map(each -> new AbortedTransaction(each[0], each[1]))
                .toList();
        assertEquals(
            expected,
            log.abortedTransactions(from, until),
            "seed " + seed + ": " + from + " to " + until);
      }
    }
  }
}
