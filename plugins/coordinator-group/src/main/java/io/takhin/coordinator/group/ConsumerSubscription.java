package io.takhin.coordinator.group;

import io.takhin.coordinator.WireReader;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The one look that a coordinator takes into a member's metadata: which topics a member of
/// protocol type `consumer` subscribes to. Only the part that every version since 0 has is read:
/// version (2), count (4), topics as strings.
final class ConsumerSubscription {
  /// The protocol type of consumers; others keep something else in their metadata (T66).
  static final String PROTOCOL_TYPE = "consumer";

  private static final int MAX_TOPICS = 1_000_000;

  private ConsumerSubscription() {}

  /// The topics, or null if the bytes are not a subscription.
  static @Nullable Set<String> topics(byte[] metadata) {
    try {
      WireReader in = new WireReader(ByteBuffer.wrap(metadata), false);
      if (in.int16() < 0) {
        return null;
      }
      int count = in.arrayLength();
      if (count > MAX_TOPICS) {
        return null;
      }
      Set<String> topics = new HashSet<>();
      for (int i = 0; i < count; i++) {
        topics.add(in.string());
      }
      return topics;
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      // Not an error: custom assignors may keep anything there.
      return null;
    }
  }
}
