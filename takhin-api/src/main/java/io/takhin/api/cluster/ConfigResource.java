package io.takhin.api.cluster;

import io.takhin.api.Api;

/// What a config belongs to; by kind and name in order, so that hash maps of names that a client
/// chose stay quick when their hashes are the same.
///
/// @param name topic, broker id or group id; an empty broker name is the default of all brokers
@Api(status = Api.Status.EVOLVING, since = "0.1")
public record ConfigResource(Type type, String name) implements Comparable<ConfigResource> {
  @Override
  public int compareTo(ConfigResource other) {
    int byType = type.compareTo(other.type);
    return byType != 0 ? byType : name.compareTo(other.name);
  }

  /// Kinds, by Kafka's numbers.
  public enum Type {
    /// A topic.
    TOPIC(2),
    /// A broker, or all.
    BROKER(4),
    /// Log levels of a broker.
    BROKER_LOGGER(8),
    /// Client metrics subscription (KIP-714).
    CLIENT_METRICS(16),
    /// A group (KIP-848).
    GROUP(32);

    private final byte id;

    Type(int id) {
      this.id = (byte) id;
    }

    /// The number on the wire.
    public byte id() {
      return id;
    }
  }
}
