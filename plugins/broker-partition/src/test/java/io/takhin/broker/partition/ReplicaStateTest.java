package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.broker.partition.ReplicaState.Following;
import io.takhin.broker.partition.ReplicaState.Gone;
import io.takhin.broker.partition.ReplicaState.Leading;
import io.takhin.broker.partition.ReplicaState.Offline;
import io.takhin.broker.partition.ReplicaState.Unopened;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReplicaStateTest {
  private static final ReplicaState LEADING = new Leading(5, 1, 1, 1);
  private static final ReplicaState FOLLOWING = new Following(5, 2);
  private static final ReplicaState OFFLINE = new Offline(5, "disk");
  private static final ReplicaState GONE =
      new Gone(5, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "deleted");

  @ParameterizedTest
  @CsvSource({
    "-1, NONE, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION",
    "5, NONE, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION",
    "4, FENCED_LEADER_EPOCH, FENCED_LEADER_EPOCH, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION",
    "0, FENCED_LEADER_EPOCH, FENCED_LEADER_EPOCH, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION",
    "6, UNKNOWN_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, KAFKA_STORAGE_ERROR,"
        + " UNKNOWN_TOPIC_OR_PARTITION",
  })
  void t13EpochsOfClientsAreChecked(
      int epoch, ErrorCode leading, ErrorCode following, ErrorCode offline, ErrorCode gone) {
    assertEquals(leading, LEADING.check(epoch));
    assertEquals(following, FOLLOWING.check(epoch));
    assertEquals(offline, OFFLINE.check(epoch));
    assertEquals(gone, GONE.check(epoch));
  }

  @Test
  void leadershipFollowsTheMetadata() {
    ReplicaState leading = FOLLOWING.applied(metadata(1, 6, List.of(1, 2)), 1, 1);
    assertEquals(new Leading(6, 2, 2, 1), leading);
    assertEquals(new Following(7, 2), leading.applied(metadata(2, 7, List.of(2)), 1, 1));
    assertEquals(new Following(8, -1), leading.applied(metadata(-1, 8, List.of()), 1, 1));
  }

  @Test
  void t25EnoughInSyncReplicasAreNeverMoreThanThereAre() {
    Leading two = (Leading) FOLLOWING.applied(metadata(1, 6, List.of(1)), 1, 3);
    assertEquals(2, two.minInSync());
    assertFalse(two.enoughInSync());
    Leading one =
        (Leading) FOLLOWING.applied(new PartitionState(List.of(1), List.of(1), 1, 6, 0), 1, 3);
    assertTrue(one.enoughInSync());
  }

  @Test
  void offlineStaysAndGoneIsFinal() {
    assertEquals(new Offline(5, "broken"), LEADING.failed("broken"));
    assertEquals(new Offline(5, "broken"), FOLLOWING.failed("broken"));
    assertSame(OFFLINE, OFFLINE.failed("again"));
    assertEquals(new Offline(9, "disk"), OFFLINE.applied(metadata(1, 9, List.of(1)), 1, 1));
    assertSame(GONE, GONE.applied(metadata(1, 9, List.of(1)), 1, 1));
    assertSame(GONE, GONE.failed("disk"));
    assertInstanceOf(Gone.class, GONE);
  }

  @Test
  void whatFoundNoRoomGoesOnWhenItsLogIsOpen() {
    ReplicaState unopened = FOLLOWING.unopened("no room");
    assertEquals(new Unopened(5, "no room"), unopened);
    assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, unopened.check(4));
    assertEquals(new Unopened(9, "no room"), unopened.applied(metadata(1, 9, List.of(1)), 1, 1));
    assertEquals(new Unopened(5, "still"), unopened.unopened("still"));
    assertEquals(new Following(5, -1), unopened.opened());
    assertEquals(new Offline(5, "broken"), unopened.failed("broken"));
    assertSame(OFFLINE, OFFLINE.unopened("no room"));
    assertSame(OFFLINE, OFFLINE.opened());
    assertSame(GONE, GONE.unopened("no room"));
    assertSame(GONE, GONE.opened());
    assertSame(LEADING, LEADING.opened());
  }

  private static PartitionState metadata(int leader, int epoch, List<Integer> isr) {
    return new PartitionState(List.of(1, 2), isr, leader, epoch, epoch);
  }
}
