package io.takhin.protocol.kafka;

import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Locale;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/// Fills every field that a version of a message has, by walking its schema: no value is the
/// field's default, no two are alike, and the same message always gets the same values.
final class PopulatedMessage {
  private final boolean nulls;
  private int counter;

  private PopulatedMessage(boolean nulls) {
    this.nulls = nulls;
  }

  /// Every field filled.
  static <M extends ApiMessage> M full(M message, Schema schema) {
    new PopulatedMessage(false).fill(message, schema);
    return message;
  }

  /// Every field that may be null is, the others are filled.
  static <M extends ApiMessage> M nulls(M message, Schema schema) {
    new PopulatedMessage(true).fill(message, schema);
    return message;
  }

  private void fill(Object message, Schema schema) {
    for (BoundField field : schema.fields()) {
      if (field.def.type instanceof TaggedFields tagged) {
        tagged.fields().values().forEach(tag -> fill(message, tag));
      } else {
        fill(message, field.def);
      }
    }
  }

  private void fill(Object message, Field field) {
    Method setter = setter(message.getClass(), field.name);
    try {
      setter.invoke(
          message,
          nulls && field.type.isNullable() && !setter.getParameterTypes()[0].isPrimitive()
              ? null
              : value(field.type, setter.getGenericParameterTypes()[0]));
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(message.getClass() + "." + field.name, e);
    }
  }

  private static Method setter(Class<?> type, String field) {
    String wanted = "set" + field.replace("_", "");
    for (Method method : type.getMethods()) {
      if (method.getName().toLowerCase(Locale.ROOT).equals(wanted)
          && method.getParameterCount() == 1) {
        return method;
      }
    }
    throw new AssertionError("no setter for " + field + " in " + type);
  }

  private Object value(org.apache.kafka.common.protocol.types.Type type, Type java)
      throws ReflectiveOperationException {
    if (type.isArray()) {
      return array(type.arrayElementType().orElseThrow(), java);
    }
    if (type instanceof Schema schema) {
      Object struct = ((Class<?>) java).getDeclaredConstructor().newInstance();
      fill(struct, schema);
      return struct;
    }
    counter++;
    String name = ((Class<?>) java).getSimpleName();
    return switch (name) {
      case "boolean", "Boolean" -> true;
      case "byte", "Byte" -> (byte) (counter % 100 + 1);
      case "short", "Short" -> (short) (counter + 100);
      case "int", "Integer" -> counter + 1000;
      case "long", "Long" -> counter + 100_000_000_000L;
      case "double", "Double" -> counter + 0.5;
      case "String" -> "text-" + counter;
      case "Uuid" -> new Uuid(0x5441_4b48_494e_0000L + counter, counter);
      case "byte[]" -> ("bytes-" + counter).getBytes(StandardCharsets.UTF_8);
      case "ByteBuffer" -> ByteBuffer.wrap(("buffer-" + counter).getBytes(StandardCharsets.UTF_8));
      case "BaseRecords" -> records();
      default -> throw new AssertionError("no value for " + java);
    };
  }

  private MemoryRecords records() {
    return MemoryRecords.withRecords(
        Compression.NONE,
        new SimpleRecord(
            1_700_000_000_000L + counter, "key".getBytes(StandardCharsets.UTF_8), new byte[3]));
  }

  @SuppressWarnings("unchecked")
  private Object array(org.apache.kafka.common.protocol.types.Type element, Type java)
      throws ReflectiveOperationException {
    Collection<Object> values;
    Type elementType;
    if (java instanceof ParameterizedType list) {
      values = new ArrayList<>();
      elementType = list.getActualTypeArguments()[0];
    } else {
      Class<?> collection = (Class<?>) java;
      values = (Collection<Object>) collection.getDeclaredConstructor().newInstance();
      elementType =
          ((ParameterizedType) collection.getGenericSuperclass()).getActualTypeArguments()[0];
    }
    for (int i = 0; i < 2; i++) {
      values.add(value(element, elementType));
    }
    return values;
  }
}
