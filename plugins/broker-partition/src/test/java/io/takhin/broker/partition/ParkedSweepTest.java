package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.api.TopicPartition;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ParkedSweepTest {
  @Test
  void nothingIsScheduledWhileNobodyWaits() {
    try (TestContext context = TestContext.simulated().build()) {
      ParkedSweep sweep = new ParkedSweep(context);
      Replica replica =
          new Replica(
              new TopicPartition(new UUID(1, 1), "t", 0),
              new InMemoryLogStorage(),
              sweep,
              new CoordinatorQuestions(context),
              1);
      assertEquals(0, context.time().pendingTasks());
      sweep.add(replica);
      sweep.add(replica);
      assertEquals(1, context.time().pendingTasks());
      context.time().advanceMs(1000);
      assertEquals(0, context.time().pendingTasks());
      sweep.add(replica);
      assertEquals(1, context.time().pendingTasks());
      sweep.close();
      context.time().advanceMs(1000);
      sweep.add(replica);
      assertEquals(0, context.time().pendingTasks());
    }
  }
}
