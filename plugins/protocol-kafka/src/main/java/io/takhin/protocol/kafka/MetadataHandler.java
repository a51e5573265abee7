package io.takhin.protocol.kafka;

import io.netty.buffer.ByteBuf;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.RequestHandler;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.FrameWriter;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import io.takhin.protocol.kafka.wire.Names;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Serves Metadata, versions 0 to 13, by gathering [MetadataFragments], when all topics are asked
/// for or those that are named exist. What is missing, to be made or wrong is left to
/// [MetadataApis].
///
/// Threading: the connection's loop. Blocking: never.
final class MetadataHandler implements RequestHandler {
  static final int FIRST_FLEXIBLE = 9;
  private static final int FIRST_WITH_TOPIC_ID = 10;
  private static final int FIRST_BY_TOPIC_ID = 12;
  private static final int FIXED_BYTES = 64;

  /// librdkafka (2.15.1 and before) writes the null that asks for all topics in 4 bytes of 0 where
  /// a compact array has 1: what follows is read from the rest of them, and its own last 3 bytes
  /// remain. Apache Kafka looks at no bytes after a request; here these 3 alone are let pass.
  private static final int NULL_IN_4_BYTES = 3;

  private final Cluster cluster;
  private final Names[] names;
  private final Map<String, MetadataFragments> byListener = new ConcurrentHashMap<>();

  /// @param names one for each loop
  MetadataHandler(Cluster cluster, Names[] names) {
    this.cluster = cluster;
    this.names = names;
  }

  @Override
  public boolean handle(
      Connection connection, FrameReader in, short version, int correlationId, int requestBytes) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    boolean compactNull = flexible && in.remaining() > 0 && in.buffer().get(in.position()) == 0;
    MetadataImage image = cluster.image();
    Collection<TopicImage> topics = asked(in, version, image, names[connection.loop().index()]);
    if (topics == null) {
      return false;
    }
    if (version >= 4) {
      in.skip(1);
    }
    boolean clusterOperations = version >= 8 && version <= 10 && in.readByte() != 0;
    boolean topicOperations = version >= 8 && in.readByte() != 0;
    if (flexible) {
      in.skipTags();
    }
    if (compactNull && in.remaining() == NULL_IN_4_BYTES) {
      in.skip(NULL_IN_4_BYTES);
    }
    in.expectEnd();
    ResponseSlot slot =
        new ResponseSlot(connection, ApiKeys.METADATA.id, correlationId, requestBytes);
    MetadataFragments fragments = fragments(image, connection.listener());
    ByteBuf out = allocate(connection, fragments, topics, version);
    try {
      head(out, fragments, version, correlationId);
      FrameWriter.writeArrayCount(out, flexible, topics.size());
      for (TopicImage topic : topics) {
        out.writeBytes(fragments.topic(topic, version));
        if (topicOperations) {
          out.setInt(out.writerIndex() - (flexible ? 5 : 4), AuthorizedOperations.TOPIC);
        }
      }
      if (version >= 8 && version <= 10) {
        out.writeInt(
            clusterOperations ? AuthorizedOperations.CLUSTER : AuthorizedOperations.OMITTED);
      }
      if (version >= 13) {
        out.writeShort(0);
      }
      if (flexible) {
        out.writeByte(0);
      }
    } catch (RuntimeException e) {
      out.release();
      throw e;
    }
    slot.respond(out.setInt(0, out.readableBytes() - 4));
    return true;
  }

  private MetadataFragments fragments(MetadataImage image, String listener) {
    MetadataFragments fragments = byListener.get(listener);
    if (fragments == null || !fragments.of(image)) {
      fragments = new MetadataFragments(image, listener);
      byListener.put(listener, fragments);
    }
    fragments.sweep(image);
    return fragments;
  }

  private ByteBuf allocate(
      Connection connection,
      MetadataFragments fragments,
      Collection<TopicImage> topics,
      short version) {
    long bytes =
        FIXED_BYTES + 3L * cluster.clusterId().length() + fragments.brokers(version).length;
    for (TopicImage topic : topics) {
      bytes += fragments.topic(topic, version).length;
    }
    return connection.loop().allocator().directBuffer(Math.toIntExact(bytes));
  }

  private void head(ByteBuf out, MetadataFragments fragments, short version, int correlationId) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    out.writeInt(0);
    out.writeInt(correlationId);
    if (flexible) {
      out.writeByte(0);
    }
    if (version >= 3) {
      out.writeInt(0);
    }
    out.writeBytes(fragments.brokers(version));
    if (version >= 2) {
      FrameWriter.writeString(out, flexible, cluster.clusterId());
    }
    if (version >= 1) {
      out.writeInt(MetadataApis.controller(cluster, fragments.endpoints()));
    }
  }

  /// The topics to show; null if there is something to be said that is not in the image.
  private static @Nullable Collection<TopicImage> asked(
      FrameReader in, short version, MetadataImage image, Names names) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    int count = in.readArrayCount(flexible, 2);
    if (count < 0 && version == 0) {
      throw new MalformedRequestException("null where Metadata 0 must have an array");
    }
    // An empty list was all topics before there was null for it (T6).
    if (count < 0 || (version == 0 && count == 0)) {
      return image.topicsByName().values();
    }
    // A topic that is asked for twice is shown once; ids go before names.
    Map<UUID, TopicImage> byId = new LinkedHashMap<>();
    Map<UUID, TopicImage> byName = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      long high = version >= FIRST_WITH_TOPIC_ID ? in.readLong() : 0;
      long low = version >= FIRST_WITH_TOPIC_ID ? in.readLong() : 0;
      String name = names.readNullable(in, in.readStringLength(flexible));
      if (flexible) {
        in.skipTags();
      }
      boolean hasId = high != 0 || low != 0;
      TopicImage topic =
          hasId ? image.topic(new UUID(high, low)) : name == null ? null : image.topic(name);
      if (topic == null || (version < FIRST_BY_TOPIC_ID && (hasId || name == null))) {
        return null;
      }
      (hasId ? byId : byName).put(topic.id(), topic);
    }
    return byId.isEmpty() ? byName.values() : byId.values();
  }
}
