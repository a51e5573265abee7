package io.takhin.coordinator.group;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Writes the primitive types of Kafka's protocol in their non-flexible form.
final class WireWriter {
  private ByteBuffer buffer;

  WireWriter(int initialBytes) {
    buffer = ByteBuffer.allocate(initialBytes);
  }

  /// Whether a string can be written: lengths have 15 bits.
  static boolean fits(String value) {
    return value.length() <= Short.MAX_VALUE / 3
        || value.getBytes(StandardCharsets.UTF_8).length <= Short.MAX_VALUE;
  }

  WireWriter int16(short value) {
    ensure(2);
    buffer.putShort(value);
    return this;
  }

  WireWriter int32(int value) {
    ensure(4);
    buffer.putInt(value);
    return this;
  }

  WireWriter int64(long value) {
    ensure(8);
    buffer.putLong(value);
    return this;
  }

  WireWriter string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    if (utf8.length > Short.MAX_VALUE) {
      throw new IllegalArgumentException("a string of " + utf8.length + " bytes");
    }
    ensure(2 + utf8.length);
    buffer.putShort((short) utf8.length).put(utf8);
    return this;
  }

  WireWriter nullableString(@Nullable String value) {
    return value == null ? int16((short) -1) : string(value);
  }

  WireWriter bytes(byte[] value) {
    ensure(Math.addExact(4, value.length));
    buffer.putInt(value.length).put(value);
    return this;
  }

  byte[] toBytes() {
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
