package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/// R1: the process is killed again and again under load, with transactions and without.
class CrashIT {
  private static final int ROUNDS = Integer.getInteger("takhin.faults.rounds", 20);
  private static final int TRANSACTION_ROUNDS =
      Integer.getInteger("takhin.faults.transaction.rounds", 3);
  private static final long SEED = Long.getLong("takhin.faults.seed", 1L);

  @Test
  void killsLoseNothingAcknowledgedAndBringNothingTwice() throws Exception {
    Random random = new Random(SEED);
    try (Broker broker = new Broker()) {
      // small segments: kills meet rolls, index files and snapshots too
      broker.with("TAKHIN_STORAGE_LOG_FLUSH_INTERVAL_MS", "200").start();
      broker.createTopic("killed", 3, Map.of("segment.bytes", "1048576"));
      broker.createTopic("forced", 3, Map.of("flush.messages", "1", "segment.bytes", "1048576"));
      try (Load cached = new Load(broker, "killed", 3);
          Load forced = new Load(broker, "forced", 3)) {
        for (int round = 1; round <= ROUNDS; round++) {
          cached.awaitProgress(200);
          forced.awaitProgress(50);
          LockSupport.parkNanos(random.nextInt(300) * 1_000_000L);
          broker.kill();
          long commits = cached.committed();
          long forcedCommits = forced.committed();
          broker.start();
          cached.check(commits);
          forced.check(forcedCommits);
          tell(round, ROUNDS);
        }
        cached.finish();
        forced.finish();
        assertTrue(cached.acknowledgements() >= 200L * ROUNDS);
        System.out.println(
            ROUNDS
                + " kills: "
                + (cached.acknowledgements() + forced.acknowledgements())
                + " records acknowledged, "
                + (cached.committed() + forced.committed())
                + " commits");
      }
    }
  }

  private static void tell(int round, int of) {
    if (round % 10 == 0) {
      System.out.println("kill " + round + " of " + of);
    }
  }

  /// R1 with transactions, and C5 of them: money is neither made nor lost.
  @Test
  void killsTearNoTransaction() throws Exception {
    Random random = new Random(SEED);
    try (Broker broker = new Broker()) {
      broker.with("TAKHIN_STORAGE_LOG_FLUSH_INTERVAL_MS", "200").start();
      broker.createTopic("money", 3, Map.of("segment.bytes", "1048576"));
      try (TransactionLoad load = new TransactionLoad(broker, "money", 3, SEED)) {
        for (int round = 1; round <= TRANSACTION_ROUNDS; round++) {
          load.awaitProgress(20);
          LockSupport.parkNanos(random.nextInt(300) * 1_000_000L);
          broker.kill();
          broker.start();
          load.check();
          tell(round, TRANSACTION_ROUNDS);
        }
        load.awaitProgress(20);
        load.finish();
        System.out.println(
            TRANSACTION_ROUNDS
                + " kills: "
                + load.committed()
                + " transactions committed, fenced "
                + load.fenced());
        // Nobody but a timeout can fence them, and none takes that long.
        assertTrue(load.fenced() <= Await.stops(), "fenced " + load.fenced());
      }
    }
  }
}
