package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.testkit.cluster.InMemoryQuorum;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class ProposalsTest {
  private final InMemoryQuorum quorum = new InMemoryQuorum(1);
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private final Proposals proposals = new Proposals(quorum, tasks::add);

  private static ErrorCode code(CompletionException e) {
    return assertInstanceOf(TakhinException.class, e.getCause()).code();
  }

  private void run() {
    while (!tasks.isEmpty()) {
      tasks.remove().run();
    }
  }

  private static Decision<Long> takeTen(MetadataImage image) {
    return new Decision<>(
        List.of(new ProducerIdsAllocated(1, image.nextProducerId() + 10)), image.nextProducerId());
  }

  @Test
  void allThatWaitGoIntoOneAppendAndEachSeesTheOneBefore() {
    List<Integer> appends = new ArrayList<>();
    quorum.subscribe((image, before, records) -> appends.add(records.size()));
    List<CompletableFuture<Long>> futures = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      futures.add(proposals.propose(ProposalsTest::takeTen));
    }
    assertFalse(futures.getFirst().isDone());

    run();

    assertEquals(
        List.of(0L, 10L, 20L, 30L, 40L), futures.stream().map(CompletableFuture::join).toList());
    assertEquals(List.of(0, 5), appends);
  }

  @Test
  void whoLosesARaceDecidesAgainFromTheNewerImage() {
    quorum.beforeNextAppend(
        () -> quorum.append(0, List.of(new ProducerIdsAllocated(2, 1000))).join());
    CompletableFuture<Long> future = proposals.propose(ProposalsTest::takeTen);

    run();

    assertEquals(1000L, future.join());
    assertEquals(1010, quorum.image().nextProducerId());
    assertEquals(1, proposals.conflicts());
  }

  @Test
  void whoAlwaysLosesIsToldToTryAgain() {
    Proposals unlucky =
        new Proposals(
            new MetadataQuorum() {
              @Override
              public MetadataImage image() {
                return MetadataImage.EMPTY;
              }

              @Override
              public CompletableFuture<Outcome> append(
                  long expectedOffset, List<MetadataRecord> records) {
                return CompletableFuture.completedFuture(new Outcome.Conflict(1));
              }

              @Override
              public QuorumState state() {
                return new QuorumState(2, 1, 1, List.of(1, 2));
              }
            },
            tasks::add);
    CompletableFuture<Long> future = unlucky.propose(ProposalsTest::takeTen);

    run();

    CompletionException e = assertThrows(CompletionException.class, future::join);
    assertEquals(ErrorCode.NOT_CONTROLLER, code(e));
    assertEquals(50, unlucky.conflicts());
  }

  @Test
  void aFailureReachesAllOfTheRoundAndNobodyAfter() {
    quorum.failNextAppend(new TakhinException(ErrorCode.REQUEST_TIMED_OUT, "unknown"));
    CompletableFuture<Long> first = proposals.propose(ProposalsTest::takeTen);
    CompletableFuture<Long> second = proposals.propose(ProposalsTest::takeTen);
    run();
    CompletableFuture<Long> later = proposals.propose(ProposalsTest::takeTen);
    run();

    for (CompletableFuture<Long> failed : List.of(first, second)) {
      CompletionException e = assertThrows(CompletionException.class, failed::join);
      assertEquals(ErrorCode.REQUEST_TIMED_OUT, code(e));
    }
    assertEquals(0L, later.join());
  }

  @Test
  void aDeciderThatThrowsHarmsNobodyElse() {
    CompletableFuture<Long> bad =
        proposals.propose(
            image -> {
              throw new IllegalStateException("defect");
            });
    CompletableFuture<Long> good = proposals.propose(ProposalsTest::takeTen);

    run();

    assertThrows(CompletionException.class, bad::join);
    assertEquals(0L, good.join());
  }

  @Test
  void whatChangesNothingIsAnsweredWithoutAnAppend() {
    CompletableFuture<String> future =
        proposals.propose(image -> new Decision<>(List.of(), "same"));

    run();

    assertEquals("same", future.join());
    assertEquals(0, quorum.image().offset());
  }
}
