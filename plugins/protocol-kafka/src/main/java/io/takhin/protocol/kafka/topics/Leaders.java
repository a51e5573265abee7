package io.takhin.protocol.kafka.topics;

import io.netty.buffer.ByteBuf;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.protocol.kafka.wire.FrameWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Who leads what, for clients that asked the wrong broker (KIP-951, T31). Made for one answer and
/// only when it has such an error.
public final class Leaders {
  private final MetadataImage image;
  private final String listener;
  private final List<Broker> named = new ArrayList<>();

  /// As of now.
  public Leaders(Cluster cluster, String listener) {
    image = cluster.image();
    this.listener = listener;
  }

  /// The partition's state, if it is known; its leader will be among the node endpoints.
  public @Nullable PartitionState state(UUID topicId, int partition) {
    TopicImage topic = image.topic(topicId);
    if (topic == null || partition < 0 || partition >= topic.partitions().size()) {
      return null;
    }
    PartitionState state = topic.partitions().get(partition);
    Broker leader = image.brokers().get(state.leader());
    if (leader != null && !named.contains(leader)) {
      named.add(leader);
    }
    return state;
  }

  /// Whether [#writeNodeEndpoints] has something to write.
  public boolean any() {
    return !named.isEmpty();
  }

  /// Writes the value of the tagged field NodeEndpoints, with its tag and size.
  public void writeNodeEndpoints(ByteBuf out, int tag) {
    ByteBuf value = out.alloc().buffer(64 * named.size());
    try {
      FrameWriter.writeArrayCount(value, true, named.size());
      for (Broker broker : named) {
        Endpoint endpoint = endpoint(broker);
        value.writeInt(broker.id());
        FrameWriter.writeString(value, true, endpoint.host());
        value.writeInt(endpoint.port());
        FrameWriter.writeString(value, true, broker.rack());
        value.writeByte(0);
      }
      FrameWriter.writeUnsignedVarint(out, tag);
      FrameWriter.writeUnsignedVarint(out, value.readableBytes());
      out.writeBytes(value);
    } finally {
      value.release();
    }
  }

  private Endpoint endpoint(Broker broker) {
    for (Endpoint endpoint : broker.endpoints()) {
      if (endpoint.listener().equals(listener)) {
        return endpoint;
      }
    }
    return broker.endpoints().isEmpty()
        ? new Endpoint(listener, "", -1)
        : broker.endpoints().getFirst();
  }

  /// Writes the tagged field CurrentLeader, with its tag and size: 10 bytes and the tag.
  public static void writeCurrentLeader(ByteBuf out, int tag, PartitionState state) {
    FrameWriter.writeUnsignedVarint(out, tag);
    FrameWriter.writeUnsignedVarint(out, 9);
    out.writeInt(state.leader());
    out.writeInt(state.leaderEpoch());
    out.writeByte(0);
  }
}
