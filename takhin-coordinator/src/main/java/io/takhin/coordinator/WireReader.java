package io.takhin.coordinator;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Reads the primitive types of Kafka's protocol, in which the records of internal topics are
/// written, plain or flexible. Every length is checked against what is there before anything is
/// allocated for it.
///
/// Threads: one at a time.
///
/// Errors: BufferUnderflowException past the end, IllegalArgumentException for a null or a varint
/// where there can be none.
public final class WireReader {
  /// Takes tagged fields.
  public interface FieldVisitor {
    /// A field; its data is only lent.
    void field(int tag, ByteBuffer data);
  }

  private final ByteBuffer buffer;
  private final boolean flexible;

  /// A reader that moves the buffer's position.
  public WireReader(ByteBuffer buffer, boolean flexible) {
    this.buffer = buffer;
    this.flexible = flexible;
  }

  /// One byte.
  public byte int8() {
    return buffer.get();
  }

  /// Two bytes.
  public short int16() {
    return buffer.getShort();
  }

  /// Four bytes.
  public int int32() {
    return buffer.getInt();
  }

  /// Eight bytes.
  public long int64() {
    return buffer.getLong();
  }

  /// A string that is there.
  public String string() {
    String value = nullableString();
    if (value == null) {
      throw new IllegalArgumentException("null where a string must be");
    }
    return value;
  }

  /// A string or null.
  public @Nullable String nullableString() {
    int length = flexible ? unsignedVarint() - 1 : buffer.getShort();
    byte[] utf8 = take(length);
    return utf8 == null ? null : new String(utf8, StandardCharsets.UTF_8);
  }

  /// Bytes that are there.
  public byte[] bytes() {
    byte[] value = take(flexible ? unsignedVarint() - 1 : buffer.getInt());
    if (value == null) {
      throw new IllegalArgumentException("null where bytes must be");
    }
    return value;
  }

  /// Elements of an array that follows; each takes at least one byte.
  public int arrayLength() {
    int length = lengthOrNegative();
    if (length < 0) {
      throw new IllegalArgumentException("an array of " + length);
    }
    return length;
  }

  /// As [#arrayLength], and 0 for null.
  public int nullableArrayLength() {
    return Math.max(0, lengthOrNegative());
  }

  private int lengthOrNegative() {
    int length = flexible ? unsignedVarint() - 1 : buffer.getInt();
    if (length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    return length;
  }

  /// The tagged fields at the end of a structure; there are none in plain encoding.
  public void taggedFields(FieldVisitor visitor) {
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

  /// Passes over the tagged fields at the end of a structure.
  public void skipTaggedFields() {
    taggedFields((tag, data) -> {});
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
