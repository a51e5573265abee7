package io.takhin.distribution.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/// Turns messages into JSON trees, records and all.
final class Answers {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private Answers() {}

  /// A message as its schema names its fields.
  static JsonNode json(ApiMessage message, short version) {
    JsonNode tree = converted(message, version);
    if (message instanceof FetchResponseData fetch) {
      for (int i = 0; i < fetch.responses().size(); i++) {
        var topic = fetch.responses().get(i);
        for (int j = 0; j < topic.partitions().size(); j++) {
          JsonNode partition = tree.get("responses").get(i).get("partitions").get(j);
          ((ObjectNode) partition).remove("recordsSizeInBytes");
          ((ObjectNode) partition)
              .set("batches", batches((MemoryRecords) topic.partitions().get(j).records()));
        }
      }
    }
    return tree;
  }

  /// The classes that do this are made from the schemas, as the messages are, one for each.
  private static JsonNode converted(ApiMessage message, short version) {
    Class<?> type = message.getClass();
    try {
      return (JsonNode)
          Class.forName(type.getName() + "JsonConverter")
              .getMethod("write", type, short.class)
              .invoke(null, message, version);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(message + " in version " + version, e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static JsonNode batches(@Nullable MemoryRecords records) {
    if (records == null) {
      return JSON.nullNode();
    }
    ArrayNode batches = JSON.arrayNode();
    int whole = 0;
    for (RecordBatch batch : records.batches()) {
      whole += batch.sizeInBytes();
      ObjectNode shown = batches.addObject();
      shown.put("baseOffset", batch.baseOffset());
      shown.put("lastOffset", batch.lastOffset());
      shown.put("leaderEpoch", batch.partitionLeaderEpoch());
      shown.put("magic", batch.magic());
      shown.put("valid", batch.isValid());
      shown.put("compression", batch.compressionType().name);
      shown.put("timestampType", batch.timestampType().name);
      shown.put("maxTimestamp", batch.maxTimestamp());
      shown.put("transactional", batch.isTransactional());
      shown.put("control", batch.isControlBatch());
      shown.put("producerId", batch.producerId());
      shown.put("producerEpoch", batch.producerEpoch());
      shown.put("baseSequence", batch.baseSequence());
      shown.put("sizeInBytes", batch.sizeInBytes());
      ArrayNode list = shown.putArray("records");
      try {
        batch.forEach(record -> list.add(record(record, batch.isControlBatch())));
      } catch (RuntimeException e) {
        // Compressed bytes that were taken as they came.
        shown.put("recordsUnreadable", true);
      }
    }
    if (records.sizeInBytes() > whole) {
      batches.addObject().put("cutAfterBytes", records.sizeInBytes() - whole);
    }
    return batches;
  }

  private static JsonNode record(Record record, boolean control) {
    ObjectNode shown = JSON.objectNode();
    shown.put("offset", record.offset());
    shown.put("timestamp", record.timestamp());
    if (control) {
      ControlRecordType type = ControlRecordType.parse(record.key());
      shown.put("marker", type.name());
      if (type == ControlRecordType.COMMIT || type == ControlRecordType.ABORT) {
        shown.put("coordinatorEpoch", EndTransactionMarker.deserialize(record).coordinatorEpoch());
      }
      return shown;
    }
    shown.put("key", text(record.key()));
    shown.put("value", text(record.value()));
    for (Header header : record.headers()) {
      shown.put("header " + header.key(), text(ByteBuffer.wrap(header.value())));
    }
    return shown;
  }

  private static @Nullable String text(@Nullable ByteBuffer bytes) {
    if (bytes == null) {
      return null;
    }
    String text = StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    return text.length() > 40 ? text.substring(0, 10) + "... " + text.length() : text;
  }

  /// What cannot be read as an answer.
  static ObjectNode unreadable(ApiKeys api, ByteBuffer frame, RuntimeException why) {
    byte[] bytes = new byte[Math.min(64, frame.limit())];
    frame.get(0, bytes);
    return JSON.objectNode()
        .put("unreadable", api.name + ": " + why.getMessage())
        .put("bytes", HexFormat.of().formatHex(bytes));
  }
}
