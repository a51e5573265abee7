package io.takhin.testkit.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import java.util.List;
import org.junit.jupiter.api.Test;

class InMemoryQuorumTest extends MetadataQuorumContract {
  private final InMemoryQuorum quorum = new InMemoryQuorum(1);

  @Override
  protected MetadataQuorum open() {
    return quorum;
  }

  @Override
  protected void subscribe(MetadataListener listener) {
    quorum.subscribe(listener);
  }

  @Override
  protected void close() {}

  @Test
  void aTestCanLetTheNextAppendLoseTheRace() {
    quorum.beforeNextAppend(
        () -> quorum.append(0, List.of(new ProducerIdsAllocated(2, 1000))).join());

    assertEquals(
        new MetadataQuorum.Outcome.Conflict(1),
        quorum.append(0, List.of(new ProducerIdsAllocated(1, 1000))).join());
  }

  @Test
  void aTestCanLetTheNextAppendFail() {
    quorum.failNextAppend(new TakhinException(ErrorCode.NOT_CONTROLLER, "gone"));

    assertTrue(quorum.append(0, List.of()).isCompletedExceptionally());
    assertEquals(new MetadataQuorum.Outcome.Committed(0), quorum.append(0, List.of()).join());
  }
}
