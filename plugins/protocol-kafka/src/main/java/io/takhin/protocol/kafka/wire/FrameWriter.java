package io.takhin.protocol.kafka.wire;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.protocol.Writable;
import org.jspecify.annotations.Nullable;

/// Writes the primitives of Kafka's protocol into a buffer that grows.
///
/// Threading: one thread. Blocking: no. Buffers: appends to the caller's, which stays the caller's.
/// Errors: IndexOutOfBoundsException past the buffer's maximum.
public final class FrameWriter implements Writable {
  private final ByteBuf out;

  /// Appends to `out`.
  public FrameWriter(ByteBuf out) {
    this.out = out;
  }

  @Override
  public void writeByte(byte value) {
    out.writeByte(value);
  }

  @Override
  public void writeShort(short value) {
    out.writeShort(value);
  }

  @Override
  public void writeInt(int value) {
    out.writeInt(value);
  }

  @Override
  public void writeLong(long value) {
    out.writeLong(value);
  }

  @Override
  public void writeDouble(double value) {
    out.writeDouble(value);
  }

  @Override
  public void writeByteArray(byte[] bytes) {
    out.writeBytes(bytes);
  }

  @Override
  public void writeByteBuffer(ByteBuffer bytes) {
    out.writeBytes(bytes.duplicate());
  }

  @Override
  public void writeUnsignedVarint(int value) {
    writeUnsignedVarint(out, value);
  }

  @Override
  public void writeVarint(int value) {
    writeUnsignedVarint(out, (value << 1) ^ (value >> 31));
  }

  @Override
  public void writeVarlong(long value) {
    long raw = (value << 1) ^ (value >> 63);
    while ((raw & ~0x7fL) != 0) {
      out.writeByte(((int) raw & 0x7f) | 0x80);
      raw >>>= 7;
    }
    out.writeByte((int) raw);
  }

  /// Seven bits a byte, the lowest first.
  public static void writeUnsignedVarint(ByteBuf out, int value) {
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      out.writeByte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.writeByte(rest);
  }

  /// How many bytes [#writeUnsignedVarint] takes.
  public static int sizeOfUnsignedVarint(int value) {
    return (38 - Integer.numberOfLeadingZeros(value | 1)) / 7;
  }

  /// The count of an array that is not null.
  public static void writeArrayCount(ByteBuf out, boolean compact, int count) {
    if (compact) {
      writeUnsignedVarint(out, count + 1);
    } else {
      out.writeInt(count);
    }
  }

  /// A string, or null.
  public static void writeString(ByteBuf out, boolean compact, @Nullable String value) {
    if (value == null) {
      writeStringLength(out, compact, -1);
    } else {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      int length = Math.min(bytes.length, Short.MAX_VALUE);
      writeStringLength(out, compact, length);
      out.writeBytes(bytes, 0, length);
    }
  }

  /// The length before a string's bytes, -1 for null.
  public static void writeStringLength(ByteBuf out, boolean compact, int length) {
    if (compact) {
      writeUnsignedVarint(out, length + 1);
    } else {
      out.writeShort(length);
    }
  }

  /// Bytes of a frame as they are.
  public static void writeBytes(ByteBuf out, ByteBuffer frame, int at, int length) {
    out.ensureWritable(length);
    int end = out.writerIndex();
    out.nioBuffer(end, length).put(0, frame, at, length);
    out.writerIndex(end + length);
  }
}
