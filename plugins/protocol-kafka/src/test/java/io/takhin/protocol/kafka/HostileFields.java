package io.takhin.protocol.kafka;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/// Where the lengths, counts and tags of a request are, found by walking its bytes along its
/// schema, and requests with one of them replaced: each is wrong in one place and right in all
/// others.
final class HostileFields {
  /// A request that lies, and where.
  record Lie(String what, byte[] frame) {}

  private enum Kind {
    ARRAY,
    TEXT,
    BYTES,
    TAGS
  }

  /// @param at of the length
  /// @param bytes that the length takes
  private record Place(
      String name, Kind kind, boolean compact, boolean nullable, int at, int bytes) {}

  private final ApiKeys api;
  private final short version;
  private final byte[] frame;
  private final ByteBuffer in;
  private final List<Place> places = new ArrayList<>();

  /// @param frame a whole request, with its length before it
  HostileFields(ApiKeys api, short version, byte[] frame) {
    this.api = api;
    this.version = version;
    this.frame = frame;
    in = ByteBuffer.wrap(frame, 4, frame.length - 4);
    RequestHeaderData header = new RequestHeaderData();
    short headerVersion = api.requestHeaderVersion(version);
    header.read(new ByteBufferAccessor(in), headerVersion);
    if (headerVersion >= 2) {
      places.add(new Place("header", Kind.TAGS, true, false, in.position() - 1, 1));
    }
    walk(api.messageType.requestSchemas()[version], "");
    if (in.hasRemaining()) {
      throw new AssertionError(in.remaining() + " bytes left of " + api + " " + version);
    }
  }

  /// Arrays with impossible counts (B2).
  List<Lie> arrays() {
    List<Lie> lies = new ArrayList<>();
    for (Place place : places) {
      if (place.kind == Kind.ARRAY) {
        int remaining = frame.length - place.at - place.bytes;
        for (int count :
            new int[] {
              -2, remaining + 1, 100_001, 1_000_001, Integer.MAX_VALUE - 1, Integer.MIN_VALUE
            }) {
          lies.add(lie(place, "count " + count, length(place, count)));
        }
        if (!place.nullable) {
          lies.add(lie(place, "count -1", length(place, -1)));
        }
        if (place.compact) {
          lies.add(lie(place, "long varint", new byte[] {-1, -1, -1, -1, -1, -1, 1}));
          lies.add(lie(place, "varint of 33 bits", new byte[] {-1, -1, -1, -1, 0x1f}));
        }
      }
    }
    return lies;
  }

  /// Strings and bytes with impossible lengths, and what follows or lacks at the end (B4).
  List<Lie> texts() {
    List<Lie> lies = new ArrayList<>();
    for (Place place : places) {
      if (place.kind == Kind.TEXT || place.kind == Kind.BYTES) {
        int remaining = frame.length - place.at - place.bytes;
        lies.add(lie(place, "length -2", length(place, -2)));
        lies.add(lie(place, "too long", length(place, Math.min(remaining + 1, 32_767))));
        lies.add(lie(place, "longest", length(place, Integer.MAX_VALUE - 1)));
        if (!place.nullable) {
          lies.add(lie(place, "null", length(place, -1)));
        }
      }
    }
    lies.add(new Lie(api + " " + version + " one byte more", sized(join(frame, new byte[1]))));
    for (int cut = 1; cut <= 8 && frame.length - cut >= 12; cut++) {
      byte[] shorter = java.util.Arrays.copyOf(frame, frame.length - cut);
      lies.add(new Lie(api + " " + version + " cut by " + cut, sized(shorter)));
    }
    return lies;
  }

  /// Sections of tags that are no sections (B3).
  List<Lie> tags() {
    List<Lie> lies = new ArrayList<>();
    for (Place place : places) {
      if (place.kind != Kind.TAGS) {
        continue;
      }
      lies.add(lie(place, "20 million tags", varint(20_000_000)));
      lies.add(lie(place, "2^32-1 tags", varint(-1)));
      lies.add(lie(place, "a tag of 2^31 bytes", join(varint(1), varint(99), varint(1 << 31))));
      lies.add(lie(place, "a tag that ends early", join(varint(1), varint(99), varint(90_000))));
      lies.add(lie(place, "a tag twice", new byte[] {2, 90, 0, 90, 0}));
      lies.add(lie(place, "tags that fall", new byte[] {2, 91, 0, 90, 0}));
    }
    return lies;
  }

