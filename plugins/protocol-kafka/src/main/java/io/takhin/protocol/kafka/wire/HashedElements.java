package io.takhin.protocol.kafka.wire;

import java.lang.reflect.Constructor;
import org.apache.kafka.common.protocol.Message;

/// What an array costs that a message class keeps in its hashed collection, known before that
/// collection is made.
///
/// The collection probes one slot after the other, has `2 n + 1` slots for the first thousand of n
/// announced elements, and doubles when half are full. To grow it takes the elements out one by
/// one, and each that goes makes all that follow without a gap move up: elements whose hashes the
/// client chose to fall on each other take cubic time, a thousand of them in 10 KB two seconds of
/// an event loop. The steps are found here by filling the same slots with numbers.
///
/// Threading: any. Buffers: elements are read one at a time and dropped.
final class HashedElements {
  /// Steps that the collections of one request may take: some 100 ms.
  static final long MAX_STEPS = 50_000_000;

  /// So few are taken for the worst without a look.
  private static final int FEW = 16;

  private static final int FIRST_CAPACITY = 1000;

  private final Constructor<?> element;

  HashedElements(Class<?> type) {
    try {
      element = type.getConstructor();
    } catch (NoSuchMethodException e) {
      throw new IllegalArgumentException(type + " cannot be made", e);
    }
  }

  /// Steps for the array of `count` elements that a reader stands before.
  long steps(FrameReader at, int count, short version) {
    if (count <= FEW) {
      return (long) count * count * count;
    }
    int[] hashes = new int[count];
    for (int i = 0; i < count; i++) {
      hashes[i] = read(at, version).hashCode() & Integer.MAX_VALUE;
    }
    return steps(hashes);
  }

  private Object read(FrameReader at, short version) {
    try {
      Message message = (Message) element.newInstance();
      message.read(at, version);
      return message;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(element + " cannot be called", e);
    }
  }

  /// The same for hashes, none of them negative.
  static long steps(int[] hashes) {
    long steps = 0;
    int capacity = 2 * Math.min(hashes.length, FIRST_CAPACITY) + 1;
    boolean grows = true;
    while (grows && steps <= MAX_STEPS) {
      grows = hashes.length >= capacity / 2;
      int[] slots = new int[capacity];
      steps += fill(slots, hashes, Math.min(hashes.length, capacity / 2));
      if (grows) {
        steps += emptying(slots);
        capacity = 2 * capacity + 1;
      }
    }
    return steps;
  }

  /// Puts 1 and how far it lies from its place into the slot of each element.
  private static long fill(int[] slots, int[] hashes, int count) {
    long steps = 0;
    for (int i = 0; i < count && steps <= MAX_STEPS; i++) {
      int away = 0;
      int slot = hashes[i] % slots.length;
      while (slots[slot] != 0) {
        away++;
        slot = slot + 1 == slots.length ? 0 : slot + 1;
      }
      slots[slot] = away + 1;
      steps += away + 1;
    }
    return steps;
  }

  /// For each element of a run without gaps, all the others move, each past what is before it.
  private static long emptying(int[] slots) {
    int gap = 0;
    while (slots[gap] != 0) {
      gap++; // there is one: at most half of them are full
    }
    long steps = 0;
    long length = 0;
    long moves = 0;
    for (int i = 1; i <= slots.length; i++) {
      int slot = slots[(gap + i) % slots.length];
      if (slot != 0) {
        length++;
        moves += slot;
      } else {
        steps += length * moves;
        length = 0;
        moves = 0;
      }
    }
    return steps;
  }
}
