package io.takhin.storage.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.record.RecordBatch;
import io.takhin.testkit.storage.Batches;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class ProducerStatesTest {
  private static void write(ProducerStates states, long id, long offset, boolean inTransaction) {
    ByteBuffer batch =
        inTransaction ? Batches.inTransaction(id, 0, 0, "v") : Batches.from(id, 0, 0, "v");
    RecordBatch.baseOffset(batch, 0, offset);
    states.learn(batch, 0, null);
  }

  @Test
  void b21AMillionProducerIdsAreNotKept() {
    ProducerStates states = new ProducerStates();
    write(states, 1_000_000, 0, true);
    ByteBuffer batch = Batches.from(0, 0, 0, "v");
    for (int i = 0; i < 1_000_000; i++) {
      batch.putLong(43, i);
      RecordBatch.baseOffset(batch, 0, i + 1);
      states.learn(batch, 0, null);
      if (i % 1000 == 0) {
        write(states, 2_000_000, i + 1, false); // one that goes on
      }
    }
    assertTrue(states.size() <= ProducerStates.MAX_PRODUCERS, states.size() + " producers");
    assertTrue(states.size() > ProducerStates.MAX_PRODUCERS * 8 / 10, states.size() + " producers");
    assertNotNull(states.find(1_000_000), "its transaction is open");
    assertNotNull(states.find(2_000_000), "it wrote lately");
    assertNotNull(states.find(999_999));
    assertNull(states.find(0));
  }

  @Test
  void openTransactionsAreNeverForgotten() {
    ProducerStates states = new ProducerStates(100);
    for (int i = 0; i < 300; i++) {
      write(states, i, i, true);
    }
    assertEquals(300, states.size());
  }
}
