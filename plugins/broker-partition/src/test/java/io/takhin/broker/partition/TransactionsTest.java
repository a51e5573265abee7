package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.partition.CountingWatcher;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Transactions in a partition, with a coordinator whose answers the test gives.
class TransactionsTest {
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final InMemoryLogStorage storage = new InMemoryLogStorage();
  private final TestContext context =
      TestContext.simulated()
          .service(Cluster.class, cluster)
          .service(LogStorage.class, storage)
          .build();
  private final PartitionService service = new LocalPartitions(context);
  private final List<String> asked = new ArrayList<>();
  private final Queue<CompletableFuture<List<ErrorCode>>> answers = new ArrayDeque<>();

  @SuppressWarnings("NullAway.Init")
  private Partition partition;

  /// A produce that keeps its outcome.
  private static final class Produce extends PartitionAppend {
    private final boolean joins;
    private final @Nullable String transactionalId;
    @Nullable ErrorCode error;

    Produce(ByteBuffer records, @Nullable String transactionalId, boolean joins) {
      super(records, (short) -1, 1000, Origin.CLIENT);
      this.transactionalId = transactionalId;
      this.joins = joins;
    }

    @Override
    public @Nullable String transactionalId() {
      return transactionalId;
    }

    @Override
    public boolean joinsTransaction() {
      return joins;
    }

    @Override
    public void done(
        ErrorCode code, long baseOffset, long timeMs, long start, @Nullable String message) {
      assertEquals(null, error);
      error = code;
    }
  }

  @BeforeEach
  void start() {
    cluster.createTopic("t", 1);
    service.start();
    Topic topic = service.topic("t");
    assertNotNull(topic);
    Partition found = topic.partition(0);
    assertNotNull(found);
    partition = found;
    context.provide(
        TransactionCoordinator.class,
        (TransactionCoordinator)
            Proxy.newProxyInstance(
                TransactionCoordinator.class.getClassLoader(),
                new Class<?>[] {TransactionCoordinator.class},
                (proxy, method, args) -> {
                  asked.add(method.getName() + List.of(args));
                  CompletableFuture<List<ErrorCode>> answer = new CompletableFuture<>();
                  answers.add(answer);
                  return answer;
                }));
  }

  @AfterEach
  void close() {
    service.close();
    context.close();
  }

  private Produce produce(int epoch, int sequence, String value) {
    Produce produce = new Produce(Batches.inTransaction(9, epoch, sequence, value), "mine", false);
    partition.append(produce);
    return produce;
  }

  private void answer(ErrorCode error) {
    CompletableFuture<List<ErrorCode>> next = answers.remove();
    next.complete(List.of(error));
  }

  private List<String> read(long offset, Isolation isolation) {
    PartitionRead read = partition.reader().read(offset, -1, -1, 1 << 20, true, isolation);
    assertEquals(ErrorCode.NONE, read.error());
    try (LogSlice slice = read.records()) {
      return slice == null ? List.of() : Batches.show(Batches.bytes(slice));
    }
  }

