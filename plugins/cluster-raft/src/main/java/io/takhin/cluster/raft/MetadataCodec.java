package io.takhin.cluster.raft;

import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.ClusterCreated;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.FeatureFinalized;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Records as bytes: what an entry of the metadata log and a snapshot hold.
///
/// ```
/// append  = version(1 byte: 1) expectedOffset(long) records
/// records = count(int) record*
/// record  = lengthBytes(int) kind(1 byte) body            lengthBytes counts kind and body
///
///  kind                    body
///   1 ClusterCreated       clusterId(string)
///   2 BrokerRegistered     id(int) count(int) { listener(string) host(string) port(int) }*
///                          rack(string?)
///   3 TopicCreated         id(16 bytes) name(string)
///   4 TopicDeleted         id(16 bytes)
///   5 PartitionChanged     topicId(16 bytes) partition(int) replicas(ints) isr(ints) leader(int)
///                          leaderEpoch(int) partitionEpoch(int)
///   6 ConfigChanged        type(1 byte) name(string) key(string) value(string?)
///   7 ProducerIdsAllocated brokerId(int) nextProducerId(long)
///   8 FeatureFinalized     name(string) level(int)
///
/// int, long = zigzag, then 7 bits per byte, lowest first; at most 5 and 10 bytes
/// string    = lengthBytes(int) UTF-8         string? = the same, length -1 for null
/// ints      = count(int) int*
/// ```
///
/// A record of another kind, or an append of another version, comes from a newer Takhin: it is
/// refused, for an image without it would be wrong. Every length and count is checked against the
/// bytes that are there before anything is allocated.
final class MetadataCodec {
  /// The version written.
  static final byte VERSION = 1;

  private MetadataCodec() {}

  /// An append on the condition that the log ends at `expectedOffset`.
  record Append(long expectedOffset, List<MetadataRecord> records) {}

