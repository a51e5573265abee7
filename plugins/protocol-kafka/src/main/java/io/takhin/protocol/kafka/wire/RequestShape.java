package io.takhin.protocol.kafka.wire;

import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.jspecify.annotations.Nullable;

/// What the requests of one API and version look like, compiled from their schema: a frame is
/// stepped over by it before message classes make objects of it.
///
/// The message classes check counts and lengths against what remains, but a request that is honest
/// may still hold a million elements of two bytes each, for each of which they make an object of a
/// hundred, and one kind of their collections takes cubic time for elements that fall on each
/// other. So elements are counted here first, without an object for anything:
/// [FrameReader#readArrayCount] bounds how many a frame holds in all, [HashedElements] what they
/// cost where that kind of collection is made.
///
/// Threading: any; it does not change.
public final class RequestShape {
  private final Part body;

  private RequestShape(Part body) {
    this.body = body;
  }

  /// Compiles the schema of an API's version, and looks into the message class for the arrays that
  /// it keeps in hashed collections.
  public static RequestShape of(ApiKeys api, short version) {
    Schema schema = api.messageType.requestSchemas()[version];
    return new RequestShape(
        new Compiler(version).struct(schema, api.messageType.newRequest().getClass()));
  }

  /// Steps over the request and checks that nothing follows it.
  ///
  /// Errors: MalformedRequestException.
  public void check(FrameReader in) {
    body.skip(in, new Cost());
    in.expectEnd();
  }

  /// What the collections of one request cost.
  private static final class Cost {
    private long steps;

    void add(long more) {
      steps += more;
      if (steps > HashedElements.MAX_STEPS) {
        throw new MalformedRequestException("an array of elements that fall on each other");
      }
    }
  }

  /// A part of a request. [#minBytes] is the fewest bytes that it takes.
  private sealed interface Part {
    void skip(FrameReader in, Cost cost);

    int minBytes();
  }

  private record Fixed(int minBytes) implements Part {
    @Override
    public void skip(FrameReader in, Cost cost) {
      in.skip(minBytes);
    }
  }

  private record Text(boolean compact, boolean nullable) implements Part {
    @Override
    public void skip(FrameReader in, Cost cost) {
      in.skip(checked(in.readStringLength(compact), nullable));
    }

    @Override
    public int minBytes() {
      return compact ? 1 : 2;
    }
  }

  private record Bytes(boolean compact, boolean nullable) implements Part {
    @Override
    public void skip(FrameReader in, Cost cost) {
      in.skip(checked(in.readBytesLength(compact), nullable));
    }

    @Override
    public int minBytes() {
      return compact ? 1 : 4;
    }
  }

  private record Array(
      boolean compact,
      boolean nullable,
      Part element,
      @Nullable HashedElements hashed,
      short version)
      implements Part {
    @Override
    public void skip(FrameReader in, Cost cost) {
      int count = checked(in.readArrayCount(compact, element.minBytes()), nullable);
      if (element instanceof Fixed(int bytes)) {
        in.skip(count * bytes); // the count was checked against what remains
        return;
      }
      int from = in.position();
      for (int i = 0; i < count; i++) {
        element.skip(in, cost);
      }
      if (hashed != null) {
        // Only now: what the elements hold themselves was looked at.
        FrameReader again = new FrameReader().reset(in.buffer(), from, in.position());
        cost.add(hashed.steps(again, count, version));
      }
    }

    @Override
    public int minBytes() {
      return compact ? 1 : 4;
    }
  }

  private record Struct(List<Part> fields, boolean nullable, int minBytes) implements Part {
    @Override
    public void skip(FrameReader in, Cost cost) {
      if (nullable && in.readByte() < 0) {
        return;
      }
      for (Part field : fields) {
        field.skip(in, cost);
      }
    }
  }

