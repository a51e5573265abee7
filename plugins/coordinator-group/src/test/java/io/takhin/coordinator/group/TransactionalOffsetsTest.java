package io.takhin.coordinator.group;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import io.takhin.testkit.group.TransactionalOffsetsContract;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Offsets of transactions in a log: over restarts, deleted topics and time.
class TransactionalOffsetsTest extends TransactionalOffsetsContract {
  private final ServiceHarness harness = new ServiceHarness();

  @Override
  protected GroupCoordinator start() {
    return harness.start(ServiceHarness.DEFAULTS);
  }

  @Override
  protected void advanceMs(long ms) {
    harness.time.advanceMs(ms);
  }

  private ErrorCode commit(long producerId, long offset) {
    OffsetToCommit one = new OffsetToCommit(null, "orders", 0, offset, 1, "");
    return coordinator
        .commitTransactionalOffsets(
            new TxnCommitRequest(
                "t", "payments", producerId, (short) 0, -1, "", null, List.of(one)))
        .join()
        .getFirst();
  }

  private ErrorCode end(long producerId, boolean commit) {
    int partition = coordinator.partitionFor("payments").join().partition();
    return coordinator.endTransaction(partition, producerId, (short) 0, 0, commit, 0).join();
  }

  private FetchedOffset fetch() {
    return coordinator
        .fetchOffsets("payments", List.of(new OffsetKey("orders", 0)), true)
        .join()
        .offsets()
        .getFirst();
  }

  private void restart() {
    coordinator.close();
    coordinator = harness.start(ServiceHarness.DEFAULTS);
  }

  @Test
  void r1WhatATransactionLeftUndecidedIsSoAfterARestart() {
    commit(1, 10);
    end(1, true);
    commit(2, 20);
    restart();
    assertEquals(ErrorCode.UNSTABLE_OFFSET_COMMIT, fetch().error());
    assertEquals(ErrorCode.NONE, end(2, true));
    assertEquals(20, fetch().offset());
    restart();
    assertEquals(20, fetch().offset());
    commit(3, 30);
    end(3, false);
    restart();
    assertEquals(20, fetch().offset());
  }

  @Test
  void undecidedOffsetsNeitherExpireNorLetTheirGroupGo() {
    commit(1, 10);
    end(1, true);
    commit(2, 20);
    harness.time.advanceMs(20 * 86_400_000L);
    assertEquals(ErrorCode.UNSTABLE_OFFSET_COMMIT, fetch().error());
    assertEquals(1, coordinator.list(Set.of(), Set.of()).groups().size());
    end(2, false);
    assertEquals(10, fetch().offset());
    harness.time.advanceMs(2 * 86_400_000L);
    assertEquals(-1, fetch().offset());
  }

  @Test
  void aDeletedGroupTakesWhatWasUndecidedWithIt() {
    commit(1, 10);
    assertEquals(List.of(ErrorCode.NONE), coordinator.deleteGroups(List.of("payments")).join());
    end(1, true);
    assertEquals(-1, fetch().offset());
    restart();
    assertEquals(-1, fetch().offset());
  }

  @Test
  void whoIsNoCoordinatorWritesNoMarker() {
    coordinator.close();
    assertEquals(
        ErrorCode.NOT_COORDINATOR, coordinator.endTransaction(0, 1, (short) 0, 0, true, 0).join());
  }
}