  /// The bytes could not be read.
  static final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
      super(message);
    }
  }

  static ByteBuffer encode(Append append) {
    Sink sink = new Sink(64 + 48 * append.records().size());
    sink.raw(VERSION);
    sink.number(append.expectedOffset());
    encode(append.records(), sink);
    return sink.flip();
  }

  static Append decodeAppend(ByteBuffer bytes) {
    Source source = new Source(bytes);
    byte version = source.raw();
    if (version != VERSION) {
      throw new Malformed(
          "an entry of version %d, and this Takhin reads %d: it was written by a newer one"
              .formatted(version, VERSION));
    }
    long expectedOffset = source.number();
    List<MetadataRecord> records = decode(source);
    source.end("an append");
    return new Append(expectedOffset, records);
  }

  /// Count and records, as appends and snapshots have them.
  static void encode(List<MetadataRecord> records, Sink sink) {
    sink.number(records.size());
    Sink body = new Sink(128);
    for (MetadataRecord record : records) {
      body.clear();
      encode(record, body);
      sink.bytes(body.flip());
    }
  }

  static List<MetadataRecord> decode(Source source) {
    int count = source.count(2);
    List<MetadataRecord> records = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Source body = source.slice();
      records.add(decodeRecord(body));
      body.end("a record");
    }
    return records;
  }

  private static void encode(MetadataRecord record, Sink sink) {
    switch (record) {
      case ClusterCreated(String clusterId) -> sink.raw(1).text(clusterId);
      case BrokerRegistered(Broker broker) -> {
        sink.raw(2).number(broker.id()).number(broker.endpoints().size());
        for (Endpoint endpoint : broker.endpoints()) {
          sink.text(endpoint.listener()).text(endpoint.host()).number(endpoint.port());
        }
        sink.text(broker.rack());
      }
      case TopicCreated(UUID id, String name) -> sink.raw(3).id(id).text(name);
      case TopicDeleted(UUID id) -> sink.raw(4).id(id);
      case PartitionChanged(UUID topicId, int partition, PartitionState state) ->
          sink.raw(5)
              .id(topicId)
              .number(partition)
              .numbers(state.replicas())
              .numbers(state.isr())
              .number(state.leader())
              .number(state.leaderEpoch())
              .number(state.partitionEpoch());
      case ConfigChanged(ConfigResource resource, String key, String value) ->
          sink.raw(6).raw(resource.type().id()).text(resource.name()).text(key).text(value);
      case ProducerIdsAllocated(int brokerId, long next) ->
          sink.raw(7).number(brokerId).number(next);
      case FeatureFinalized(String name, short level) -> sink.raw(8).text(name).number(level);
    }
  }

  private static MetadataRecord decodeRecord(Source source) {
    byte kind = source.raw();
    return switch (kind) {
      case 1 -> new ClusterCreated(source.text());
      case 2 -> new BrokerRegistered(decodeBroker(source));
      case 3 -> new TopicCreated(source.id(), source.text());
      case 4 -> new TopicDeleted(source.id());
      case 5 ->
          new PartitionChanged(
              source.id(),
              source.natural(),
              new PartitionState(
                  source.numbers(),
                  source.numbers(),
                  source.integer(),
                  source.integer(),
                  source.integer()));
      case 6 -> {
        ConfigResource resource = new ConfigResource(resourceType(source.raw()), source.text());
        yield new ConfigChanged(resource, source.text(), source.textOrNull());
      }
      case 7 -> new ProducerIdsAllocated(source.integer(), source.number());
      case 8 -> {
        String name = source.text();
        int level = source.natural();
        if (level > Short.MAX_VALUE) {
          throw new Malformed("feature level " + level);
        }
        yield new FeatureFinalized(name, (short) level);
      }
      default ->
          throw new Malformed(
              "a record of kind %d, which this Takhin does not know: it was written by a newer one"
                  .formatted(kind));
    };
  }

  private static Broker decodeBroker(Source source) {
    int id = source.integer();
    int count = source.count(3);
    List<Endpoint> endpoints = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      endpoints.add(new Endpoint(source.text(), source.text(), source.integer()));
    }
    return new Broker(id, List.copyOf(endpoints), source.textOrNull());
  }

  private static ConfigResource.Type resourceType(byte id) {
    for (ConfigResource.Type type : ConfigResource.Type.values()) {
      if (type.id() == id) {
        return type;
      }
    }
    throw new Malformed("a config of resource type " + id + ", which this Takhin does not know");
  }

  /// Grows as it is written to.
  static final class Sink {
    private ByteBuffer buffer;

    Sink(int sizeBytes) {
      buffer = ByteBuffer.allocate(sizeBytes);
    }

    private ByteBuffer room(int bytes) {
      if (buffer.remaining() < bytes) {
        int size = Math.max(buffer.position() + bytes, Math.multiplyExact(buffer.capacity(), 2));
        buffer = ByteBuffer.allocate(size).put(buffer.flip());
      }
      return buffer;
    }

    Sink raw(int value) {
      room(1).put((byte) value);
      return this;
    }

    Sink id(UUID id) {
      room(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
      return this;
    }

    Sink number(long value) {
      room(10);
      long rest = (value << 1) ^ (value >> 63);
      while ((rest & ~0x7FL) != 0) {
        buffer.put((byte) (rest | 0x80));
        rest >>>= 7;
      }
      buffer.put((byte) rest);
      return this;
    }

    Sink numbers(List<Integer> values) {
      number(values.size());
      for (int value : values) {
        number(value);
      }
      return this;
    }

    Sink text(@Nullable String text) {
      if (text == null) {
        return number(-1);
      }
      return bytes(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    Sink bytes(ByteBuffer bytes) {
      number(bytes.remaining());
      room(bytes.remaining()).put(bytes);
      return this;
    }

    void clear() {
      buffer.clear();
    }

    /// What was written; valid until the next write.
    ByteBuffer flip() {
      return buffer.flip();
    }
  }

  /// Reads with every bound checked.
  static final class Source {
    private final ByteBuffer buffer;

    Source(ByteBuffer buffer) {
      this.buffer = buffer.slice();
    }

    byte raw() {
      need(1);
      return buffer.get();
    }

    UUID id() {
      need(16);
      return new UUID(buffer.getLong(), buffer.getLong());
    }

    long number() {
      long value = 0;
      for (int shift = 0; shift < 70; shift += 7) {
        need(1);
        byte next = buffer.get();
        value |= (next & 0x7FL) << shift;
        if (next >= 0) {
          return (value >>> 1) ^ -(value & 1);
        }
      }
      throw new Malformed("a number of more than 10 bytes");
    }

    int integer() {
      long value = number();
      if (value != (int) value) {
        throw new Malformed(value + " where 32 bits belong");
      }
      return (int) value;
    }

    int natural() {
      int value = integer();
      if (value < 0) {
        throw new Malformed(value + " where no negative number belongs");
      }
      return value;
    }

    /// A count of elements that take at least `elementBytes` each.
    int count(int elementBytes) {
      int count = natural();
      if (count > buffer.remaining() / elementBytes) {
        throw new Malformed(
            "%d elements in the %d bytes that are left".formatted(count, buffer.remaining()));
      }
      return count;
    }

    List<Integer> numbers() {
      int count = count(1);
      List<Integer> values = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        values.add(integer());
      }
      return List.copyOf(values);
    }

    String text() {
      String text = textOrNull();
      if (text == null) {
        throw new Malformed("no text where it is required");
      }
      return text;
    }

    @Nullable String textOrNull() {
      int length = integer();
      if (length == -1) {
        return null;
      }
      need(length);
      try {
        ByteBuffer bytes = buffer.slice(buffer.position(), length);
        buffer.position(buffer.position() + length);
        return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      } catch (CharacterCodingException e) {
        throw new Malformed("text that is not UTF-8");
      }
    }

    Source slice() {
      int length = natural();
      need(length);
      Source slice = new Source(buffer.slice(buffer.position(), length));
      buffer.position(buffer.position() + length);
      return slice;
    }

    void end(String what) {
      if (buffer.hasRemaining()) {
        throw new Malformed(what + " with " + buffer.remaining() + " bytes too many");
      }
    }

    int remaining() {
      return buffer.remaining();
    }

    private void need(int bytes) {
      if (bytes < 0 || bytes > buffer.remaining()) {
        throw new Malformed(
            "%d bytes wanted where %d are left".formatted(bytes, buffer.remaining()));
      }
    }
  }
}
