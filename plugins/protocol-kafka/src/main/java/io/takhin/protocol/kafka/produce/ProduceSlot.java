package io.takhin.protocol.kafka.produce;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.topics.Leaders;
import io.takhin.protocol.kafka.wire.FrameWriter;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// A Produce request until all of its partitions are acknowledged.
///
/// The outcome of each partition is kept in its [Part], which is the append itself; with the last
/// one the loop encodes the answer. The frame is kept until then: the records lie in it.
final class ProduceSlot extends ResponseSlot {
  private static final AtomicIntegerFieldUpdater<ProduceSlot> PENDING =
      AtomicIntegerFieldUpdater.newUpdater(ProduceSlot.class, "pending");
  private static final int PARTITION_BYTES = 48;

  /// Before it clients do not know TRANSACTION_ABORTABLE (KIP-890).
  private static final short FIRST_ABORTABLE = 11;

  private final Cluster cluster;
  private final TransportMetrics metrics;
  private final short version;
  private final short acks;
  private final ByteBuffer bytes;
  private final int transactionalIdAt;
  private final int transactionalIdLength;
  private final boolean joinsTransaction;
  private final int[] topics;
  private final Part[] parts;

  /// Outcomes that are missing, and one for the start; by [#PENDING].
  @SuppressWarnings("UnusedVariable")
  private volatile int pending;

  ProduceSlot(
      Cluster cluster,
      TransportMetrics metrics,
      Connection connection,
      int correlationId,
      int requestBytes,
      short version,
      ProduceFrame request,
      ByteBuffer bytes,
      boolean joinsTransaction) {
    super(connection, ApiKeys.PRODUCE.id, correlationId, requestBytes);
    this.cluster = cluster;
    this.metrics = metrics;
    this.version = version;
    this.acks = request.acks;
    this.bytes = bytes;
    this.transactionalIdAt = request.transactionalIdAt;
    this.transactionalIdLength = request.transactionalIdLength;
    this.joinsTransaction = joinsTransaction;
    topics = request.copyTopics();
    parts = new Part[request.partitionCount];
    pending = parts.length + 1;
  }

  /// An append that will call back.
  Part part(
      int at,
      int index,
      @Nullable Topic topic,
      ByteBuffer records,
      short requiredAcks,
      int timeoutMs) {
    Part part = new Part(this, index, topic, records, requiredAcks, timeoutMs);
    parts[at] = part;
    return part;
  }

  /// Only whoever asks the transaction coordinator wants it, which is once for each transaction and
  /// partition.
  private @Nullable String transactionalId() {
    return transactionalIdLength < 0
        ? null
        : UTF_8.decode(bytes.slice(transactionalIdAt, transactionalIdLength)).toString();
  }

  /// One outcome is in. All of them and the start make the answer.
  void arrived() {
    if (PENDING.decrementAndGet(this) == 0) {
      if (connection().loop().inLoop()) {
        answer();
      } else {
        onLoop(this::answer);
      }
    }
  }

  private void answer() {
    boolean failed = false;
    for (Part part : parts) {
      if (part.error != ErrorCode.NONE) {
        failed = true;
        metrics.error(ApiKeys.PRODUCE.id, part.error.code());
      }
    }
    if (acks == 0) {
      if (failed) {
        disconnect();
      } else {
        respondNothing();
      }
      return;
    }
    respond(encode());
  }

