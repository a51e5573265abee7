package io.takhin.codec.natives;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/// Decompressed bytes as they come: an array that doubles, so that memory follows what was really
/// produced. It begins at about the size of the input, which the caller already paid for.
///
/// Threading: one thread.
final class Output {
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

  /// For whoever has none: an array of its own is made.
  static final byte[] NO_SCRATCH = {};

  private final int maxBytes;
  private byte[] bytes;
  private int length;

  /// @param firstBytes room to begin with
  /// @param maxBytes how long the whole may become
  Output(int firstBytes, int maxBytes) {
    this(firstBytes, maxBytes, NO_SCRATCH);
  }

  /// @param scratch to be written to instead of a fresh array if there is room in it
  Output(int firstBytes, int maxBytes, byte[] scratch) {
    this.maxBytes = Math.clamp(maxBytes, 0, LARGEST_ARRAY - 1);
    int first = Math.clamp(firstBytes, 256, Math.max(256, this.maxBytes));
    this.bytes = scratch.length >= first ? scratch : new byte[first];
  }

  /// How much there is.
  int length() {
    return length;
  }

  /// How much may still come.
  int allowed() {
    return maxBytes - length;
  }

  /// The array, which changes with [#ensure].
  byte[] bytes() {
    return bytes;
  }

  /// Makes room for `more` bytes after [#length].
  void ensure(int more) {
    int needed = (int) Math.min((long) length + more, LARGEST_ARRAY);
    if (needed > bytes.length) {
      int doubled = (int) Math.min(2L * bytes.length, LARGEST_ARRAY);
      bytes = Arrays.copyOf(bytes, Math.max(needed, doubled));
    }
  }

  /// A view of the free room, at least one byte of it: a stream that is longer than allowed shows
  /// itself by filling one byte too many.
  ByteBuffer room() {
    ensure(1);
    return ByteBuffer.wrap(bytes, length, Math.min(bytes.length - length, allowed() + 1));
  }

  /// Counts what was written after [#length].
  void added(int count) {
    if (count > allowed()) {
      throw tooLarge();
    }
    length += count;
  }

  /// All of it, from 0 to its limit.
  ByteBuffer done() {
    return ByteBuffer.wrap(bytes, 0, length).slice();
  }

  /// What is thrown when the output would pass its bound.
  TakhinException tooLarge() {
    return new TakhinException(
        ErrorCode.MESSAGE_TOO_LARGE,
        "a batch decompresses to more than the " + maxBytes + " bytes allowed");
  }
}