  /// Tags rise; a known one must fill its size.
  private record Tags(Map<Integer, Part> known) implements Part {
    @Override
    public void skip(FrameReader in, Cost cost) {
      int before = -1;
      for (int left = in.readTagCount(); left > 0; left--) {
        int tag = in.nextTag(before);
        before = tag;
        int size = in.readUnsignedVarint();
        Part part = known.get(tag);
        if (part == null) {
          in.skipTag(size);
          continue;
        }
        int at = in.position();
        part.skip(in, cost);
        if (in.position() - at != size) {
          throw new MalformedRequestException("a tagged field is not as long as it claims");
        }
      }
    }

    @Override
    public int minBytes() {
      return 1;
    }
  }

  private static int checked(int length, boolean nullable) {
    if (length < 0 && !nullable) {
      throw new MalformedRequestException("null where a request must have something");
    }
    return Math.max(length, 0);
  }

  /// From schemas, which know how a version looks on the wire, and message classes, which know what
  /// it becomes.
  private record Compiler(short version) {
    private Part field(Field field, Class<?> owner) {
      org.apache.kafka.common.protocol.types.Type type = field.type;
      if (type instanceof Schema schema) {
        return struct(schema, (Class<?>) javaType(owner, field.name));
      }
      var element = type.arrayElementType().orElse(null);
      if (element == null) {
        return scalar(type);
      }
      Type collection = javaType(owner, field.name);
      HashedElements hashed = null;
      Class<?> elementClass;
      if (collection instanceof ParameterizedType list) {
        Type argument = list.getActualTypeArguments()[0];
        elementClass = argument instanceof Class<?> known ? known : Object.class;
      } else {
        ParameterizedType parent =
            (ParameterizedType) ((Class<?>) collection).getGenericSuperclass();
        elementClass = (Class<?>) parent.getActualTypeArguments()[0];
        hashed = new HashedElements(elementClass);
      }
      Part part = element instanceof Schema schema ? struct(schema, elementClass) : scalar(element);
      boolean compact = type instanceof CompactArrayOf;
      return new Array(compact, type.isNullable(), part, hashed, version);
    }

    private static Type javaType(Class<?> owner, String field) {
      String wanted = field.replace("_", "");
      for (Method method : owner.getMethods()) {
        if (method.getParameterCount() == 0
            && method.getName().toLowerCase(Locale.ROOT).equals(wanted)) {
          return method.getGenericReturnType();
        }
      }
      throw new IllegalArgumentException(owner + " has no " + field);
    }

    private Part struct(Schema schema, Class<?> owner) {
      List<Part> fields = new ArrayList<>();
      boolean nullable = schema.isNullable();
      int bytes = 0;
      for (BoundField field : schema.fields()) {
        Part part =
            field.def.type instanceof TaggedFields tagged
                ? tags(tagged, owner)
                : field(field.def, owner);
        fields.add(part);
        bytes += part.minBytes();
      }
      return new Struct(List.copyOf(fields), nullable, nullable ? 1 : bytes);
    }

    private Part tags(TaggedFields tagged, Class<?> owner) {
      Map<Integer, Part> known = new HashMap<>();
      tagged.fields().forEach((tag, field) -> known.put(tag, field(field, owner)));
      return new Tags(Map.copyOf(known));
    }
  }

  private static Part scalar(org.apache.kafka.common.protocol.types.Type type) {
    String name = type.toString();
    boolean compact = name.startsWith("COMPACT_");
    return switch (compact ? name.substring("COMPACT_".length()) : name) {
      case "BOOLEAN", "INT8" -> new Fixed(1);
      case "INT16", "UINT16" -> new Fixed(2);
      case "INT32", "UINT32" -> new Fixed(4);
      case "INT64", "FLOAT64" -> new Fixed(8);
      case "UUID" -> new Fixed(16);
      case "STRING", "NULLABLE_STRING" -> new Text(compact, type.isNullable());
      case "BYTES", "NULLABLE_BYTES" -> new Bytes(compact, type.isNullable());
      case "RECORDS", "NULLABLE_RECORDS" -> new Bytes(compact, true);
      default -> throw new IllegalArgumentException("a field of type " + name);
    };
  }
}
