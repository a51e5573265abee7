package io.takhin.coordinator;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// The layout of a topic's records.
///
/// Threads: any.
public interface RecordCodec<R> {
  /// The record's key.
  ///
  /// Errors: IllegalArgumentException for a record that has no encoding.
  byte[] key(R record);

  /// The record's value; null for a tombstone.
  ///
  /// Errors: as [#key].
  byte @Nullable [] value(R record);

  /// Reads a record; null for one of a kind that is not known, which is passed over.
  ///
  /// Buffers: key and value are only lent.
  /// Errors: IllegalArgumentException if key or value are not what they say.
  @Nullable R decode(ByteBuffer key, @Nullable ByteBuffer value);
}