  @Test
  void theFirstWriteOfATransactionIsVerifiedAndLaterOnesAreNot() {
    Produce first = produce(0, 0, "a");
    assertEquals(null, first.error);
    assertEquals(0, partition.logEndOffset());
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, first.error);
    assertTrue(partition.transactionOpen(9, (short) 0));
    assertEquals(ErrorCode.NONE, produce(0, 1, "b").error);
    assertEquals(List.of("verify[mine, 9, 0, [TxnPartition[topic=t, partition=0]]]"), asked);
  }

  @Test
  void whatComesBehindAnUnverifiedBatchKeepsItsPlace() {
    Produce first = produce(0, 0, "a");
    Produce second = produce(0, 1, "b");
    Produce third = produce(0, 2, "c");
    Produce other = new Produce(Batches.of("x"), null, false);
    partition.append(other);
    assertEquals(ErrorCode.NONE, other.error);
    assertEquals(1, asked.size());
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, first.error);
    assertEquals(ErrorCode.NONE, second.error);
    assertEquals(ErrorCode.NONE, third.error);
    assertEquals(List.of("0=x", "1=a", "2=b", "3=c"), read(0, Isolation.READ_UNCOMMITTED));
    assertEquals(1, asked.size());
  }

  @Test
  void aRefusalIsForAllOfTheEpochAndTheNextEpochIsAskedFor() {
    Produce first = produce(0, 0, "a");
    Produce second = produce(0, 1, "b");
    Produce newer = produce(1, 0, "c");
    answer(ErrorCode.TRANSACTION_ABORTABLE);
    assertEquals(ErrorCode.TRANSACTION_ABORTABLE, first.error);
    assertEquals(ErrorCode.TRANSACTION_ABORTABLE, second.error);
    assertEquals(null, newer.error);
    assertEquals(2, asked.size());
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, newer.error);
    assertEquals(1, partition.logEndOffset());
  }

  @Test
  void t46CoordinatorsErrorsBecomeThoseOfProduce() {
    check(ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH);
    check(ErrorCode.INVALID_PRODUCER_ID_MAPPING, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    check(ErrorCode.NOT_COORDINATOR, ErrorCode.NOT_ENOUGH_REPLICAS);
    check(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_ENOUGH_REPLICAS);
    check(ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NOT_ENOUGH_REPLICAS);
    assertEquals(0, partition.logEndOffset());
  }

  private void check(ErrorCode coordinators, ErrorCode expected) {
    Produce produce = produce(0, 0, "a");
    answer(coordinators);
    assertEquals(expected, produce.error);
  }

  @Test
  void t48WritesThatJoinAreAddedAndWaitForTheLastTransactionsMarkers() {
    Produce joining = new Produce(Batches.inTransaction(9, 0, 0, "a"), "mine", true);
    partition.append(joining);
    assertEquals(List.of("addPartitions[mine, 9, 0, [TxnPartition[topic=t, partition=0]]]"), asked);
    answer(ErrorCode.CONCURRENT_TRANSACTIONS);
    assertEquals(null, joining.error);
    context.time().advance(Duration.ofMillis(5));
    assertEquals(2, asked.size());
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, joining.error);
    Produce late = new Produce(Batches.inTransaction(8, 0, 0, "a"), "other", true);
    partition.append(late);
    context.time().advance(Duration.ofMillis(200));
    answer(ErrorCode.CONCURRENT_TRANSACTIONS);
    assertEquals(ErrorCode.CONCURRENT_TRANSACTIONS, late.error);
  }

  @Test
  void c6AMarkerBetweenAnswerAndQuestionKeepsTheBatchOut() {
    Produce late = produce(0, 0, "a");
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 0, 0, false, 0).join());
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.INVALID_TXN_STATE, late.error);
    assertFalse(partition.transactionOpen(9, (short) 0));
    assertEquals(1, partition.lastStableOffset());
  }

  @Test
  void t47ALaterBatchDoesNotBeginTheTransactionBeforeOneThatFailed() {
    produce(0, 0, "a");
    answer(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    Produce later = produce(0, 1, "b");
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, later.error);
    Produce first = produce(0, 0, "a");
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, first.error);
    assertEquals(ErrorCode.NONE, produce(0, 1, "b").error);
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 0, 0, true, 0).join());
    assertEquals(List.of("0=a", "1=b"), read(0, Isolation.READ_COMMITTED).subList(0, 2));
  }

  @Test
  void t47WhatFailedInOneTransactionIsForgottenWithItsMarker() {
    produce(0, 0, "a");
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, produce(0, 1, "b").error);
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 0, 0, true, 0).join());
    Produce again = produce(0, 1, "b");
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, again.error);
    // It was there already, so nothing of this transaction is: as in Kafka it goes no further.
    Produce next = produce(0, 2, "c");
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, next.error);
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 0, 0, false, 0).join());
    next = produce(0, 2, "c");
    answer(ErrorCode.NONE);
    assertEquals(ErrorCode.NONE, next.error);
  }

  @Test
  void aTransactionalBatchNeedsATransactionalId() {
    Produce produce = new Produce(Batches.inTransaction(9, 0, 0, "a"), null, false);
    partition.append(produce);
    assertEquals(ErrorCode.INVALID_TXN_STATE, produce.error);
  }

  @Test
  void t32CommittedReadersStopAtTheStableOffsetAndKnowWhatWasAborted() {
    produce(0, 0, "a");
    answer(ErrorCode.NONE);
    produce(0, 1, "b");
    assertEquals(0, partition.lastStableOffset());
    assertEquals(2, partition.highWatermark());
    assertEquals(List.of(), read(0, Isolation.READ_COMMITTED));
    assertEquals(List.of("0=a", "1=b"), read(0, Isolation.READ_UNCOMMITTED));
    assertEquals(0, partition.lookup(-1, Isolation.READ_COMMITTED, -1).offset());
    assertEquals(2, partition.lookup(-1, Isolation.READ_UNCOMMITTED, -1).offset());
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 0, 3, false, 0).join());
    assertEquals(3, partition.lastStableOffset());
    PartitionRead read =
        partition.reader().read(0, -1, -1, 1 << 20, true, Isolation.READ_COMMITTED);
    assertEquals(List.of(new AbortedTransaction(9, 0)), read.aborted());
    LogSlice records = read.records();
    assertNotNull(records);
    assertEquals(3, records.endOffset());
    records.close();
    read = partition.reader().read(0, -1, -1, 1 << 20, true, Isolation.READ_UNCOMMITTED);
    assertEquals(List.of(), read.aborted());
    assertEquals(3, partition.activeProducers().getFirst().coordinatorEpoch());
  }

  @Test
  void t28WhoWaitsForManyBytesIsToldOfThemWhenTheTransactionEnds() {
    CountingWatcher watcher = new CountingWatcher();
    produce(0, 0, "x".repeat(5000));
    answer(ErrorCode.NONE);
    partition.watch(watcher);
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 0, 0, true, 0).join());
    assertTrue(watcher.bytes() > 5000, () -> "told of " + watcher.bytes());
    long told = watcher.bytes();
    partition.append(new Produce(Batches.of("y"), null, false));
    assertTrue(watcher.bytes() < told + 200);
    partition.unwatch(watcher);
  }

  @Test
  void markersNeedALeaderAndMayBeWrittenTwice() {
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 4, 0, true, 2).join());
    assertEquals(ErrorCode.NONE, partition.endTransaction(9, (short) 4, 0, true, 2).join());
    assertEquals(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        partition.endTransaction(9, (short) 3, 0, true, 0).join());
    Partition gone = partition;
    service.close();
    assertEquals(
        ErrorCode.NOT_LEADER_OR_FOLLOWER, gone.endTransaction(9, (short) 5, 0, true, 0).join());
  }
}
