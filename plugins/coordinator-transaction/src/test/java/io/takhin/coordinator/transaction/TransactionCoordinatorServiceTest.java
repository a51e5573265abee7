package io.takhin.coordinator.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.InitResult;
import io.takhin.api.transaction.TransactionCoordinator.TransactionDescription;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.coordinator.CoordinatorRuntime;
import io.takhin.coordinator.Deadlines;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.transaction.MarkedPartitions.Marker;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the service does with log, metadata, markers, time and threads.
@Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TransactionCoordinatorServiceTest {
  private static final String ID = "shop";
  private static final int TIMEOUT_MS = 60_000;
  private static final TxnPartition ORDERS_0 = new TxnPartition("orders", 0);
  private static final TxnPartition ORDERS_1 = new TxnPartition("orders", 1);
  private static final TxnPartition PAYMENTS_0 = new TxnPartition("payments", 0);

  private final ServiceHarness harness = new ServiceHarness();
  private TransactionCoordinator coordinator = started();

  private TransactionCoordinator started() {
    TransactionCoordinator made = harness.start();
    assertEquals(ErrorCode.NONE, made.partitionFor(ID).join().error());
    harness.time.runDue();
    return made;
  }

  private void restart() {
    coordinator.close();
    coordinator = started();
  }

  private <T> T done(CompletableFuture<T> future) {
    harness.time.runDue();
    assertTrue(future.isDone(), "an answer is due");
    return future.join();
  }

  private InitResult init() {
    InitResult made = done(coordinator.init(ID, TIMEOUT_MS, -1, (short) -1));
    assertEquals(ErrorCode.NONE, made.error());
    return made;
  }

  private CompletableFuture<List<ErrorCode>> adding(InitResult as, TxnPartition... partitions) {
    return coordinator.addPartitions(ID, as.producerId(), as.producerEpoch(), List.of(partitions));
  }

  private List<ErrorCode> add(InitResult as, TxnPartition... partitions) {
    return done(adding(as, partitions));
  }

  private CompletableFuture<InitResult> ending(InitResult as, boolean commit, boolean bump) {
    return coordinator.end(ID, as.producerId(), as.producerEpoch(), commit, bump);
  }

  private InitResult end(InitResult as, boolean commit, boolean bump) {
    return done(ending(as, commit, bump));
  }

  private TransactionDescription describe() {
    return done(coordinator.describe(List.of(ID))).getFirst();
  }

  private Marker marker(TxnPartition at, InitResult of, int epoch, boolean commit, int version) {
    return new Marker(
        at.topic(), at.partition(), of.producerId(), (short) epoch, 0, commit, version);
  }

  @Test
  void topicIsMadeOnDemandWithKafkasSettings() {
    TopicImage topic = harness.cluster.image().topic(TransactionKind.TOPIC);
    assertNotNull(topic);
    assertEquals(50, topic.partitions().size());
    var config = harness.cluster.topicConfig(harness.cluster.image(), TransactionKind.TOPIC);
    assertEquals("compact", config.get("cleanup.policy"));
    assertEquals("1", config.get("min.insync.replicas"), "there is one broker");
    assertEquals("104857600", config.get("segment.bytes"));
  }

  @Test
  void markersCarryTheEpochOfTheGeneration() {
    InitResult producer = init();
    add(producer, ORDERS_0, PAYMENTS_0);
    end(producer, true, false);
    assertEquals(
        List.of(marker(ORDERS_0, producer, 0, true, 0), marker(PAYMENTS_0, producer, 0, true, 0)),
        List.copyOf(harness.marked.markers()));
    harness.marked.markers().clear();
    add(producer, ORDERS_1);
    InitResult next = end(producer, false, true);
    assertEquals(
        List.of(marker(ORDERS_1, producer, 1, false, 2)), List.copyOf(harness.marked.markers()));
    harness.marked.markers().clear();
    add(next, ORDERS_1);
    harness.time.advanceMs(TIMEOUT_MS + 1);
    assertEquals(
        List.of(marker(ORDERS_1, producer, 2, false, 0)), List.copyOf(harness.marked.markers()));
  }

  @Test
  void groupsGetTheirMarkerToo() {
    InitResult producer = init();
    assertEquals(
        ErrorCode.NONE,
        done(
            coordinator.addOffsets(
                ID, producer.producerId(), producer.producerEpoch(), "readers")));
    int partition = describe().partitions().getFirst().partition();
    end(producer, true, true);
    assertEquals(List.of(partition), harness.groups.markers());
    assertEquals("CompleteCommit", describe().state());
  }

  @Test
  void markersAreTriedUntilTheyAreThere() {
    InitResult producer = init();
    add(producer, ORDERS_0, ORDERS_1);
    harness.marked.answer(
        marker ->
            CompletableFuture.completedFuture(
                marker.partition() == 0 ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER));
    assertEquals(1, end(producer, true, true).producerEpoch());
    harness.time.advanceMs(30_000);
    assertEquals("PrepareCommit", describe().state());
    int attempts = harness.marked.markers().size();
    assertTrue(attempts > 20 && attempts < 60, "there were " + attempts);
    harness.marked.answer(ErrorCode.NONE);
    harness.time.advanceMs(1_000);
    assertEquals("CompleteCommit", describe().state());
    assertEquals(
        1, harness.marked.markers().stream().filter(each -> each.partition() == 0).count());
  }

  @Test
  void t50_deletedTopicHoldsNobodyUp() {
    InitResult producer = init();
    add(producer, ORDERS_0, PAYMENTS_0);
    harness.marked.answer(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    end(producer, true, true);
    harness.time.advanceMs(5_000);
    harness.partitions.deleteTopic("payments");
    harness.marked.answer(ErrorCode.NONE);
    harness.time.advanceMs(2_000);
    assertEquals("CompleteCommit", describe().state());
  }

  @Test
  void t50_logThatIsPastTheEpochNeedsNoMarker() {
    InitResult producer = init();
    add(producer, ORDERS_0);
    harness.marked.answer(ErrorCode.INVALID_PRODUCER_EPOCH);
    end(producer, false, true);
    assertEquals("CompleteAbort", describe().state());
  }

  @Test
  void decidedTransactionIsFinishedAfterARestart() {
    InitResult producer = init();
    add(producer, ORDERS_0, ORDERS_1);
    harness.marked.answer(marker -> new CompletableFuture<>());
    InitResult next = end(producer, true, true);
    assertEquals("PrepareCommit", describe().state());
    harness.marked.answer(ErrorCode.NONE);
    harness.marked.markers().clear();
    restart();
    assertEquals("CompleteCommit", describe().state());
    assertEquals(2, harness.marked.markers().size());
    assertTrue(harness.marked.markers().contains(marker(ORDERS_1, producer, 1, true, 2)));
    assertEquals(next, end(producer, true, true), "the answer was lost with the old coordinator");
    assertEquals(List.of(ErrorCode.NONE), add(next, ORDERS_0));
  }

  @Test
  void openTransactionGoesOnAfterARestartAndKeepsItsTimeout() {
    InitResult producer = init();
    add(producer, ORDERS_0);
    harness.time.advanceMs(TIMEOUT_MS - 10_000);
    restart();
    assertEquals("Ongoing", describe().state());
    assertEquals(List.of(ErrorCode.NONE), add(producer, ORDERS_1));
    harness.time.advanceMs(9_999);
    assertEquals("Ongoing", describe().state());
    harness.time.advanceMs(2);
    assertEquals("CompleteAbort", describe().state());
    assertEquals(ErrorCode.PRODUCER_FENCED, end(producer, true, true).error());
  }

  @Test
  void timeoutIsNotMovedByTheWallClock() {
    InitResult producer = init();
    add(producer, ORDERS_0);
    harness.time.jumpWallClock(io.takhin.testkit.TestTime.EPOCH.plusSeconds(86_400));
    harness.time.advanceMs(TIMEOUT_MS - 1);
    assertEquals("Ongoing", describe().state());
    harness.time.advanceMs(2);
    assertEquals("CompleteAbort", describe().state());
  }

  @Test
  void requestsWaitForMarkersInsteadOfPolling() {
    InitResult producer = init();
    add(producer, ORDERS_0);
    List<CompletableFuture<ErrorCode>> held = new ArrayList<>();
    harness.marked.answer(
        marker -> {
          CompletableFuture<ErrorCode> future = new CompletableFuture<>();
          held.add(future);
          return future;
        });
    InitResult next = end(producer, true, true);
    CompletableFuture<List<ErrorCode>> add = adding(next, ORDERS_1);
    harness.time.advanceMs(100);
    assertFalse(add.isDone());
    held.getFirst().complete(ErrorCode.NONE);
    assertEquals(List.of(ErrorCode.NONE), done(add));
    assertEquals("Ongoing", describe().state());
  }

  @Test
  void t46_requestsAreToldToComeBackWhenMarkersTakeLong() {
    InitResult producer = init();
    add(producer, ORDERS_0);
    harness.marked.answer(marker -> new CompletableFuture<>());
    CompletableFuture<InitResult> other = coordinator.init(ID, TIMEOUT_MS, -1, (short) -1);
    CompletableFuture<List<ErrorCode>> add = adding(producer, ORDERS_1);
    harness.time.advanceMs(WaitingRequests.WAIT_MS + 1);
    assertEquals(ErrorCode.CONCURRENT_TRANSACTIONS, done(other).error());
    assertTrue(add.isDone());
    assertEquals("PrepareAbort", describe().state());
    assertEquals(1, describe().producerEpoch());
    CompletableFuture<InitResult> again = coordinator.init(ID, TIMEOUT_MS, -1, (short) -1);
    harness.time.advanceMs(WaitingRequests.WAIT_MS + 1);
    assertEquals(ErrorCode.CONCURRENT_TRANSACTIONS, done(again).error());
    assertEquals(1, describe().producerEpoch(), "a repeated request fences nobody a second time");
  }

  @Test
  void t48_producerWithANewIdWaitsForTheEndOfTheOldOnesTransaction() {
    InitResult producer = init();
    for (int epoch = 0; epoch < Transaction.LAST_EPOCH; epoch++) {
      producer = ending(producer, false, true).join();
    }
    add(producer, ORDERS_0);
    List<CompletableFuture<ErrorCode>> held = new ArrayList<>();
    harness.marked.answer(
        marker -> {
          CompletableFuture<ErrorCode> future = new CompletableFuture<>();
          held.add(future);
          return future;
        });
    InitResult next = end(producer, true, true);
    assertEquals(0, next.producerEpoch());
    assertEquals(marker(ORDERS_0, producer, Short.MAX_VALUE, true, 2), lastMarker());
    CompletableFuture<List<ErrorCode>> add = adding(next, ORDERS_1);
    harness.time.runDue();
    assertFalse(add.isDone());
    held.getFirst().complete(ErrorCode.NONE);
    assertEquals(List.of(ErrorCode.NONE), done(add));
    assertEquals(next.producerId(), describe().producerId());
  }

  private Marker lastMarker() {
    return harness.marked.markers().getLast();
  }

  @Test
  void t46_initAfterTheLastEpochGivesANewProducerId() {
    InitResult producer = init();
    for (int epoch = 0; epoch < Transaction.LAST_EPOCH; epoch++) {
      producer = ending(producer, false, true).join();
    }
    long old = producer.producerId();
    InitResult next = done(coordinator.init(ID, TIMEOUT_MS, old, Transaction.LAST_EPOCH));
    assertEquals(0, next.producerEpoch());
    assertTrue(next.producerId() != old);
    assertEquals(
        next,
        done(coordinator.init(ID, TIMEOUT_MS, old, Transaction.LAST_EPOCH)),
        "the answer was lost");
  }

  @Test
  void unknownPartitionsKeepTheOthersOut() {
    InitResult producer = init();
    assertEquals(
        List.of(
            ErrorCode.OPERATION_NOT_ATTEMPTED,
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        add(producer, ORDERS_0, new TxnPartition("orders", 3), new TxnPartition("nope", 0)));
    assertEquals("Empty", describe().state());
  }

  @Test
  void partitionsThatArriveOneByOneShareARecord() {
    InitResult producer = init();
    harness.storage.holdCommits(true);
    List<CompletableFuture<List<ErrorCode>>> adds = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      adds.add(adding(producer, new TxnPartition("orders", i)));
      adds.add(adding(producer, new TxnPartition("payments", i)));
    }
    long before = stateRecords();
    harness.storage.holdCommits(false);
    harness.time.runDue();
    adds.forEach(each -> assertEquals(List.of(ErrorCode.NONE), done(each)));
    assertEquals(6, describe().partitions().size());
    assertEquals(1, stateRecords() - before, "one record for the five that waited");
  }

  private long stateRecords() {
    var topic = harness.partitions.topic(TransactionKind.TOPIC);
    assertNotNull(topic);
    var partition = topic.partition(CoordinatorRuntime.partitionFor(ID, 50));
    assertNotNull(partition);
    return partition.logEndOffset();
  }

  @Test
  void nothingIsToldBeforeItIsSafe() {
    InitResult producer = init();
    add(producer, ORDERS_0);
    harness.storage.holdCommits(true);
    CompletableFuture<InitResult> end = ending(producer, true, true);
    harness.time.runDue();
    assertFalse(end.isDone());
    assertEquals("Ongoing", describe().state());
    assertEquals(List.of(), harness.marked.markers());
    harness.storage.holdCommits(false);
    assertEquals(ErrorCode.NONE, done(end).error());
    assertEquals(1, harness.marked.markers().size());
  }

  @Test
  void t50_writeThatTimesOutMayBeRepeated() {
    InitResult producer = init();
    add(producer, ORDERS_0);
    harness.storage.holdCommits(true);
    CompletableFuture<InitResult> end = ending(producer, true, true);
    harness.time.advanceMs(5_001);
    assertEquals(ErrorCode.COORDINATOR_NOT_AVAILABLE, done(end).error());
    assertEquals(List.of(), harness.marked.markers());
    harness.storage.holdCommits(false);
    harness.time.runDue();
    assertEquals(1, end(producer, true, true).producerEpoch());
    assertEquals("CompleteCommit", describe().state());
  }

  @Test
  void unusedIdsAreForgotten() {
    InitResult producer = init();
    harness.time.advance(java.time.Duration.ofDays(6));
    assertEquals(ErrorCode.NONE, describe().error());
    harness.time.advance(java.time.Duration.ofDays(1).plusHours(2));
    assertEquals(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, describe().error());
    assertEquals(List.of(ErrorCode.INVALID_PRODUCER_ID_MAPPING), add(producer, ORDERS_0));
    restart();
    assertEquals(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, describe().error());
    assertEquals(0, init().producerEpoch());
  }

  @Test
  void requestsAreToldToWaitWhileTheLogIsRead() {
    InitResult producer = init();
    coordinator.close();
    assertEquals(ErrorCode.NOT_COORDINATOR, ending(producer, true, true).join().error());
    coordinator = new TransactionProvider().create(ServiceHarness.DEFAULTS, harness.context);
    coordinator.start();
    ErrorCode loading = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    assertEquals(loading, coordinator.init(ID, 1_000, -1, (short) -1).join().error());
    assertEquals(List.of(loading), adding(producer, ORDERS_0).join());
    assertEquals(loading, ending(producer, true, true).join().error());
    HealthCheck health = harness.context.healthChecks().getLast();
    assertEquals(HealthCheck.Status.UNHEALTHY, health.check().status());
    harness.time.runDue();
    assertEquals(HealthCheck.Status.HEALTHY, health.check().status());
    assertEquals(List.of(ErrorCode.NONE), add(producer, ORDERS_0));
  }

  @Test
  void deadlinesOfEndedTransactionsDoNotPileUp() {
    TransactionStateMachine machine =
        new TransactionStateMachine(ServiceHarness.DEFAULTS, 0, () -> 7, new TransactionCounters());
    Effects out = new Effects();
    Now now = new Now(1, 1);
    machine.init(now, ID, TIMEOUT_MS, -1, (short) -1, new CompletableFuture<>(), out);
    settle(out, now);
    for (int i = 0; i < 1_000; i++) {
      Now at = new Now(10 + i, 10 + i);
      machine.add(at, ID, 7, (short) 0, List.of(ORDERS_0), new CompletableFuture<>(), out);
      settle(out, at);
      machine.end(at, ID, 7, (short) 0, true, false, new CompletableFuture<>(), out);
      settle(out, at);
      out.takeMarkers().forEach(each -> machine.markersWritten(at, each, out));
      settle(out, at);
    }
    assertEquals(1, machine.queuedDeadlines());
    machine.expire(new Now(TIMEOUT_MS + 11, 1), out);
    assertEquals(0, machine.queuedDeadlines());
    assertEquals(Deadlines.NEVER, machine.nextDeadlineMs());
  }

  private static void settle(Effects out, Now now) {
    out.takeWrites().forEach(each -> each.then().settled(ErrorCode.NONE, now, out));
    out.takeAnswers();
  }

  @Test
  void manyThreadsGetOneAnswerEach() throws Exception {
    init();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<Integer>> futures = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        String id = "id-" + i;
        futures.add(
            threads.submit(
                () -> {
                  InitResult producer =
                      coordinator.init(id, TIMEOUT_MS, -1, (short) -1).get(5, TimeUnit.SECONDS);
                  for (int n = 0; n < 200; n++) {
                    List<ErrorCode> added =
                        coordinator
                            .addPartitions(
                                id,
                                producer.producerId(),
                                producer.producerEpoch(),
                                List.of(ORDERS_0))
                            .get(5, TimeUnit.SECONDS);
                    assertEquals(List.of(ErrorCode.NONE), added);
                    producer =
                        coordinator
                            .end(id, producer.producerId(), producer.producerEpoch(), true, true)
                            .get(5, TimeUnit.SECONDS);
                    assertEquals(ErrorCode.NONE, producer.error());
                  }
                  return (int) producer.producerEpoch();
                }));
      }
      for (Future<Integer> future : futures) {
        assertEquals(200, future.get(15, TimeUnit.SECONDS));
      }
    }
    assertEquals(1_600, harness.marked.markers().size());
  }
}
