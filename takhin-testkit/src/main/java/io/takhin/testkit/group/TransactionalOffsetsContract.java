package io.takhin.testkit.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What every group coordinator does with offsets of transactions (KIP-98, KIP-447).
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class TransactionalOffsetsContract {
  private static final long PRODUCER = 7;

  /// What the test acts on.
  protected GroupCoordinator coordinator;

  /// The group that tests use.
  protected GroupScript group;

  private int partition;

  /// For implementations.
  protected TransactionalOffsetsContract() {}

  /// A coordinator that is started and in charge of every group, without any.
  protected abstract GroupCoordinator start();

  /// Moves the time on and does what falls due.
  protected abstract void advanceMs(long ms);

  @BeforeEach
  void setUp() {
    coordinator = start();
    group = new GroupScript(coordinator, "payments");
    partition = coordinator.partitionFor("payments").join().partition();
  }

  private ErrorCode commit(long producerId, int generation, String memberId, long offset) {
    return commit(producerId, generation, memberId, offset, "");
  }

  private ErrorCode commit(
      long producerId, int generation, String memberId, long offset, String metadata) {
    OffsetToCommit one = new OffsetToCommit(null, "orders", 0, offset, 1, metadata);
    return coordinator
        .commitTransactionalOffsets(
            new TxnCommitRequest(
                "t", "payments", producerId, (short) 0, generation, memberId, null, List.of(one)))
        .join()
        .getFirst();
  }

  private ErrorCode commit(long offset) {
    return commit(PRODUCER, -1, "", offset);
  }

  private ErrorCode end(boolean commit) {
    return end(PRODUCER, commit);
  }

  private ErrorCode end(long producerId, boolean commit) {
    return coordinator.endTransaction(partition, producerId, (short) 0, 0, commit, 0).join();
  }

  private FetchedOffset fetch(boolean requireStable) {
    return coordinator
        .fetchOffsets("payments", List.of(new OffsetKey("orders", 0)), requireStable)
        .join()
        .offsets()
        .getFirst();
  }

  @Test
  void anOffsetIsTrueFromTheCommitMarkerOn() {
    assertEquals(ErrorCode.NONE, commit(42));
    assertEquals(-1, fetch(false).offset());
    assertEquals(ErrorCode.UNSTABLE_OFFSET_COMMIT, fetch(true).error());
    assertEquals(ErrorCode.NONE, end(true));
    assertEquals(42, fetch(true).offset());
  }

  @Test
  void anAbortedOffsetNeverWas() {
    group.commitSimple("orders", 0, 5);
    assertEquals(ErrorCode.NONE, commit(42));
    assertEquals(5, fetch(false).offset());
    assertEquals(ErrorCode.NONE, end(false));
    assertEquals(5, fetch(true).offset());
  }

  @Test
  void aMarkerEndsItsProducersTransactionAlone() {
    commit(1, -1, "", 10);
    commit(2, -1, "", 20);
    end(1, true);
    assertEquals(ErrorCode.UNSTABLE_OFFSET_COMMIT, fetch(true).error());
    assertEquals(10, fetch(false).offset());
    end(2, false);
    assertEquals(10, fetch(true).offset());
  }

  @Test
  void whatWasWrittenLaterWinsWheneverATransactionEnds() {
    commit(42);
    group.commitSimple("orders", 0, 50);
    assertEquals(50, fetch(false).offset());
    assertEquals(ErrorCode.UNSTABLE_OFFSET_COMMIT, fetch(true).error());
    end(true);
    assertEquals(50, fetch(true).offset());
  }

  @Test
  void theLastOffsetOfATransactionCounts() {
    commit(42);
    commit(43);
    end(true);
    assertEquals(43, fetch(true).offset());
  }

  @Test
  void aSecondMarkerIsHarmless() {
    commit(42);
    assertEquals(ErrorCode.NONE, end(true));
    assertEquals(ErrorCode.NONE, end(true));
    assertEquals(ErrorCode.NONE, end(false));
    assertEquals(42, fetch(true).offset());
  }

  @Test
  void aMarkerForAPartitionThatIsNotThereSaysSo() {
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        coordinator.endTransaction(50, PRODUCER, (short) 0, 0, true, 0).join());
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        coordinator.endTransaction(-1, PRODUCER, (short) 0, 0, true, 0).join());
  }

  @Test
  void membersAreFencedByTheirGenerationKip447() {
    String id = group.newMemberId();
    CompletableFuture<JoinResult> join = group.join(id);
    advanceMs(3_000);
    int generation = join.join().generation();
    assertEquals(
        ErrorCode.NONE,
        commit(PRODUCER, generation, id, 1),
        "in the middle of a rebalance: what was consumed was consumed");
    assertEquals(ErrorCode.ILLEGAL_GENERATION, commit(PRODUCER, generation - 1, id, 2));
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, commit(PRODUCER, generation, "nobody", 2));
    assertEquals(
        ErrorCode.NONE, commit(PRODUCER, -1, "", 3), "who says nothing is fenced by its epoch");
    end(true);
    assertEquals(3, fetch(true).offset());
  }

  @Test
  void aGenerationOfAGroupThatIsNotThereIsIllegal() {
    assertEquals(ErrorCode.ILLEGAL_GENERATION, commit(PRODUCER, 1, "m", 1));
    assertEquals(ErrorCode.OFFSET_METADATA_TOO_LARGE, commit(1, -1, "", 1, "x".repeat(4097)));
  }

  @Test
  void deletingAnOffsetDeletesWhatWasUndecidedAboutIt() {
    group.commitSimple("orders", 0, 5);
    commit(42);
    coordinator.deleteOffsets("payments", List.of(new OffsetKey("orders", 0))).join();
    end(true);
    assertEquals(-1, fetch(true).offset());
  }

  @Test
  void aGroupOfWhichNothingIsLeftAfterAnAbortIsGone() {
    commit(42);
    assertEquals(1, coordinator.list(Set.of(), Set.of()).groups().size());
    end(false);
    assertTrue(coordinator.list(Set.of(), Set.of()).groups().isEmpty());
  }
}