  private ByteBuf encode() {
    boolean flexible = version >= ProduceFrame.FIRST_FLEXIBLE;
    ByteBuf frame = keptFrame();
    if (frame == null) {
      throw new IllegalStateException("the frame is gone before its answer");
    }
    int topicCount = topics.length / ProduceFrame.TOPIC_FIELDS;
    int estimate = 64 + parts.length * PARTITION_BYTES;
    for (int i = 0; i < topicCount; i++) {
      estimate += Math.max(topics[i * ProduceFrame.TOPIC_FIELDS + 1], 16) + 16;
    }
    ByteBuf out = connection().loop().allocator().directBuffer(estimate);
    out.writeInt(0);
    out.writeInt(correlationId());
    if (flexible) {
      out.writeByte(0);
    }
    Leaders leaders = null;
    FrameWriter.writeArrayCount(out, flexible, topicCount);
    int at = 0;
    for (int i = 0; i < topicCount; i++) {
      int nameAt = topics[i * ProduceFrame.TOPIC_FIELDS];
      int nameLength = topics[i * ProduceFrame.TOPIC_FIELDS + 1];
      int end = topics[i * ProduceFrame.TOPIC_FIELDS + 2];
      if (nameLength >= 0) {
        FrameWriter.writeStringLength(out, flexible, nameLength);
      }
      out.writeBytes(frame, nameAt, nameLength < 0 ? 16 : nameLength);
      FrameWriter.writeArrayCount(out, flexible, end - at);
      for (; at < end; at++) {
        Part part = parts[at];
        if (version >= 10 && part.error == ErrorCode.NOT_LEADER_OR_FOLLOWER && leaders == null) {
          leaders = new Leaders(cluster, connection().listener());
        }
        writePart(out, part, flexible, leaders);
      }
      if (flexible) {
        out.writeByte(0);
      }
    }
    out.writeInt(0);
    if (flexible) {
      boolean endpoints = leaders != null && leaders.any();
      out.writeByte(endpoints ? 1 : 0);
      if (endpoints && leaders != null) {
        leaders.writeNodeEndpoints(out, 0);
      }
    }
    return out.setInt(0, out.readableBytes() - 4);
  }

  private void writePart(ByteBuf out, Part part, boolean flexible, @Nullable Leaders leaders) {
    out.writeInt(part.index);
    out.writeShort(part.error.code());
    out.writeLong(part.baseOffset);
    out.writeLong(part.logAppendTimeMs);
    if (version >= 5) {
      out.writeLong(part.logStartOffset);
    }
    if (version >= 8) {
      FrameWriter.writeArrayCount(out, flexible, 0);
      FrameWriter.writeString(out, flexible, part.message);
    }
    if (flexible) {
      Topic topic = part.topic;
      PartitionState state =
          leaders != null && topic != null && part.error == ErrorCode.NOT_LEADER_OR_FOLLOWER
              ? leaders.state(topic.id(), part.index)
              : null;
      out.writeByte(state == null ? 0 : 1);
      if (state != null) {
        Leaders.writeCurrentLeader(out, 0, state);
      }
    }
  }

  /// One partition's append, then its outcome.
  static final class Part extends PartitionAppend {
    private final ProduceSlot slot;
    private final int index;
    private final @Nullable Topic topic;

    /// What is appended to; null if it came to no append.
    @Nullable Partition partition;

    private ErrorCode error = ErrorCode.NONE;
    private long baseOffset = -1;
    private long logAppendTimeMs = -1;
    private long logStartOffset = -1;
    private @Nullable String message;

    private Part(
        ProduceSlot slot,
        int index,
        @Nullable Topic topic,
        ByteBuffer records,
        short acks,
        int timeoutMs) {
      super(records, acks, timeoutMs, Origin.CLIENT);
      this.slot = slot;
      this.index = index;
      this.topic = topic;
    }

    /// The start of the log that refused a batch: by it a producer whose id is unknown sees whether
    /// its records were only deleted. As in Kafka not for what the log did not look at.
    private long knownStart(ErrorCode code) {
      Partition asked = partition;
      return switch (code) {
        case INVALID_RECORD,
            INVALID_TIMESTAMP,
            OUT_OF_ORDER_SEQUENCE_NUMBER,
            DUPLICATE_SEQUENCE_NUMBER,
            UNKNOWN_PRODUCER_ID,
            INVALID_TXN_STATE ->
            asked == null ? -1 : asked.logStartOffset();
        // The epochs of transactions the coordinator judges, before the log is asked.
        case INVALID_PRODUCER_EPOCH ->
            asked == null || slot.transactionalId() != null ? -1 : asked.logStartOffset();
        default -> -1;
      };
    }

    void refuse(ErrorCode code, @Nullable String why) {
      done(code, -1, -1, -1, why);
    }

    @Override
    public @Nullable String transactionalId() {
      return slot.transactionalId();
    }

    @Override
    public boolean joinsTransaction() {
      return slot.joinsTransaction;
    }

    @Override
    public void done(
        ErrorCode code, long offset, long appendTimeMs, long startOffset, @Nullable String why) {
      boolean unknown = code == ErrorCode.TRANSACTION_ABORTABLE && slot.version < FIRST_ABORTABLE;
      error = unknown ? ErrorCode.INVALID_TXN_STATE : code;
      baseOffset = offset;
      logAppendTimeMs = appendTimeMs;
      logStartOffset = code == ErrorCode.NONE ? startOffset : knownStart(code);
      message = why;
      slot.arrived();
    }
  }
}
