package io.takhin.protocol.kafka.produce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ProduceFrameTest {
  static IntStream versions() {
    return IntStream.rangeClosed(3, 13);
  }

  private static ProduceRequestData request() {
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    for (int t = 0; t < 12; t++) {
      TopicProduceData topic =
          new TopicProduceData().setName("topic-" + t).setTopicId(new Uuid(t + 7, t + 9));
      for (int p = 0; p < t % 4; p++) {
        MemoryRecords records =
            p == 2 ? null : MemoryRecords.readableRecords(ByteBuffer.wrap(records(t, p)));
        topic.partitionData().add(new PartitionProduceData().setIndex(p * 3).setRecords(records));
      }
      topics.add(topic);
    }
    return new ProduceRequestData()
        .setTransactionalId("tx")
        .setAcks((short) -1)
        .setTimeoutMs(1234)
        .setTopicData(topics);
  }

  private static byte[] records(int topic, int partition) {
    return ("records " + topic + "/" + partition).repeat(topic).getBytes(StandardCharsets.UTF_8);
  }

  private static ByteBuffer bytes(int version) {
    ProduceRequestData request = request();
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer out = ByteBuffer.allocate(request.size(cache, (short) version));
    request.write(new ByteBufferAccessor(out), cache, (short) version);
    return out.flip();
  }

  private static byte[] at(ByteBuffer frame, int at, int length) {
    byte[] bytes = new byte[length];
    frame.get(at, bytes);
    return bytes;
  }

  @ParameterizedTest
  @MethodSource("versions")
  void readsWhatTheClientWrites(int version) {
    ByteBuffer frame = bytes(version);
    ProduceFrame read = new ProduceFrame();
    for (int round = 0; round < 2; round++) {
      read.read(new FrameReader(frame), (short) version);
      assertTrue(read.transactionalIdLength >= 0);
      assertEquals(-1, read.acks);
      assertEquals(1234, read.timeoutMs);
      assertEquals(12, read.topicCount);
      int partition = 0;
      for (int t = 0; t < 12; t++) {
        if (version >= 13) {
          assertEquals(-1, read.topicNameLength(t));
          assertEquals(t + 7, frame.getLong(read.topicAt(t)));
        } else {
          assertEquals(
              "topic-" + t,
              new String(
                  at(frame, read.topicAt(t), read.topicNameLength(t)), StandardCharsets.UTF_8));
        }
        for (int p = 0; p < t % 4; p++, partition++) {
          assertEquals(p * 3, read.index(partition));
          byte[] expected = p == 2 ? null : records(t, p);
          assertEquals(expected == null ? -1 : expected.length, read.recordsLength(partition));
          if (expected != null) {
            assertEquals(
                ByteBuffer.wrap(expected),
                frame.slice(read.recordsAt(partition), read.recordsLength(partition)));
          }
        }
        assertEquals(partition, read.partitionsEnd(t));
      }
      read.trim();
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void aRequestCutAnywhereIsRefused(int version) {
    ByteBuffer frame = bytes(version);
    ProduceFrame read = new ProduceFrame();
    for (int cut = 0; cut < frame.limit(); cut++) {
      FrameReader reader = new FrameReader().reset(frame, 0, cut);
      assertThrows(
          MalformedRequestException.class, () -> read.read(reader, (short) version), "cut " + cut);
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void noByteThatIsWrongLeadsOutOfTheFrame(int version) {
    ByteBuffer frame = bytes(version);
    ProduceFrame read = new ProduceFrame();
    for (int at = 0; at < frame.limit(); at++) {
      byte right = frame.get(at);
      for (int wrong : new int[] {0, 0x7f, 0x80, 0xff}) {
        frame.put(at, (byte) wrong);
        try {
          read.read(new FrameReader(frame), (short) version);
        } catch (MalformedRequestException e) {
          continue;
        }
        for (int p = 0; p < read.partitionCount; p++) {
          frame.slice(read.recordsAt(p), Math.max(read.recordsLength(p), 0));
        }
      }
      frame.put(at, right);
    }
  }
}