  /// Tags that nobody knows but that are well made: these must be skipped.
  List<Lie> strangers() {
    List<Lie> requests = new ArrayList<>();
    for (Place place : places) {
      // Within a tagged field its size would have to grow with it.
      if (place.kind == Kind.TAGS && frame[place.at] == 0 && !place.name.contains(".tag")) {
        requests.add(lie(place, "unknown tags", new byte[] {2, 90, 1, 7, 91, 0}));
      }
    }
    return requests;
  }

  private Lie lie(Place place, String what, byte[] instead) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(frame.length + instead.length);
    out.write(frame, 0, place.at);
    out.writeBytes(instead);
    int after = place.at + place.bytes;
    out.write(frame, after, frame.length - after);
    return new Lie(api + " " + version + place.name + ": " + what, sized(out.toByteArray()));
  }

  private static byte[] sized(byte[] whole) {
    ByteBuffer.wrap(whole).putInt(0, whole.length - 4);
    return whole;
  }

  private static byte[] length(Place place, int length) {
    if (place.compact) {
      return varint(length + 1);
    }
    return place.kind == Kind.TEXT
        ? ByteBuffer.allocate(2)
            .putShort((short) (length < 0 ? length : Math.min(length, Short.MAX_VALUE)))
            .array()
        : ByteBuffer.allocate(4).putInt(length).array();
  }

  private static byte[] varint(int value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(5);
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      out.write((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write(rest);
    return out.toByteArray();
  }

  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private int unsignedVarint() {
    int value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = in.get();
      value |= (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
  }

  private int length(String name, Kind kind, boolean compact, boolean nullable) {
    int at = in.position();
    int length = compact ? unsignedVarint() - 1 : kind == Kind.TEXT ? in.getShort() : in.getInt();
    places.add(new Place(name, kind, compact, nullable, at, in.position() - at));
    return length;
  }

  private void walk(Type type, String name) {
    if (type instanceof Schema schema) {
      if (schema.isNullable() && in.get() < 0) {
        return;
      }
      for (BoundField field : schema.fields()) {
        walk(field.def.type, name + "." + field.def.name);
      }
      return;
    }
    if (type instanceof TaggedFields tagged) {
      int at = in.position();
      int count = unsignedVarint();
      places.add(new Place(name, Kind.TAGS, true, false, at, in.position() - at));
      for (int i = 0; i < count; i++) {
        int tag = unsignedVarint();
        unsignedVarint();
        walk(java.util.Objects.requireNonNull(tagged.fields().get(tag)).type, name + ".tag" + tag);
      }
      return;
    }
    Type element = type.arrayElementType().orElse(null);
    if (element != null) {
      int count = length(name, Kind.ARRAY, type instanceof CompactArrayOf, type.isNullable());
      for (int i = 0; i < count; i++) {
        // Lies about the first element say all.
        int before = places.size();
        walk(element, name);
        if (i > 0) {
          places.subList(before, places.size()).clear();
        }
      }
      return;
    }
    scalar(type.toString(), name, type.isNullable());
  }

  private void scalar(String type, String name, boolean nullable) {
    boolean compact = type.startsWith("COMPACT_");
    switch (compact ? type.substring("COMPACT_".length()) : type) {
      case "BOOLEAN", "INT8" -> in.get();
      case "INT16", "UINT16" -> in.getShort();
      case "INT32", "UINT32" -> in.getInt();
      case "INT64", "FLOAT64" -> in.getLong();
      case "UUID" -> in.position(in.position() + 16);
      case "STRING", "NULLABLE_STRING" -> skip(length(name, Kind.TEXT, compact, nullable));
      case "BYTES", "NULLABLE_BYTES" -> skip(length(name, Kind.BYTES, compact, nullable));
      case "RECORDS", "NULLABLE_RECORDS" -> skip(length(name, Kind.BYTES, compact, true));
      default -> throw new AssertionError(type);
    }
  }

  private void skip(int bytes) {
    in.position(in.position() + Math.max(bytes, 0));
  }
}
