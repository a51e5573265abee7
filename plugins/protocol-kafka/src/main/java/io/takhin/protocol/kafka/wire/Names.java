package io.takhin.protocol.kafka.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Strings by their bytes in frames, so that a client which says the same names again and again
/// costs no string each time. Each place holds the last name that fell on it: names that collide
/// drive each other out, and memory is bounded whatever clients send.
///
/// Threading: one loop. Blocking: no.
public final class Names {
  private static final int PLACES = 4096;

  /// Longer names are made anew each time.
  static final int MAX_BYTES = 256;

  private @Nullable Name[] places = new Name[16];
  private int held;

  /// None met yet.
  public Names() {}

  private record Name(byte[] bytes, String text) {}

  /// Reads a string whose length was read before; null for -1.
  public @Nullable String readNullable(FrameReader in, int length) {
    return length < 0 ? null : read(in, length);
  }

  /// Reads a string whose length was read before, and which must not be null.
  public String read(FrameReader in, int length) {
    if (length < 0) {
      throw new MalformedRequestException("null where a string must be");
    }
    if (length == 0) {
      return "";
    }
    if (length > MAX_BYTES) {
      return in.readString(length);
    }
    int at = in.position();
    in.skip(length);
    ByteBuffer frame = in.buffer();
    int hash = hash(frame, at, length);
    Name name = places[hash & (places.length - 1)];
    if (name != null && same(name.bytes, frame, at, length)) {
      return name.text;
    }
    byte[] bytes = new byte[length];
    frame.get(at, bytes);
    Name made = new Name(bytes, new String(bytes, StandardCharsets.UTF_8));
    put(made, hash);
    return made.text;
  }

  private void put(Name name, int hash) {
    if (held * 2 >= places.length && places.length < PLACES) {
      @Nullable Name[] old = places;
      places = new Name[old.length * 4];
      held = 0;
      for (Name each : old) {
        if (each != null) {
          place(each, hash(ByteBuffer.wrap(each.bytes), 0, each.bytes.length));
        }
      }
    }
    place(name, hash);
  }

  private void place(Name name, int hash) {
    int at = hash & (places.length - 1);
    if (places[at] == null) {
      held++;
    }
    places[at] = name;
  }

  private static int hash(ByteBuffer frame, int at, int length) {
    int hash = 0x811c9dc5;
    for (int i = at; i < at + length; i++) {
      hash = (hash ^ frame.get(i)) * 0x01000193;
    }
    return hash ^ hash >>> 15;
  }

  private static boolean same(byte[] name, ByteBuffer frame, int at, int length) {
    if (name.length != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (name[i] != frame.get(at + i)) {
        return false;
      }
    }
    return true;
  }

  /// One for each loop.
  public static Names[] forLoops(int loops) {
    Names[] all = new Names[loops];
    Arrays.setAll(all, i -> new Names());
    return all;
  }
}
