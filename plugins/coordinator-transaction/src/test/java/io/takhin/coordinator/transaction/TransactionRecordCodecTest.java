package io.takhin.coordinator.transaction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Our records beside those of Kafka's own classes, byte for byte.
class TransactionRecordCodecTest {
  private static final TransactionRecordCodec CODEC = new TransactionRecordCodec();
  private static final Set<TxnPartition> PARTITIONS =
      Set.of(
          new TxnPartition("örders", 2),
          new TxnPartition("örders", 0),
          new TxnPartition("payments", 1));

  private static byte[] prefixed(int prefix, ApiMessage message, int version) {
    ByteBuffer body = MessageUtil.toByteBufferAccessor(message, (short) version).buffer();
    byte[] bytes = new byte[2 + body.remaining()];
    ByteBuffer.wrap(bytes).putShort((short) prefix).put(body);
    return bytes;
  }

  private static Transaction transaction(
      TransactionState state, long previous, long next, int version) {
    return new Transaction(
        4_711,
        previous,
        next,
        (short) 7,
        (short) 6,
        60_000,
        state,
        state == TransactionState.EMPTY ? Set.of() : PARTITIONS,
        1_000,
        2_000,
        (short) version);
  }

  private static TransactionLogValue theirs(TransactionState state) {
    TransactionLogValue value =
        new TransactionLogValue()
            .setProducerId(4_711)
            .setProducerEpoch((short) 7)
            .setTransactionTimeoutMs(60_000)
            .setTransactionStatus(state.id())
            .setTransactionStartTimestampMs(1_000)
            .setTransactionLastUpdateTimestampMs(2_000);
    return state == TransactionState.EMPTY
        ? value.setTransactionPartitions(null)
        : value.setTransactionPartitions(
            List.of(
                new TransactionLogValue.PartitionsSchema()
                    .setTopic("payments")
                    .setPartitionIds(List.of(1)),
                new TransactionLogValue.PartitionsSchema()
                    .setTopic("örders")
                    .setPartitionIds(List.of(0, 2))));
  }

  private static Transaction decoded(byte[] key, byte[] value) {
    TransactionRecord record = decode(key, value);
    assertNotNull(record);
    Transaction transaction = record.value();
    assertNotNull(transaction);
    return transaction;
  }

  private static @Nullable TransactionRecord decode(byte[] key, byte @Nullable [] value) {
    return CODEC.decode(ByteBuffer.wrap(key), value == null ? null : ByteBuffer.wrap(value));
  }

  private static byte[] key() {
    return CODEC.key(new TransactionRecord("shöp", null));
  }

  private static byte[] value(Transaction transaction) {
    byte[] value = CODEC.value(new TransactionRecord("shöp", transaction));
    assertNotNull(value);
    return value;
  }

  @Test
  void keyIsWrittenAsKafkaWritesIt() {
    assertArrayEquals(prefixed(0, new TransactionLogKey().setTransactionalId("shöp"), 0), key());
  }

  @Test
  void valuesAreWrittenAsKafkaWritesThem() {
    for (TransactionState state : TransactionState.values()) {
      assertArrayEquals(
          prefixed(1, theirs(state), 1), value(transaction(state, -1, -1, 0)), state.title());
      TransactionLogValue all =
          theirs(state)
              .setPreviousProducerId(4_000)
              .setNextProducerId(5_000)
              .setClientTransactionVersion((short) 2);
      assertArrayEquals(
          prefixed(1, all, 1), value(transaction(state, 4_000, 5_000, 2)), state.title());
    }
  }

  @Test
  void bothVersionsAreRead() {
    Transaction plain = transaction(TransactionState.ONGOING, -1, -1, 0);
    Transaction old = decoded(key(), prefixed(0, theirs(TransactionState.ONGOING), 0));
    assertEquals(withoutLastEpoch(plain), old);
    Transaction full = transaction(TransactionState.PREPARE_COMMIT, 4_000, 5_000, 2);
    assertEquals(withoutLastEpoch(full), decoded(key(), value(full)));
    Transaction empty = transaction(TransactionState.EMPTY, -1, -1, 0);
    assertEquals(
        withoutLastEpoch(empty), decoded(key(), prefixed(0, theirs(TransactionState.EMPTY), 0)));
  }

  private static Transaction withoutLastEpoch(Transaction of) {
    return new Transaction(
        of.producerId(),
        of.previousProducerId(),
        of.nextProducerId(),
        of.producerEpoch(),
        Transaction.NO_EPOCH,
        of.timeoutMs(),
        of.state(),
        of.partitions(),
        of.startMs(),
        of.lastUpdateMs(),
        of.clientVersion());
  }

  @Test
  void forgottenIdIsATombstone() {
    assertNull(CODEC.value(new TransactionRecord("shöp", null)));
    assertEquals(new TransactionRecord("shöp", null), decode(key(), null));
  }

  @Test
  void otherKindsOfRecordsArePassedOver() {
    assertNull(decode(new byte[] {0, 9, 1, 2, 3}, new byte[0]));
  }

  @Test
  void whatIsNoRecordIsRefusedAndNeverBelieved() {
    byte[] good = value(transaction(TransactionState.ONGOING, 4_000, 5_000, 2));
    for (int length = 0; length < good.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(good, length);
      assertThrows(IllegalArgumentException.class, () -> decode(key(), cut), "cut at " + length);
    }
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = good.clone();
      bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        decode(key(), bad);
      } catch (IllegalArgumentException e) {
        assertNotNull(e.getMessage());
      }
    }
  }
}
