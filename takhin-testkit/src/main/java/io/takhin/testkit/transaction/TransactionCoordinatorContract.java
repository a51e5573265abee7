package io.takhin.testkit.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.InitResult;
import io.takhin.api.transaction.TransactionCoordinator.ListedTransaction;
import io.takhin.api.transaction.TransactionCoordinator.ListedTransactions;
import io.takhin.api.transaction.TransactionCoordinator.TransactionDescription;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What every transaction coordinator does, as producers see it. T-numbers name the compatibility
/// traps that a test guards.
///
/// An implementation is started with Kafka's defaults, topics `orders` and `payments` of three
/// partitions each, and partitions that take every marker. Time moves by [#advanceMs] alone.
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class TransactionCoordinatorContract {
  /// What tests ask for unless they say otherwise.
  protected static final int TIMEOUT_MS = 60_000;

  /// The id that tests use unless they say otherwise.
  protected static final String ID = "shop";

  private static final short LAST_EPOCH = Short.MAX_VALUE - 1;
  private static final TxnPartition ORDERS_0 = new TxnPartition("orders", 0);
  private static final TxnPartition ORDERS_1 = new TxnPartition("orders", 1);

  /// What the test acts on.
  protected TransactionCoordinator coordinator;

  /// For implementations.
  protected TransactionCoordinatorContract() {}

  /// A coordinator that is started and in charge of every id, without any.
  protected abstract TransactionCoordinator start();

  /// Moves the time on and does what falls due.
  protected abstract void advanceMs(long ms);

  @BeforeEach
  void setUp() {
    coordinator = start();
    assertEquals(ErrorCode.NONE, coordinator.partitionFor(ID).join().error());
    advanceMs(0);
  }

  private <T> T done(CompletableFuture<T> future) {
    advanceMs(0);
    assertTrue(future.isDone(), "an answer is due");
    return future.join();
  }

  private InitResult init() {
    return init(-1, (short) -1);
  }

  private InitResult init(long producerId, int epoch) {
    return done(coordinator.init(ID, TIMEOUT_MS, producerId, (short) epoch));
  }

  private InitResult ready() {
    InitResult producer = init();
    assertEquals(ErrorCode.NONE, producer.error());
    return producer;
  }

  private ErrorCode add(InitResult producer, TxnPartition... partitions) {
    List<ErrorCode> errors =
        done(
            coordinator.addPartitions(
                ID, producer.producerId(), producer.producerEpoch(), List.of(partitions)));
    assertEquals(partitions.length, errors.size());
    return errors.getFirst();
  }

  private List<ErrorCode> verify(InitResult producer, TxnPartition... partitions) {
    return done(
        coordinator.verify(
            ID, producer.producerId(), producer.producerEpoch(), List.of(partitions)));
  }

  private InitResult end(InitResult producer, boolean commit, boolean bump) {
    return done(coordinator.end(ID, producer.producerId(), producer.producerEpoch(), commit, bump));
  }

  private TransactionDescription describe() {
    return done(coordinator.describe(List.of(ID))).getFirst();
  }

  private InitResult at(InitResult producer, int epoch) {
    return new InitResult(ErrorCode.NONE, producer.producerId(), (short) epoch);
  }

  private void assertFenced(InitResult result) {
    assertEquals(new InitResult(ErrorCode.PRODUCER_FENCED, -1, (short) -1), result);
  }

  @Test
  void t46_firstProducerBeginsAtEpochZeroAndEachNewOneFencesTheOneBefore() {
    InitResult first = ready();
    assertEquals(0, first.producerEpoch());
    InitResult second = ready();
    assertEquals(at(first, 1), second);
    assertEquals(ErrorCode.PRODUCER_FENCED, add(first, ORDERS_0));
    assertEquals(ErrorCode.NONE, add(second, ORDERS_0));
    assertFenced(end(first, true, false));
    assertEquals(ErrorCode.NONE, end(second, true, false).error());
  }

  @Test
  void t46_timeoutAboveTheLimitIsRefused() {
    for (int timeoutMs : new int[] {900_001, 0, -1}) {
      assertEquals(
          ErrorCode.INVALID_TRANSACTION_TIMEOUT,
          done(coordinator.init(ID, timeoutMs, -1, (short) -1)).error());
    }
    assertEquals(ErrorCode.NONE, done(coordinator.init(ID, 900_000, -1, (short) -1)).error());
  }

  @Test
  void emptyIdIsRefused() {
    assertEquals(
        ErrorCode.INVALID_REQUEST, done(coordinator.init("", 1_000, -1, (short) -1)).error());
  }

  @Test
  void t46_producerRecoversByItsOwnEpochAndMayRepeatTheRequest() {
    InitResult first = ready();
    InitResult second = init(first.producerId(), 0);
    assertEquals(at(first, 1), second);
    assertEquals(at(first, 1), init(first.producerId(), 0), "the answer was lost (KIP-360)");
    assertEquals(at(first, 2), init(first.producerId(), 1));
    assertFenced(init(first.producerId(), 0));
    assertFenced(init(first.producerId() + 1_000, 2));
  }

  @Test
  void t46_newProducerEndsTheTripOfOldEpochs() {
    InitResult first = ready();
    init(first.producerId(), 0);
    ready();
    assertFenced(init(first.producerId(), 1));
  }

  @Test
  void newProducerAbortsWhatTheOldOneLeftOpen() {
    InitResult old = ready();
    add(old, ORDERS_0);
    InitResult fresh = ready();
    assertEquals(at(old, 2), fresh, "the epoch in between is that of the fence");
    assertEquals("Empty", describe().state());
    assertFenced(end(old, true, false));
    assertFenced(end(old, true, true));
    assertFenced(end(old, false, true));
    assertEquals(ErrorCode.PRODUCER_FENCED, verify(old, ORDERS_0).getFirst());
  }

  @Test
  void transactionIsOpenFromTheFirstPartitionToTheEnd() {
    InitResult producer = ready();
    assertEquals("Empty", describe().state());
    assertEquals(-1, describe().startTimeMs());
    assertEquals(ErrorCode.NONE, add(producer, ORDERS_0));
    assertEquals(ErrorCode.NONE, add(producer, ORDERS_1, ORDERS_0));
    TransactionDescription open = describe();
    assertEquals("Ongoing", open.state());
    assertEquals(Set.of(ORDERS_0, ORDERS_1), Set.copyOf(open.partitions()));
    assertTrue(open.startTimeMs() > 0);
    assertEquals(TIMEOUT_MS, open.timeoutMs());
    assertEquals(producer, end(producer, true, false));
    TransactionDescription ended = describe();
    assertEquals("CompleteCommit", ended.state());
    assertEquals(List.of(), ended.partitions());
    assertEquals(-1, ended.startTimeMs());
  }

  @Test
  void classicEndMayBeRepeatedButNotTurnedAround() {
    InitResult producer = ready();
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(producer, true, false).error());
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(producer, false, false).error());
    add(producer, ORDERS_0);
    assertEquals(producer, end(producer, true, false));
    assertEquals(producer, end(producer, true, false));
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(producer, false, false).error());
    add(producer, ORDERS_0);
    assertEquals(producer, end(producer, false, false));
    assertEquals("CompleteAbort", describe().state());
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(producer, true, false).error());
  }

  @Test
  void t48_endGivesANewEpochAndARepetitionTheSame() {
    InitResult producer = ready();
    add(producer, ORDERS_0);
    assertEquals(at(producer, 1), end(producer, true, true));
    assertEquals(at(producer, 1), end(producer, true, true), "the answer was lost");
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(producer, false, true).error());
    assertEquals(ErrorCode.PRODUCER_FENCED, add(producer, ORDERS_0));
    assertEquals(ErrorCode.NONE, add(at(producer, 1), ORDERS_0));
    assertFenced(end(producer, true, true));
    assertEquals(at(producer, 2), end(at(producer, 1), false, true));
    assertEquals("CompleteAbort", describe().state());
    assertEquals(at(producer, 2), end(at(producer, 1), false, true));
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(at(producer, 1), true, true).error());
  }

  @Test
  void t48_abortWithoutPartitionsGivesANewEpochAndCommitIsRefused() {
    InitResult producer = ready();
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(producer, true, true).error());
    assertEquals(at(producer, 1), end(producer, false, true));
    assertEquals("CompleteAbort", describe().state());
    assertEquals(at(producer, 2), end(at(producer, 1), false, true));
    assertEquals(ErrorCode.INVALID_TXN_STATE, end(at(producer, 2), true, true).error());
  }

  @Test
  void t48_lastEpochIsFollowedByANewProducerId() {
    InitResult producer = ready();
    for (int epoch = 0; epoch < LAST_EPOCH; epoch++) {
      producer = end(producer, false, true);
      assertEquals(ErrorCode.NONE, producer.error());
    }
    assertEquals(LAST_EPOCH, producer.producerEpoch());
    add(producer, ORDERS_0);
    InitResult next = end(producer, true, true);
    assertEquals(ErrorCode.NONE, next.error());
    assertEquals(0, next.producerEpoch());
    assertNotEquals(producer.producerId(), next.producerId());
    assertEquals(next, end(producer, true, true), "the answer was lost");
    assertEquals("CompleteCommit", describe().state());
    assertEquals(ErrorCode.INVALID_PRODUCER_ID_MAPPING, add(producer, ORDERS_0));
    assertEquals(ErrorCode.NONE, add(next, ORDERS_0));
    assertEquals(ErrorCode.NONE, end(next, true, true).error());
  }

  @Test
  void t50_transactionThatTakesTooLongIsAbortedAndItsProducerFenced() {
    InitResult producer = ready();
    add(producer, ORDERS_0);
    advanceMs(TIMEOUT_MS - 1);
    assertEquals("Ongoing", describe().state());
    advanceMs(2);
    assertEquals("CompleteAbort", describe().state());
    assertFenced(end(producer, true, true));
    assertFenced(end(producer, true, false));
    assertEquals(ErrorCode.PRODUCER_FENCED, add(producer, ORDERS_0));
    assertEquals(at(producer, 2), ready());
  }

  @Test
  void timeoutBelongsToOneTransaction() {
    InitResult producer = ready();
    add(producer, ORDERS_0);
    advanceMs(TIMEOUT_MS - 10);
    end(producer, true, false);
    add(producer, ORDERS_0);
    advanceMs(TIMEOUT_MS - 10);
    assertEquals("Ongoing", describe().state());
    advanceMs(20);
    assertEquals("CompleteAbort", describe().state());
  }

  @Test
  void t49_verificationKnowsThePartitionsOfTheOpenTransaction() {
    InitResult producer = ready();
    assertEquals(List.of(ErrorCode.TRANSACTION_ABORTABLE), verify(producer, ORDERS_0));
    add(producer, ORDERS_0);
    assertEquals(
        List.of(ErrorCode.NONE, ErrorCode.TRANSACTION_ABORTABLE),
        verify(producer, ORDERS_0, ORDERS_1));
    end(producer, true, false);
    assertEquals(List.of(ErrorCode.TRANSACTION_ABORTABLE), verify(producer, ORDERS_0));
    assertEquals(List.of(ErrorCode.PRODUCER_FENCED), verify(at(producer, 5), ORDERS_0));
  }

  @Test
  void whoIsNotKnownHasNoTransaction() {
    InitResult nobody = new InitResult(ErrorCode.NONE, 77, (short) 0);
    assertEquals(ErrorCode.INVALID_PRODUCER_ID_MAPPING, add(nobody, ORDERS_0));
    assertEquals(List.of(ErrorCode.INVALID_PRODUCER_ID_MAPPING), verify(nobody, ORDERS_0));
    assertEquals(ErrorCode.INVALID_PRODUCER_ID_MAPPING, end(nobody, true, true).error());
    assertEquals(
        ErrorCode.INVALID_PRODUCER_ID_MAPPING,
        done(coordinator.addOffsets(ID, 77, (short) 0, "g")));
    assertEquals(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, describe().error());
    InitResult producer = ready();
    InitResult other =
        new InitResult(ErrorCode.NONE, producer.producerId() + 9, producer.producerEpoch());
    assertEquals(ErrorCode.INVALID_PRODUCER_ID_MAPPING, add(other, ORDERS_0));
  }

  @Test
  void offsetsOfAGroupOpenTheTransactionToo() {
    InitResult producer = ready();
    assertEquals(
        ErrorCode.NONE,
        done(
            coordinator.addOffsets(
                ID, producer.producerId(), producer.producerEpoch(), "readers")));
    TransactionDescription open = describe();
    assertEquals("Ongoing", open.state());
    assertEquals("__consumer_offsets", open.partitions().getFirst().topic());
    assertEquals(at(producer, 1), end(producer, true, true));
  }

  @Test
  void listsByStateProducerDurationAndName() {
    InitResult producer = ready();
    done(coordinator.init("other", TIMEOUT_MS, -1, (short) -1));
    add(producer, ORDERS_0);
    advanceMs(5_000);
    ListedTransaction open = new ListedTransaction(ID, producer.producerId(), "Ongoing");
    assertEquals(2, coordinator.list(Set.of(), Set.of(), -1, null).transactions().size());
    assertEquals(
        List.of(open), coordinator.list(Set.of("Ongoing"), Set.of(), -1, null).transactions());
    assertEquals(
        List.of(open),
        coordinator.list(Set.of(), Set.of(producer.producerId()), -1, null).transactions());
    assertEquals(List.of(open), coordinator.list(Set.of(), Set.of(), 4_999, null).transactions());
    assertEquals(List.of(), coordinator.list(Set.of(), Set.of(), 5_000, null).transactions());
    assertEquals(List.of(open), coordinator.list(Set.of(), Set.of(), -1, "sh.*").transactions());
    assertEquals(
        ErrorCode.INVALID_REGULAR_EXPRESSION,
        coordinator.list(Set.of(), Set.of(), -1, "(").error());
    ListedTransactions unknown = coordinator.list(Set.of("Open", "Dead"), Set.of(), -1, null);
    assertEquals(List.of("Open"), unknown.unknownStates());
    assertEquals(List.of(), unknown.transactions());
  }

  @Test
  void idsHashAsInKafka() {
    int partition = coordinator.partitionFor(ID).join().partition();
    assertEquals(Math.abs(ID.hashCode()) % 50, partition);
  }
}
