package io.takhin.protocol.kafka.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.jspecify.annotations.Nullable;

/// Reads one frame in place: for the hot APIs field by field, for the others as the [Readable] of
/// the message classes.
///
/// Every length is checked against what remains of the frame before anything is allocated, array
/// counts also against [#MAX_ELEMENTS] and the fewest bytes that an element takes, so that a frame
/// cannot make the broker allocate more than a small multiple of what was sent (CVE-2026-111108,
/// CVE-2026-111115). Tagged fields that are unknown are skipped, not kept.
///
/// Threading: one thread. Blocking: no. Buffers: borrows the frame; strings and byte arrays are
/// copies, [#slice(int, int)] is a view that lives as long as the frame. Errors:
/// [MalformedRequestException] for whatever the bytes are.
public final class FrameReader implements Readable {
  /// The most elements that all arrays of a frame may have together, unless said otherwise.
  public static final int MAX_ELEMENTS = 100_000;

  /// The most tagged fields in one section, and the most unknown ones in a whole frame.
  public static final int MAX_TAGS = 10_000;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
  private static final byte[] NO_BYTES = {};

  private ByteBuffer buffer = NOTHING;
  private int position;
  private int end;
  private int unknownTags;
  private int elements;
  private final int maxElements;

  /// Reads nothing until [#reset].
  public FrameReader() {
    this(MAX_ELEMENTS);
  }

  /// The same.
  ///
  /// @param maxElements the most elements that all arrays of a frame may have together
  public FrameReader(int maxElements) {
    this.maxElements = maxElements;
  }

  /// Reads a whole buffer.
  public FrameReader(ByteBuffer frame) {
    this(MAX_ELEMENTS);
    reset(frame, frame.position(), frame.limit());
  }

  /// Begins with another frame.
  ///
  /// @param frame big-endian; its position is left alone
  /// @param from index of the first byte
  /// @param until index after the last byte
  public FrameReader reset(ByteBuffer frame, int from, int until) {
    if (from < 0 || until < from || until > frame.capacity()) {
      throw new IndexOutOfBoundsException(from + " to " + until + " of " + frame.capacity());
    }
    buffer = frame;
    position = from;
    end = until;
    unknownTags = 0;
    elements = 0;
    return this;
  }

  /// Lets go of the frame.
  public void clear() {
    buffer = NOTHING;
    position = 0;
    end = 0;
  }

  /// The frame's bytes.
  public ByteBuffer buffer() {
    return buffer;
  }

  /// Index of the next byte.
  public int position() {
    return position;
  }

  @Override
  public int remaining() {
    return end - position;
  }

  private int take(int bytes) {
    if (bytes < 0 || bytes > end - position) {
      throw new MalformedRequestException(
          "a field of " + bytes + " bytes where " + (end - position) + " remain");
    }
    int at = position;
    position += bytes;
    return at;
  }

  /// Skips bytes.
  public void skip(int bytes) {
    take(bytes);
  }

  /// A view of bytes of the frame by absolute index.
  public ByteBuffer slice(int at, int length) {
    return buffer.slice(at, length);
  }

  @Override
  public byte readByte() {
    return buffer.get(take(1));
  }

  @Override
  public short readShort() {
    return buffer.getShort(take(2));
  }

  @Override
  public int readInt() {
    return buffer.getInt(take(4));
  }

  @Override
  public long readLong() {
    return buffer.getLong(take(8));
  }

  @Override
  public double readDouble() {
    return buffer.getDouble(take(8));
  }

  @Override
  public byte[] readArray(int length) {
    int at = take(length);
    if (length == 0) {
      return NO_BYTES;
    }
    byte[] bytes = new byte[length];
    buffer.get(at, bytes);
    return bytes;
  }

  @Override
  public String readString(int length) {
    return length == 0 ? "" : new String(readArray(length), StandardCharsets.UTF_8);
  }

