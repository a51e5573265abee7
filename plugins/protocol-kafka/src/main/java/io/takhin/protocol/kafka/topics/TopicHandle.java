package io.takhin.protocol.kafka.topics;

import io.takhin.api.partition.PartitionService.Topic;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/// A topic with its name as the wire has it.
public final class TopicHandle {
  private static final Set<String> INTERNAL =
      Set.of("__consumer_offsets", "__transaction_state", "__share_group_state");

  private final Topic topic;
  private final byte[] name;
  private final boolean internal;
  private final long idHigh;
  private final long idLow;

  TopicHandle(Topic topic) {
    this.topic = topic;
    name = topic.name().getBytes(StandardCharsets.UTF_8);
    internal = INTERNAL.contains(topic.name());
    idHigh = topic.id().getMostSignificantBits();
    idLow = topic.id().getLeastSignificantBits();
  }

  /// The topic.
  public Topic topic() {
    return topic;
  }

  /// Whether only brokers write to it (T69).
  public boolean internal() {
    return internal;
  }

  byte[] name() {
    return name;
  }

  long idHigh() {
    return idHigh;
  }

  long idLow() {
    return idLow;
  }
}
