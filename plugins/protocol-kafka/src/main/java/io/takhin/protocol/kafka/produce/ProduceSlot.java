package io.takhin.protocol.kafka.produce;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.topics.Leaders;
import io.takhin.protocol.kafka.wire.FrameWriter;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// A Produce request until all of its partitions are acknowledged.
///
/// The outcome of each partition is kept in its [Part], which is the append itself; whoever brings
/// the last one encodes the answer. The frame is kept until then: the records lie in it.
final class ProduceSlot extends ResponseSlot {
  private static final int PARTITION_BYTES = 48;

  private final Cluster cluster;
  private final TransportMetrics metrics;
  private final short version;
  private final short acks;
  private final byte[][] topics;
  private final int[] topicEnds;
  private final Part[] parts;
  private final AtomicInteger pending;

  ProduceSlot(
      Cluster cluster,
      TransportMetrics metrics,
      Connection connection,
      int correlationId,
      int requestBytes,
      short version,
      ProduceFrame request,
      ByteBuffer frame) {
    super(connection, ApiKeys.PRODUCE.id, correlationId, requestBytes);
    this.cluster = cluster;
    this.metrics = metrics;
    this.version = version;
    this.acks = request.acks;
    topics = new byte[request.topicCount][];
    topicEnds = new int[request.topicCount];
    for (int i = 0; i < topics.length; i++) {
      int length = request.topicNameLength(i);
      byte[] bytes = new byte[length < 0 ? 16 : length];
      frame.get(request.topicAt(i), bytes);
      topics[i] = bytes;
      topicEnds[i] = request.partitionsEnd(i);
    }
    parts = new Part[request.partitionCount];
    pending = new AtomicInteger(parts.length + 1);
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

  /// One outcome is in. All of them and the start make the answer.
  void arrived() {
    if (pending.decrementAndGet() == 0) {
      answer();
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
    int estimate = 64;
    for (byte[] topic : topics) {
      estimate += topic.length + 16;
    }
    estimate += parts.length * PARTITION_BYTES;
    ByteBuf out = connection().loop().allocator().directBuffer(estimate);
    out.writeInt(0);
    out.writeInt(correlationId());
    if (flexible) {
      out.writeByte(0);
    }
    Leaders leaders = null;
    FrameWriter.writeArrayCount(out, flexible, topics.length);
    int at = 0;
    for (int i = 0; i < topics.length; i++) {
      if (version < ProduceFrame.FIRST_WITH_TOPIC_ID) {
        FrameWriter.writeStringLength(out, flexible, topics[i].length);
      }
      out.writeBytes(topics[i]);
      FrameWriter.writeArrayCount(out, flexible, topicEnds[i] - at);
      for (; at < topicEnds[i]; at++) {
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

    void refuse(ErrorCode code, @Nullable String why) {
      done(code, -1, -1, -1, why);
    }

    @Override
    public void done(
        ErrorCode code, long offset, long appendTimeMs, long startOffset, @Nullable String why) {
      error = code;
      baseOffset = offset;
      logAppendTimeMs = appendTimeMs;
      logStartOffset = startOffset;
      message = why;
      slot.arrived();
    }
  }
}
