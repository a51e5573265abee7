package io.takhin.api.record;

import io.takhin.api.Api;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// The record that ends a transaction in a partition (KIP-98): the only one of its batch, which is
/// transactional and a control batch, has the producer's id and the marker's epoch, and has no
/// sequence.
///
/// ```
/// key:   version = 0 (2)   type: 0 abort, 1 commit (2)
/// value: version = 0 (2)   epoch of the transaction coordinator (4)
/// ```
///
/// @param commit whether the transaction was committed
/// @param coordinatorEpoch leader epoch of the coordinator's partition of `__transaction_state`
@Api(status = Api.Status.EVOLVING, since = "0.1")
public record TransactionMarker(boolean commit, int coordinatorEpoch) {
  /// The longest marker that is looked at: a header, and a record with room for later versions.
  public static final int MAX_BYTES = RecordBatch.HEADER_BYTES + 128;

  private static final int TRANSACTIONAL_CONTROL = 0x30;
  private static final int NO_SEQUENCE = -1;
  private static final int ABORT = 0;
  private static final int COMMIT = 1;
  private static final int KEY_BYTES = 4;
  private static final int VALUE_BYTES = 6;

  /// A batch with one marker, in a buffer from 0 to its limit.
  public static ByteBuffer batch(
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      long timestampMs) {
    ByteBuffer key = ByteBuffer.allocate(KEY_BYTES);
    key.putShort((short) 0).putShort((short) (commit ? COMMIT : ABORT));
    ByteBuffer value = ByteBuffer.allocate(VALUE_BYTES);
    value.putShort((short) 0).putInt(coordinatorEpoch);
    return new RecordBatchBuilder()
        .producer(producerId, producerEpoch, NO_SEQUENCE)
        .attributes(TRANSACTIONAL_CONTROL)
        .add(timestampMs, key.array(), value.array())
        .build();
  }

  /// The marker in a control batch that is whole in the buffer; null if the batch holds another
  /// kind of control record, or none that can be read.
  public static @Nullable TransactionMarker read(ByteBuffer batch, int at) {
    long size = RecordBatch.sizeBytes(batch, at);
    if (!RecordBatch.control(batch, at)
        || RecordBatch.codec(batch, at) != 0
        || RecordBatch.count(batch, at) != 1
        || size > batch.limit() - at) {
      return null;
    }
    @Nullable TransactionMarker[] found = new TransactionMarker[1];
    try {
      Records.visit(
          batch,
          at,
          Records.payload(batch, at),
          (offset, timestampMs, key, value) -> found[0] = of(key, value));
    } catch (IllegalArgumentException e) {
      return null; // as any other record that is no marker
    }
    return found[0];
  }

  private static @Nullable TransactionMarker of(@Nullable ByteBuffer key, @Nullable ByteBuffer in) {
    if (key == null || in == null || key.remaining() < KEY_BYTES || in.remaining() < VALUE_BYTES) {
      return null;
    }
    int type = key.getShort(key.position() + 2);
    boolean known = key.getShort(key.position()) >= 0 && in.getShort(in.position()) >= 0;
    return known && (type == ABORT || type == COMMIT)
        ? new TransactionMarker(type == COMMIT, in.getInt(in.position() + 2))
        : null;
  }
}
