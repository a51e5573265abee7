package io.takhin.protocol.kafka;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.protocol.kafka.wire.FrameWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/// Pieces of Metadata answers, encoded once by the message classes: each topic, and the brokers.
/// They hold for as long as the brokers are the same objects, and each topic's for as long as its
/// image is: metadata never changes in place.
///
/// ```
///  image ─ other brokers ─▶ all fragments anew
///     └─── other topic ───▶ that topic's anew, when somebody asks for it
/// ```
///
/// Threading: any thread; two that miss at once encode twice, and either result serves. Memory: the
/// bytes of each topic for each shape in which clients ask for it; topics that are gone are dropped
/// when they are as many as those that are there.
final class MetadataFragments {
  /// The first version of each shape: between them, brokers and topics look the same.
  private static final int[] SHAPES = {0, 1, 5, 6, 7, 8, 9, 10};

  private static final int SLACK = 64;

  private final Map<Integer, Broker> brokers;
  private final Map<Integer, Endpoint> endpoints;
  private final AtomicReferenceArray<byte[]> brokerBytes =
      new AtomicReferenceArray<>(SHAPES.length);
  private final Map<UUID, Fragment> topics = new ConcurrentHashMap<>();

  MetadataFragments(MetadataImage image, String listener) {
    brokers = image.brokers();
    endpoints = Conversions.endpoints(image, listener);
  }

  private record Fragment(TopicImage topic, AtomicReferenceArray<byte[]> shapes) {}

  /// Whether the image has the brokers that these are of.
  boolean of(MetadataImage image) {
    return brokers == image.brokers();
  }

  Map<Integer, Endpoint> endpoints() {
    return endpoints;
  }

  private static int shape(short version) {
    int at = Arrays.binarySearch(SHAPES, version);
    return at >= 0 ? at : -at - 2;
  }

  /// All brokers, with their count. Not to be changed.
  byte[] brokers(short version) {
    int shape = shape(version);
    byte[] bytes = brokerBytes.get(shape);
    if (bytes == null) {
      bytes = encodeBrokers(version);
      brokerBytes.set(shape, bytes);
    }
    return bytes;
  }

  /// A topic, without the operations that it allows. Not to be changed.
  byte[] topic(TopicImage topic, short version) {
    Fragment fragment = topics.get(topic.id());
    // The same object, not an equal one: comparing would cost what is to be saved.
    if (fragment == null || isAnother(fragment.topic, topic)) {
      fragment = new Fragment(topic, new AtomicReferenceArray<>(SHAPES.length));
      topics.put(topic.id(), fragment);
    }
    int shape = shape(version);
    byte[] bytes = fragment.shapes.get(shape);
    if (bytes == null) {
      MetadataResponseTopic shown =
          new MetadataView(brokers, endpoints, version).fill(new MetadataResponseTopic(), topic);
      bytes = encode(List.of(shown), version, false);
      fragment.shapes.set(shape, bytes);
    }
    return bytes;
  }

  @SuppressWarnings("ReferenceEquality")
  private static boolean isAnother(TopicImage one, TopicImage other) {
    return one != other;
  }

  /// Drops topics that are gone, when they are many.
  void sweep(MetadataImage image) {
    if (topics.size() > 2 * image.topicsById().size() + SLACK) {
      topics.keySet().removeIf(id -> image.topic(id) == null);
    }
  }

  private byte[] encodeBrokers(short version) {
    return encode(new MetadataView(brokers, endpoints, version).shownBrokers(), version, true);
  }

  private static byte[] encode(List<? extends Message> messages, short version, boolean counted) {
    ByteBuf out = Unpooled.buffer();
    if (counted) {
      FrameWriter.writeArrayCount(out, version >= MetadataHandler.FIRST_FLEXIBLE, messages.size());
    }
    for (Message message : messages) {
      ObjectSerializationCache cache = new ObjectSerializationCache();
      message.addSize(new MessageSizeAccumulator(), cache, version);
      message.write(new FrameWriter(out), cache, version);
    }
    byte[] bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    return bytes;
  }
}
