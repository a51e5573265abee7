package io.takhin.coordinator.transaction;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes the primitive types of Kafka's protocol.
final class WireWriter {
  private ByteBuffer buffer;

  WireWriter(int initialBytes) {
    buffer = ByteBuffer.allocate(initialBytes);
  }

  WireWriter int8(byte value) {
    ensure(1);
    buffer.put(value);
    return this;
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

  WireWriter unsignedVarint(int value) {
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
  WireWriter string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    if (utf8.length > Short.MAX_VALUE) {
      throw new IllegalArgumentException("a string of " + utf8.length + " bytes");
    }
    ensure(2 + utf8.length);
    buffer.putShort((short) utf8.length).put(utf8);
    return this;
  }

  /// With a varint for length.
  WireWriter compactString(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    unsignedVarint(utf8.length + 1);
    ensure(utf8.length);
    buffer.put(utf8);
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
