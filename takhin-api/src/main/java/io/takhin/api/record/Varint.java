package io.takhin.api.record;

import io.takhin.api.Api;
import java.nio.ByteBuffer;

/// Zigzag variable-length integers, as records use them (protobuf's `sint32`, `sint64`).
@Api(status = Api.Status.STABLE, since = "0.1")
public final class Varint {
  private Varint() {}

  /// Reads one and moves the position.
  ///
  /// Errors: IllegalArgumentException for more than 5 bytes; BufferUnderflowException past the
  /// limit.
  public static int readInt(ByteBuffer buffer) {
    int value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      byte b = buffer.get();
      value |= (b & 0x7f) << shift;
      if (b >= 0) {
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw new IllegalArgumentException("a varint of more than 5 bytes");
  }

  /// Reads one and moves the position.
  ///
  /// Errors: IllegalArgumentException for more than 10 bytes; BufferUnderflowException past the
  /// limit.
  public static long readLong(ByteBuffer buffer) {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      byte b = buffer.get();
      value |= (b & 0x7fL) << shift;
      if (b >= 0) {
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw new IllegalArgumentException("a varlong of more than 10 bytes");
  }

  /// Writes one.
  public static void writeInt(ByteBuffer buffer, int value) {
    writeUnsigned(buffer, ((value << 1) ^ (value >> 31)) & 0xffffffffL);
  }

  /// Writes one.
  public static void writeLong(ByteBuffer buffer, long value) {
    writeUnsigned(buffer, (value << 1) ^ (value >> 63));
  }

  /// Bytes that [#writeInt] takes.
  public static int sizeOf(int value) {
    return sizeOfUnsigned(((value << 1) ^ (value >> 31)) & 0xffffffffL);
  }

  /// Bytes that [#writeLong] takes.
  public static int sizeOf(long value) {
    return sizeOfUnsigned((value << 1) ^ (value >> 63));
  }

  private static void writeUnsigned(ByteBuffer buffer, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      buffer.put((byte) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    buffer.put((byte) rest);
  }

  private static int sizeOfUnsigned(long value) {
    return Math.max(1, (70 - Long.numberOfLeadingZeros(value)) / 7);
  }
}
