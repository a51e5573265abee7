package io.takhin.api.cluster;

import io.takhin.api.Api;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One config of a resource, as DescribeConfigs shows it.
///
/// @param value null for secrets and for what has no value
/// @param synonyms where values could come from, the one in force first
@Api(status = Api.Status.EVOLVING, since = "0.1")
public record ConfigEntry(
    String name,
    @Nullable String value,
    Source source,
    boolean sensitive,
    boolean readOnly,
    Type type,
    @Nullable String documentation,
    List<Synonym> synonyms) {
  /// Where a value could come from.
  public record Synonym(String name, @Nullable String value, Source source) {}

  /// Sources, by Kafka's numbers.
  public enum Source {
    /// Set for the topic.
    DYNAMIC_TOPIC_CONFIG(1),
    /// Set for this broker.
    DYNAMIC_BROKER_CONFIG(2),
    /// Set for all brokers.
    DYNAMIC_DEFAULT_BROKER_CONFIG(3),
    /// From file, environment or flags.
    STATIC_BROKER_CONFIG(4),
    /// Nobody set it.
    DEFAULT_CONFIG(5),
    /// A logger's level.
    DYNAMIC_BROKER_LOGGER_CONFIG(6),
    /// Set for a client metrics subscription.
    CLIENT_METRICS_CONFIG(7),
    /// Set for a group.
    GROUP_CONFIG(8);

    private final byte id;

    Source(int id) {
      this.id = (byte) id;
    }

    /// The number on the wire.
    public byte id() {
      return id;
    }
  }

  /// Types, by Kafka's numbers from 1.
  public enum Type {
    /// `true`, `false`.
    BOOLEAN,
    /// Text.
    STRING,
    /// 32 bits.
    INT,
    /// 16 bits.
    SHORT,
    /// 64 bits.
    LONG,
    /// Floating point.
    DOUBLE,
    /// Comma-separated.
    LIST,
    /// A class name.
    CLASS,
    /// A secret.
    PASSWORD;

    /// The number on the wire.
    public byte id() {
      return (byte) (ordinal() + 1);
    }
  }
}
