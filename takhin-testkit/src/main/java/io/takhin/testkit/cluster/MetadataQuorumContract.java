package io.takhin.testkit.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataQuorum.Outcome;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every metadata quorum does. A subclass makes one, which may have records already.
///
/// JUnit runs all of it; an implementation's own test class extends it and adds what is special.
public abstract class MetadataQuorumContract {
  private static final long WAIT_SECONDS = 30;

  private MetadataQuorum quorum = new InMemoryQuorum(0);

  /// For subclasses.
  protected MetadataQuorumContract() {}

  /// A quorum that this node leads.
  protected abstract MetadataQuorum open() throws Exception;

  /// Tells the listener as `Cluster.subscribe` does.
  protected abstract void subscribe(MetadataListener listener);

  /// Ends it.
  protected abstract void close() throws Exception;

  @BeforeEach
  final void openQuorum() throws Exception {
    quorum = open();
  }

  @AfterEach
  final void closeQuorum() throws Exception {
    close();
  }

  private static <T> T await(CompletableFuture<T> future) throws Exception {
    return future.get(WAIT_SECONDS, TimeUnit.SECONDS);
  }

  private static List<MetadataRecord> topic(String name) {
    return List.of(new TopicCreated(UUID.randomUUID(), name));
  }

  @Test
  void anAppendAtTheEndIsCommittedAndSeenWhenItsFutureIsDone() throws Exception {
    long offset = quorum.image().offset();

    Outcome outcome = await(quorum.append(offset, topic("a")));

    assertEquals(new Outcome.Committed(offset + 1), outcome);
    assertEquals(offset + 1, quorum.image().offset());
    assertTrue(quorum.image().topicsByName().containsKey("a"));
  }

  @Test
  void anAppendThatExpectsAnOlderEndIsAConflictAndChangesNothing() throws Exception {
    long offset = quorum.image().offset();
    await(quorum.append(offset, topic("a")));
    MetadataImage after = quorum.image();

    Outcome outcome = await(quorum.append(offset, topic("b")));

    assertEquals(new Outcome.Conflict(offset + 1), outcome);
    assertSame(after, quorum.image());
  }

  @Test
  void anAppendThatExpectsANewerEndIsAConflict() throws Exception {
    long offset = quorum.image().offset();

    Outcome outcome = await(quorum.append(offset + 7, topic("a")));

    assertEquals(new Outcome.Conflict(offset), outcome);
  }

  @Test
  void ofTwoAppendsAtTheSameOffsetOneIsCommittedWhole() throws Exception {
    long offset = quorum.image().offset();

    CompletableFuture<Outcome> first = quorum.append(offset, topic("a"));
    CompletableFuture<Outcome> second = quorum.append(offset, topic("b"));

    List<Outcome> outcomes = List.of(await(first), await(second));
    assertEquals(
        1, outcomes.stream().filter(o -> o.equals(new Outcome.Committed(offset + 1))).count());
    assertEquals(
        1, outcomes.stream().filter(o -> o.equals(new Outcome.Conflict(offset + 1))).count());
    assertEquals(offset + 1, quorum.image().offset());
  }

  @Test
  void aListenerSeesAllThereIsAndThenEveryChangeInOrder() throws Exception {
    long offset = quorum.image().offset();
    await(quorum.append(offset, topic("before")));
    List<Change> changes = Collections.synchronizedList(new ArrayList<>());

    subscribe((image, before, records) -> changes.add(new Change(image, before, records)));
    for (int i = 1; i <= 20; i++) {
      await(quorum.append(offset + i, topic("t" + i)));
    }

    assertEquals(21, changes.size());
    assertTrue(changes.getFirst().records().isEmpty());
    assertTrue(changes.getFirst().image().topicsByName().containsKey("before"));
    for (int i = 1; i <= 20; i++) {
      assertSame(changes.get(i - 1).image(), changes.get(i).before());
      assertEquals(offset + i + 1, changes.get(i).image().offset());
      assertEquals("t" + i, ((TopicCreated) changes.get(i).records().getFirst()).name());
    }
  }

  @Test
  void theListenerWasToldWhenTheFutureIsDone() throws Exception {
    List<Long> told = Collections.synchronizedList(new ArrayList<>());
    subscribe((image, before, records) -> told.add(image.offset()));
    for (int i = 0; i < 50; i++) {
      long offset = quorum.image().offset();
      await(quorum.append(offset, List.of(new ProducerIdsAllocated(1, i))));
      assertEquals(offset + 1, told.getLast());
    }
  }

  @Test
  void manyRecordsAreOneChange() throws Exception {
    long offset = quorum.image().offset();
    List<MetadataRecord> records = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      records.add(new TopicCreated(UUID.randomUUID(), "topic-" + i));
    }
    List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
    subscribe((image, before, delta) -> sizes.add(delta.size()));

    assertInstanceOf(Outcome.Committed.class, await(quorum.append(offset, records)));

    assertEquals(List.of(0, 5000), sizes);
  }

  @Test
  void whatHangsOnAFutureMayAppendAgain() throws Exception {
    long offset = quorum.image().offset();

    Outcome outcome =
        await(
            quorum
                .append(offset, topic("a"))
                .thenApply(first -> quorum.append(offset + 1, topic("b")).join()));

    assertEquals(new Outcome.Committed(offset + 2), outcome);
  }

  @Test
  void theStateNamesTheLeaderAndTheEnd() throws Exception {
    await(quorum.append(quorum.image().offset(), topic("a")));

    MetadataQuorum.QuorumState state = quorum.state();

    assertEquals(quorum.image().offset(), state.endOffset());
    assertTrue(state.voters().contains(state.leader()), state.toString());
    assertTrue(state.epoch() > 0, state.toString());
  }

  private record Change(MetadataImage image, MetadataImage before, List<MetadataRecord> records) {}
}
