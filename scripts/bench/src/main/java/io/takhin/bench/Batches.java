package io.takhin.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;

/// Batches and Produce frames, made once before a measurement.
final class Batches {
  /// By topic name, with flexible encoding, and served by both brokers.
  static final short PRODUCE_VERSION = 9;

  private Batches() {}

  /// What is in the records.
  enum Payload {
    /// Random bytes: nothing compresses.
    RANDOM,
    /// JSON as services write it: about 4 to 1 with zstd.
    JSON
  }

  /// The shape of one batch.
  ///
  /// @param records how many
  /// @param recordBytes size of each value
  record Shape(int records, int recordBytes, Compression codec, Payload payload) {}

  /// One batch with valid checksum and base offset 0.
  static MemoryRecords batch(Shape shape, long seed) {
    return batch(shape, seed, RecordBatch.NO_PRODUCER_ID, RecordBatch.NO_PRODUCER_EPOCH, -1);
  }

  /// One batch of an idempotent producer.
  static MemoryRecords batch(Shape shape, long seed, long producerId, short epoch, int sequence) {
    Random random = new Random(seed);
    ByteBuffer buffer = ByteBuffer.allocate(shape.records() * (shape.recordBytes() + 64) + 1024);
    MemoryRecordsBuilder builder =
        new MemoryRecordsBuilder(
            buffer,
            RecordBatch.MAGIC_VALUE_V2,
            shape.codec(),
            TimestampType.CREATE_TIME,
            0,
            RecordBatch.NO_TIMESTAMP,
            producerId,
            epoch,
            sequence,
            false,
            false,
            RecordBatch.NO_PARTITION_LEADER_EPOCH,
            buffer.capacity());
    long now = System.currentTimeMillis();
    for (int i = 0; i < shape.records(); i++) {
      builder.append(now, null, value(shape, random));
    }
    return builder.build();
  }

  /// A Produce request with one batch for one partition, acks=all.
  static ByteBuffer frame(String topic, int partition, MemoryRecords records) {
    PartitionProduceData data = new PartitionProduceData().setIndex(partition).setRecords(records);
    TopicProduceData topicData = new TopicProduceData().setName(topic);
    topicData.partitionData().add(data);
    ProduceRequestData request = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(30_000);
    request.topicData().add(topicData);
    return Client.encode(ApiKeys.PRODUCE, PRODUCE_VERSION, 0, request);
  }

  /// Where the partition's error code stands in the answer to [#frame], after the length field.
  static int errorCodeAt(String topic) {
    int correlationAndTags = 4 + 1;
    int arraysAndName = 1 + 1 + topic.length() + 1;
    int partitionIndex = 4;
    return correlationAndTags + arraysAndName + partitionIndex;
  }

  private static byte[] value(Shape shape, Random random) {
    byte[] value = new byte[shape.recordBytes()];
    if (shape.payload() == Payload.RANDOM) {
      random.nextBytes(value);
      return value;
    }
    StringBuilder json = new StringBuilder(shape.recordBytes() + 128);
    while (json.length() < shape.recordBytes()) {
      json.append("{\"orderId\":\"")
          .append(Long.toHexString(random.nextLong()))
          .append("\",\"customer\":{\"id\":")
          .append(random.nextInt(1_000_000))
          .append(",\"segment\":\"")
          .append(random.nextBoolean() ? "retail" : "wholesale")
          .append("\"},\"currency\":\"EUR\",\"total\":")
          .append(random.nextInt(100_000) / 100.0)
          .append(",\"status\":\"CONFIRMED\"}");
    }
    byte[] text = json.toString().getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, value, 0, value.length);
    return value;
  }
}
