package io.takhin.coordinator.transaction;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Reads the primitive types of Kafka's protocol, plain or flexible. Every length is checked
/// against what is there before anything is allocated for it.
///
/// Errors: BufferUnderflowException past the end, IllegalArgumentException for a null or a varint
/// where there can be none.
final class WireReader {
  /// Takes tagged fields.
  interface FieldVisitor {
    void field(int tag, ByteBuffer data);
  }

  private final ByteBuffer buffer;
  private final boolean flexible;

  /// A reader that moves the buffer's position.
  WireReader(ByteBuffer buffer, boolean flexible) {
    this.buffer = buffer;
    this.flexible = flexible;
  }

  byte int8() {
    return buffer.get();
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
    int length = flexible ? unsignedVarint() - 1 : buffer.getShort();
    if (length < 0) {
      throw new IllegalArgumentException("null where a string must be");
    }
    if (length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] utf8 = new byte[length];
    buffer.get(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /// Elements of an array that follows, 0 for null; each takes at least one byte.
  int nullableArrayLength() {
    int length = flexible ? unsignedVarint() - 1 : buffer.getInt();
    if (length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    return Math.max(0, length);
  }

  /// The tagged fields at the end of a structure; there are none in plain encoding.
  void taggedFields(FieldVisitor visitor) {
    if (flexible) {
      int count = unsignedVarint();
      for (int i = 0; i < count; i++) {
        int tag = unsignedVarint();
        int size = unsignedVarint();
        if (size < 0 || size > buffer.remaining()) {
          throw new BufferUnderflowException();
        }
        visitor.field(tag, buffer.slice(buffer.position(), size));
        buffer.position(buffer.position() + size);
      }
    }
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