  /// A copy: message classes may outlive the frame.
  @Override
  public ByteBuffer readByteBuffer(int length) {
    return ByteBuffer.wrap(readArray(length));
  }

  @Override
  public int readUnsignedVarint() {
    int value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      byte b = readByte();
      value |= (b & 0x7f) << shift;
      if (b >= 0) {
        if (shift == 28 && b > 0x0f) {
          break;
        }
        return value;
      }
    }
    throw new MalformedRequestException("a varint of more than 32 bits");
  }

  @Override
  public int readVarint() {
    int raw = readUnsignedVarint();
    return (raw >>> 1) ^ -(raw & 1);
  }

  @Override
  public long readVarlong() {
    long raw = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      byte b = readByte();
      raw |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return (raw >>> 1) ^ -(raw & 1);
      }
    }
    throw new MalformedRequestException("a varint of more than 64 bits");
  }

  @Override
  public Readable slice() {
    return new FrameReader(maxElements).reset(buffer, position, end);
  }

  @Override
  public @Nullable List<RawTaggedField> readUnknownTaggedField(
      @Nullable List<RawTaggedField> fields, int tag, int size) {
    skipUnknownTag(size);
    return fields;
  }

  private void skipUnknownTag(int size) {
    if (++unknownTags > MAX_TAGS) {
      throw new MalformedRequestException("more than " + MAX_TAGS + " unknown tagged fields");
    }
    take(size);
  }

  /// The count of an array, -1 for null.
  ///
  /// @param compact whether the version is flexible
  /// @param elementBytes the fewest bytes that an element takes
  public int readArrayCount(boolean compact, int elementBytes) {
    int count = compact ? readUnsignedVarint() - 1 : readInt();
    if (count < -1 || (long) count * elementBytes > end - position) {
      throw new MalformedRequestException(
          "an array of " + count + " elements where " + (end - position) + " bytes remain");
    }
    elements += Math.max(count, 0); // each took a byte, so this cannot overflow
    if (elements > maxElements) {
      throw new MalformedRequestException(
          "more than " + maxElements + " elements of arrays (kafka.request.max.elements)");
    }
    return count;
  }

  /// The length of a string, -1 for null, checked against what remains.
  public int readStringLength(boolean compact) {
    int length = compact ? readUnsignedVarint() - 1 : readShort();
    if (length < -1 || length > end - position || length > Short.MAX_VALUE) {
      throw new MalformedRequestException(
          "a string of " + length + " bytes where " + (end - position) + " remain");
    }
    return length;
  }

  /// The length of bytes or records, -1 for null, checked against what remains.
  public int readBytesLength(boolean compact) {
    int length = compact ? readUnsignedVarint() - 1 : readInt();
    if (length < -1 || length > end - position) {
      throw new MalformedRequestException(
          "bytes of length " + length + " where " + (end - position) + " remain");
    }
    return length;
  }

  /// The number of tagged fields that follow.
  public int readTagCount() {
    int count = readUnsignedVarint();
    if (count < 0 || count > MAX_TAGS || count * 2 > end - position) {
      throw new MalformedRequestException(
          count + " tagged fields where " + (end - position) + " bytes remain");
    }
    return count;
  }

  /// Skips a section of tagged fields of which none is known.
  public void skipTags() {
    int before = -1;
    for (int i = readTagCount(); i > 0; i--) {
      before = nextTag(before);
      skipUnknownTag(readUnsignedVarint());
    }
  }

  /// The number of the next tagged field, which must be higher than the one before it.
  public int nextTag(int before) {
    int tag = readUnsignedVarint();
    if (tag <= before) {
      throw new MalformedRequestException("tagged fields that are not in order, or twice");
    }
    return tag;
  }

  /// Skips the value of a tagged field that is unknown.
  public void skipTag(int size) {
    skipUnknownTag(size);
  }

  /// Checks that the frame is used up.
  public void expectEnd() {
    if (position != end) {
      throw new MalformedRequestException((end - position) + " bytes after the request's end");
    }
  }
}
