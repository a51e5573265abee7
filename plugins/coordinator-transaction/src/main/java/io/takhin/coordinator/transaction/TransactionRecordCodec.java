package io.takhin.coordinator.transaction;

import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.coordinator.RecordCodec;
import io.takhin.coordinator.WireReader;
import io.takhin.coordinator.WireWriter;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Kafka's layout of the records in `__transaction_state`, so that tools which read that topic work
/// and a Kafka data directory can move in. Big-endian.
///
/// ```
/// key        type=0 (2) | transactional id: length (2), UTF-8
/// value      version (2) | producer id (8) | producer epoch (2) | timeout ms (4) | state (1)
///            | partitions | last update ms (8) | start ms (8) | tagged fields (version 1)
/// partitions count, null while Empty | topic, count, indexes (4 each), tagged fields (version 1)
/// tagged     0: previous producer id (8), 1: next producer id (8), 2: client's version (2)
/// ```
///
/// Version 1 is the flexible encoding: lengths and counts are unsigned varints plus one. Version 0
/// has strings with 2 and arrays with 4 bytes of length. Written is version 1, as Kafka does from
/// `transaction.version` 1 on (KIP-890); both are read.
final class TransactionRecordCodec implements RecordCodec<TransactionRecord> {
  private static final short KEY_TYPE = 0;
  private static final short WRITTEN_VERSION = 1;
  private static final int TAG_PREVIOUS = 0;
  private static final int TAG_NEXT = 1;
  private static final int TAG_CLIENT_VERSION = 2;

  @Override
  public byte[] key(TransactionRecord record) {
    return new WireWriter(64).int16(KEY_TYPE).string(record.transactionalId()).toBytes();
  }

  @Override
  public byte @Nullable [] value(TransactionRecord record) {
    Transaction value = record.value();
    if (value == null) {
      return null;
    }
    WireWriter out = new WireWriter(64 + 16 * value.partitions().size());
    out.int16(WRITTEN_VERSION).int64(value.producerId()).int16(value.producerEpoch());
    out.int32(value.timeoutMs()).int8(value.state().id());
    if (value.state() == TransactionState.EMPTY) {
      out.unsignedVarint(0);
    } else {
      partitions(value.partitions(), out);
    }
    out.int64(value.lastUpdateMs()).int64(value.startMs());
    int tags =
        (value.previousProducerId() != Transaction.NO_ID ? 1 : 0)
            + (value.nextProducerId() != Transaction.NO_ID ? 1 : 0)
            + (value.clientVersion() != 0 ? 1 : 0);
    out.unsignedVarint(tags);
    if (value.previousProducerId() != Transaction.NO_ID) {
      out.unsignedVarint(TAG_PREVIOUS).unsignedVarint(8).int64(value.previousProducerId());
    }
    if (value.nextProducerId() != Transaction.NO_ID) {
      out.unsignedVarint(TAG_NEXT).unsignedVarint(8).int64(value.nextProducerId());
    }
    if (value.clientVersion() != 0) {
      out.unsignedVarint(TAG_CLIENT_VERSION).unsignedVarint(2).int16(value.clientVersion());
    }
    return out.toBytes();
  }

  private static void partitions(Set<TxnPartition> partitions, WireWriter out) {
    Map<String, Set<Integer>> byTopic = new TreeMap<>();
    for (TxnPartition each : partitions) {
      byTopic.computeIfAbsent(each.topic(), topic -> new TreeSet<>()).add(each.partition());
    }
    out.unsignedVarint(byTopic.size() + 1);
    byTopic.forEach(
        (topic, indexes) -> {
          out.compactString(topic).unsignedVarint(indexes.size() + 1);
          indexes.forEach(out::int32);
          out.unsignedVarint(0);
        });
  }

  @Override
  public @Nullable TransactionRecord decode(ByteBuffer key, @Nullable ByteBuffer value) {
    try {
      WireReader in = new WireReader(key.slice(), false);
      if (in.int16() != KEY_TYPE) {
        return null;
      }
      String id = in.string();
      return new TransactionRecord(id, value == null ? null : transaction(value.slice()));
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("a record ends early", e);
    }
  }

  private static Transaction transaction(ByteBuffer buffer) {
    short version = buffer.getShort();
    if (version < 0 || version > WRITTEN_VERSION) {
      throw new IllegalArgumentException("a value of version " + version);
    }
    WireReader in = new WireReader(buffer, version >= 1);
    long producerId = in.int64();
    short producerEpoch = in.int16();
    int timeoutMs = in.int32();
    TransactionState state = TransactionState.of(in.int8());
    Set<TxnPartition> partitions = partitions(in);
    long lastUpdateMs = in.int64();
    long startMs = in.int64();
    TaggedFields tagged = new TaggedFields();
    in.taggedFields(tagged);
    return new Transaction(
        producerId,
        tagged.previousProducerId,
        tagged.nextProducerId,
        producerEpoch,
        Transaction.NO_EPOCH,
        timeoutMs,
        state,
        partitions,
        startMs,
        lastUpdateMs,
        tagged.clientVersion);
  }

  private static final class TaggedFields implements WireReader.FieldVisitor {
    long previousProducerId = Transaction.NO_ID;
    long nextProducerId = Transaction.NO_ID;
    short clientVersion;

    @Override
    public void field(int tag, ByteBuffer data) {
      switch (tag) {
        case TAG_PREVIOUS -> previousProducerId = data.getLong();
        case TAG_NEXT -> nextProducerId = data.getLong();
        case TAG_CLIENT_VERSION -> clientVersion = data.getShort();
        default -> {} // of a later version, which may be ignored (KIP-915)
      }
    }
  }

  private static Set<TxnPartition> partitions(WireReader in) {
    int topics = in.nullableArrayLength();
    Set<TxnPartition> partitions = new LinkedHashSet<>();
    for (int i = 0; i < topics; i++) {
      String topic = in.string();
      int count = in.nullableArrayLength();
      for (int j = 0; j < count; j++) {
        partitions.add(new TxnPartition(topic, in.int32()));
      }
      in.skipTaggedFields();
    }
    return Collections.unmodifiableSet(partitions);
  }
}
