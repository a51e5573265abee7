package io.takhin.bench;

import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/// Consumers that read all partitions of a topic without sessions, as librdkafka does.
final class FetchLoad {
  /// By topic name.
  private static final short VERSION = 12;

  private static final int MAX_WAIT_MS = 500;

  private FetchLoad() {}

  /// What was read.
  record Outcome(long records, long bytes, double seconds) {}

  /// Lets `consumers` connections each read partitions 0 to `partitions - 1` from the beginning,
  /// until each has `recordsEach` records or `stop` says so.
  static Outcome read(
      InetSocketAddress broker,
      int consumers,
      String topic,
      int partitions,
      int maxBytes,
      long recordsEach,
      BooleanSupplier stop)
      throws IOException {
    return read(broker, consumers, topic, partitions, maxBytes, MAX_WAIT_MS, recordsEach, stop);
  }

  private static Outcome read(
      InetSocketAddress broker,
      int consumers,
      String topic,
      int partitions,
      int maxBytes,
      int maxWaitMs,
      long recordsEach,
      BooleanSupplier stop)
      throws IOException {
    try (Connections pool = new Connections(broker, consumers)) {
      long[][] offsets = new long[consumers][partitions];
      long[] records = new long[consumers];
      long[] bytes = {0};
      int[] done = {0};
      long start = System.nanoTime();
      for (Connection connection : pool.all()) {
        connection.send(request(topic, offsets[connection.index], maxBytes, maxWaitMs));
      }
      while (done[0] < consumers && !stop.getAsBoolean()) {
        pool.poll(
            100,
            (connection, body) -> {
              bytes[0] += body.remaining();
              long before = records[connection.index];
              records[connection.index] += advance(body, offsets[connection.index]);
              if (records[connection.index] >= recordsEach) {
                done[0] += before < recordsEach ? 1 : 0;
              } else {
                connection.send(request(topic, offsets[connection.index], maxBytes, maxWaitMs));
              }
            });
      }
      long total = 0;
      for (long each : records) {
        total += each;
      }
      return new Outcome(total, bytes[0], (System.nanoTime() - start) / 1e9);
    }
  }

  /// A fetch of all partitions from these offsets on, without a session.
  static ByteBuffer request(String topic, long[] offsets, int maxBytes) {
    return request(topic, offsets, maxBytes, MAX_WAIT_MS);
  }

  private static ByteBuffer request(String topic, long[] offsets, int maxBytes, int maxWaitMs) {
    FetchTopic fetchTopic = new FetchTopic().setTopic(topic);
    for (int p = 0; p < offsets.length; p++) {
      fetchTopic
          .partitions()
          .add(
              new FetchPartition()
                  .setPartition(p)
                  .setFetchOffset(offsets[p])
                  .setPartitionMaxBytes(maxBytes));
    }
    FetchRequestData request =
        new FetchRequestData()
            .setMaxWaitMs(maxWaitMs)
            .setMinBytes(1)
            .setMaxBytes(50 << 20)
            .setSessionId(0)
            .setSessionEpoch(-1);
    request.topics().add(fetchTopic);
    return Client.encode(ApiKeys.FETCH, VERSION, 1, request);
  }

  /// Takes the records of an answer: `offsets` go on, and their number is returned.
  static long advance(ByteBuffer body, long[] offsets) {
    ByteBuffer data = body.slice(5, body.remaining() - 5);
    FetchResponseData response = new FetchResponseData(new ByteBufferAccessor(data), VERSION);
    long read = 0;
    for (FetchableTopicResponse topic : response.responses()) {
      for (PartitionData partition : topic.partitions()) {
        if (partition.errorCode() != 0) {
          throw new IllegalStateException(
              "a fetch failed: " + Errors.forCode(partition.errorCode()));
        }
        MemoryRecords records = (MemoryRecords) partition.records();
        if (records == null) {
          continue;
        }
        for (RecordBatch batch : records.batches()) {
          long next = batch.nextOffset();
          read +=
              Math.max(0, next - Math.max(batch.baseOffset(), offsets[partition.partitionIndex()]));
          offsets[partition.partitionIndex()] = Math.max(offsets[partition.partitionIndex()], next);
        }
      }
    }
    return read;
  }

  /// Connections that wait in long polls on one partition and get nothing but the first record.
  static void idle(InetSocketAddress broker, int consumers, String topic, BooleanSupplier stop)
      throws IOException {
    idle(broker, consumers, topic, MAX_WAIT_MS, stop);
  }

  /// The same with polls as long as `maxWaitMs`.
  static void idle(
      InetSocketAddress broker, int consumers, String topic, int maxWaitMs, BooleanSupplier stop)
      throws IOException {
    read(broker, consumers, topic, 1, 1 << 20, maxWaitMs, Long.MAX_VALUE, stop);
  }
}
