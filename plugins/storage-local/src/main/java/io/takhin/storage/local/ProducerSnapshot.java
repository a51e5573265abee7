package io.takhin.storage.local;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32C;

/// The file `<offset>.snapshot`: the producers of a log as of that offset, as Kafka writes it, and
/// behind that what Kafka does not keep: the batches before the last one, so that all five are
/// known after a restart. Kafka reads the file and does not look at what follows.
///
/// ```
///  0 version = 1 (2)     2 CRC-32C of all after it (4)     6 producers (4)
/// each: id (8) epoch (2) last sequence (4) last offset (8) offset delta (4) timestamp (8)
///       coordinator epoch (4) first offset of the open transaction, or -1 (8)
/// then: "TKH5" (4) and for each producer, in the same order:
///       batches (1), each, oldest first: last sequence (4) offset delta (4) last offset (8)
///       timestamp (8)
/// ```
final class ProducerSnapshot {
  private static final short VERSION = 1;
  private static final int CRC_AT = 2;
  private static final int ENTRIES_AT = 6;
  private static final int ENTRY = 46;
  private static final int OLDER_BATCH = 24;
  private static final int EXTENSION = 0x544B4835;

  private ProducerSnapshot() {}

  static byte[] write(ProducerStates states) {
    List<Producer> all = states.all();
    int size = ENTRIES_AT + 4 + all.size() * ENTRY + 4;
    for (Producer producer : all) {
      size += 1 + Math.max(0, producer.size() - 1) * OLDER_BATCH;
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.putShort(VERSION).putInt(0).putInt(all.size());
    for (Producer producer : all) {
      int last = producer.size() - 1;
      out.putLong(producer.id).putShort(producer.epoch).putInt(producer.lastSequence());
      out.putLong(producer.lastOffset()).putInt(last < 0 ? 0 : producer.delta(last));
      out.putLong(producer.lastTimestampMs).putInt(producer.coordinatorEpoch);
      out.putLong(producer.transactionFirstOffset);
    }
    out.putInt(EXTENSION);
    for (Producer producer : all) {
      int older = Math.max(0, producer.size() - 1);
      out.put((byte) older);
      for (int i = 0; i < older; i++) {
        out.putInt(producer.lastSequence(i)).putInt(producer.delta(i));
        out.putLong(producer.lastOffset(i)).putLong(producer.timestampMs(i));
      }
    }
    out.putInt(CRC_AT, crc(out.array()));
    return out.array();
  }

  private static int crc(byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(content, ENTRIES_AT, content.length - ENTRIES_AT);
    return (int) crc.getValue();
  }

  /// Fills `states` from a file's content.
  ///
  /// Errors: IOException that says what is wrong with it; `states` is empty then.
  static void read(byte[] content, ProducerStates states) throws IOException {
    states.clear();
    if (content.length < ENTRIES_AT + 4) {
      throw new IOException("only " + content.length + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(content);
    short version = in.getShort();
    if (version != VERSION) {
      throw new IOException("version " + version);
    }
    if (in.getInt() != crc(content)) {
      throw new IOException("wrong checksum");
    }
    int count = in.getInt();
    if (count < 0 || (long) count * ENTRY > in.remaining()) {
      throw new IOException(count + " producers in " + content.length + " bytes");
    }
    int entriesAt = in.position();
    in.position(entriesAt + count * ENTRY);
    boolean extended = in.remaining() >= 4 && in.getInt() == EXTENSION;
    try {
      for (int i = 0; i < count; i++) {
        states.put(readProducer(in, entriesAt + i * ENTRY, extended));
      }
    } catch (BufferUnderflowException e) {
      states.clear();
      throw new IOException("it ends early", e);
    }
    states.transactions().reset(states.all());
  }

  private static Producer readProducer(ByteBuffer in, int at, boolean extended) {
    Producer producer = new Producer(in.getLong(at));
    producer.epoch(in.getShort(at + 8));
    int older = extended ? in.get() : 0;
    for (int i = 0; i < older; i++) {
      producer.add(in.getInt(), in.getInt(), in.getLong(), in.getLong());
    }
    int lastSequence = in.getInt(at + 10);
    if (lastSequence != Producer.NO_SEQUENCE) {
      producer.add(lastSequence, in.getInt(at + 22), in.getLong(at + 14), in.getLong(at + 26));
    }
    producer.lastTimestampMs = in.getLong(at + 26);
    producer.coordinatorEpoch = in.getInt(at + 34);
    producer.transactionFirstOffset = in.getLong(at + 38);
    return producer;
  }
}
