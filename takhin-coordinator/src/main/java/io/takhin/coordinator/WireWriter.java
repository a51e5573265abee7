package io.takhin.coordinator;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Writes the primitive types of Kafka's protocol.
///
/// Threads: one at a time.
public final class WireWriter {
  private ByteBuffer buffer;

  /// A writer with room for so much before it grows.
  public WireWriter(int initialBytes) {
    buffer = ByteBuffer.allocate(initialBytes);
  }

  /// Whether a string can be written by [#string]: lengths have 15 bits.
  public static boolean fits(String value) {
    return value.length() <= Short.MAX_VALUE / 3
        || value.getBytes(StandardCharsets.UTF_8).length <= Short.MAX_VALUE;
  }

  /// One byte.
  public WireWriter int8(byte value) {
    ensure(1);
    buffer.put(value);
    return this;
  }

  /// Two bytes.
  public WireWriter int16(short value) {
    ensure(2);
    buffer.putShort(value);
    return this;
  }

  /// Four bytes.
  public WireWriter int32(int value) {
    ensure(4);
    buffer.putInt(value);
    return this;
  }

  /// Eight bytes.
  public WireWriter int64(long value) {
    ensure(8);
    buffer.putLong(value);
    return this;
  }

  /// Up to five bytes, seven bits in each, the lowest first.
  public WireWriter unsignedVarint(int value) {
    ensure(5);
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      buffer.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    buffer.put((byte) rest);
    return this;
  }

  /// With a length of 2 bytes.
  ///
  /// Errors: IllegalArgumentException unless it [#fits].
  public WireWriter string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    if (utf8.length > Short.MAX_VALUE) {
      throw new IllegalArgumentException("a string of " + utf8.length + " bytes");
    }
    ensure(2 + utf8.length);
    buffer.putShort((short) utf8.length).put(utf8);
    return this;
  }

  /// As [#string], or a length of -1.
  public WireWriter nullableString(@Nullable String value) {
    return value == null ? int16((short) -1) : string(value);
  }

  /// With a varint for length.
  public WireWriter compactString(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    unsignedVarint(utf8.length + 1);
    ensure(utf8.length);
    buffer.put(utf8);
    return this;
  }

  /// With a length of 4 bytes.
  public WireWriter bytes(byte[] value) {
    ensure(Math.addExact(4, value.length));
    buffer.putInt(value.length).put(value);
    return this;
  }

  /// What was written.
  public byte[] toBytes() {
    return Arrays.copyOf(buffer.array(), buffer.position());
  }

  private void ensure(int bytes) {
    if (buffer.remaining() < bytes) {
      int needed = Math.addExact(buffer.position(), bytes);
      ByteBuffer larger = ByteBuffer.allocate(Math.max(needed, buffer.capacity() * 2));
      larger.put(buffer.flip());
      buffer = larger;
    }
  }
}
