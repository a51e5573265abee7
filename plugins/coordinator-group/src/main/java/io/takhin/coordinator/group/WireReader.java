package io.takhin.coordinator.group;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Reads the primitive types of Kafka's protocol, plain or flexible. Every length is checked
/// against what is there before anything is allocated for it.
///
/// Errors: BufferUnderflowException past the end, IllegalArgumentException for a null or a varint
/// where there can be none.
final class WireReader {
  private final ByteBuffer buffer;
  private final boolean flexible;

  /// A reader that moves the buffer's position.
  WireReader(ByteBuffer buffer, boolean flexible) {
    this.buffer = buffer;
    this.flexible = flexible;
  }

  short int16() {
    return buffer.getShort();
  }

  int int32() {
    return buffer.getInt();
  }

  long int64() {
    return buffer.getLong();
  }

  String string() {
    String value = nullableString();
    if (value == null) {
      throw new IllegalArgumentException("null where a string must be");
    }
    return value;
  }

  @Nullable String nullableString() {
    int length = flexible ? unsignedVarint() - 1 : buffer.getShort();
    byte[] utf8 = take(length);
    return utf8 == null ? null : new String(utf8, StandardCharsets.UTF_8);
  }

  byte[] bytes() {
    byte[] value = take(flexible ? unsignedVarint() - 1 : buffer.getInt());
    if (value == null) {
      throw new IllegalArgumentException("null where bytes must be");
    }
    return value;
  }

  /// Elements of an array that follows; each takes at least one byte.
  int arrayLength() {
    int length = flexible ? unsignedVarint() - 1 : buffer.getInt();
    if (length < 0) {
      throw new IllegalArgumentException("an array of " + length);
    }
    if (length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    return length;
  }

  /// Passes over the tagged fields at the end of a structure; nothing in plain encoding.
  void skipTaggedFields() {
    if (flexible) {
      int count = unsignedVarint();
      for (int i = 0; i < count; i++) {
        unsignedVarint();
        take(unsignedVarint());
      }
    }
  }

  private byte @Nullable [] take(int length) {
    if (length < 0) {
      return null;
    }
    if (length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] taken = new byte[length];
    buffer.get(taken);
    return taken;
  }

  private int unsignedVarint() {
    int value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      byte b = buffer.get();
      value |= (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a varint of more than 5 bytes");
  }
}
