package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.takhin.api.ErrorCode;
import io.takhin.api.TopicPartition;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.storage.InMemoryLogStorage;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ParkedSweepTest {
  /// Found by the simulator: the sweep took partitions out of the set that it walked and put them
  /// back while somebody waited there; two in one bin came up again and again, for ever.
  @Test
  void aSweepEndsThoughManyPartitionsStayInIt() {
    try (TestContext context = TestContext.simulated().build()) {
      ParkedSweep sweep = new ParkedSweep(context);
      AtomicInteger timedOut = new AtomicInteger();
      for (int i = 0; i < 200; i++) {
        Replica replica =
            new Replica(
                new TopicPartition(new UUID(1, 1), "t", i),
                new LaggingLog.Storage(),
                sweep,
                new CoordinatorQuestions(context),
                1);
        TopicSettings settings = new TopicSettings(LogConfigBuilder.defaults(), 1);
        replica.open(settings);
        replica.apply(new PartitionState(List.of(1), List.of(1), 1, 0, 0), settings);
        replica.append(new Waiting(timedOut));
      }
      assertTimeoutPreemptively(Duration.ofSeconds(20), () -> context.time().advanceMs(250));
      assertEquals(0, timedOut.get());
      context.time().advanceMs(1_000);
      assertEquals(200, timedOut.get());
    }
  }

  private static final class Waiting extends PartitionAppend {
    private final AtomicInteger timedOut;

    Waiting(AtomicInteger timedOut) {
      super(ByteBuffer.allocateDirect(1), (short) -1, 500, Origin.CLIENT);
      this.timedOut = timedOut;
    }

    @Override
    public void done(
        ErrorCode error,
        long baseOffset,
        long logAppendTimeMs,
        long logStartOffset,
        @Nullable String message) {
      assertEquals(ErrorCode.REQUEST_TIMED_OUT, error);
      timedOut.incrementAndGet();
    }
  }

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
