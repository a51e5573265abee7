package io.takhin.storage.local;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Steps over uncompressed records and checks that they are what their batch says, without an
/// object for each.
///
/// Threading: one thread; one object for each walk.
final class RecordWalk {
  private final ByteBuffer in;
  private final int end;
  private int at;
  private long minTimestamp = Long.MAX_VALUE;
  private long maxTimestamp = -1;
  private int firstWithMax;
  private boolean keyMissing;

  /// A walk over `in[from..end)`.
  RecordWalk(ByteBuffer in, int from, int end) {
    this.in = in;
    this.at = from;
    this.end = end;
  }

  /// Walks `count` records with dense offset deltas.
  ///
  /// @return what is wrong; null if nothing is
  @Nullable String run(int count, long baseTimestamp) {
    try {
      for (int i = 0; i < count; i++) {
        int length = varint();
        int recordEnd = at + length;
        if (length < 0 || length > end - at) {
          return "record " + i + " of " + count + " passes its batch";
        }
        at++; // attributes, unused
        long timestamp = baseTimestamp + varlong();
        if (varint() != i) {
          return "record " + i + " has another offset delta";
        }
        note(timestamp, i);
        int key = varint();
        keyMissing |= key < 0;
        if (!skip(key) || !skip(varint()) || !headers() || at != recordEnd) {
          return "record " + i + " of " + count + " does not fit its length";
        }
      }
    } catch (IndexOutOfBoundsException e) {
      return "the records end early";
    }
    return at == end ? null : (end - at) + " bytes after the last record";
  }

  private void note(long timestamp, int index) {
    if (timestamp != -1) {
      minTimestamp = Math.min(minTimestamp, timestamp);
    }
    if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp;
      firstWithMax = index;
    }
  }

  private boolean headers() {
    int headers = varint();
    if (headers < 0 || headers > end - at) {
      return false;
    }
    for (int i = 0; i < headers; i++) {
      int key = varint();
      if (key < 0 || !skip(key) || !skip(varint())) {
        return false;
      }
    }
    return true;
  }

  private boolean skip(int length) {
    if (length < -1 || length > end - at) {
      return false;
    }
    at += Math.max(0, length);
    return true;
  }

  private int varint() {
    long value = varlong();
    if (value != (int) value) {
      throw new IndexOutOfBoundsException("a number beyond 32 bits");
    }
    return (int) value;
  }

  private long varlong() {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at >= end) {
        throw new IndexOutOfBoundsException("end of the records");
      }
      byte b = in.get(at++);
      value |= (b & 0x7fL) << shift;
      if (b >= 0) {
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw new IndexOutOfBoundsException("a number of more than 10 bytes");
  }

  /// The smallest timestamp, leaving out records without one; Long.MAX_VALUE if none has one.
  long minTimestamp() {
    return minTimestamp;
  }

  /// The greatest timestamp, or -1.
  long maxTimestamp() {
    return maxTimestamp;
  }

  /// The index of the first record with the greatest timestamp.
  int firstWithMax() {
    return firstWithMax;
  }

  /// Whether a record has no key.
  boolean keyMissing() {
    return keyMissing;
  }
}
