package io.takhin.protocol.kafka.fetch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.message.FetchRequestData.ReplicaState;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FetchFrameTest {
  static IntStream versions() {
    return IntStream.rangeClosed(4, 18);
  }

  private static ByteBuffer bytes(int version) {
    FetchRequestData request =
        new FetchRequestData()
            .setMaxWaitMs(500)
            .setMinBytes(3)
            .setMaxBytes(5_000_000)
            .setIsolationLevel((byte) 1);
    if (version >= 15) {
      request.setReplicaState(new ReplicaState().setReplicaId(7).setReplicaEpoch(9));
    } else {
      request.setReplicaId(7);
    }
    for (int t = 0; t < 20; t++) {
      FetchTopic topic = new FetchTopic().setTopic("topic-" + t).setTopicId(new Uuid(t, t + 1));
      for (int p = 0; p < 3; p++) {
        FetchPartition partition =
            new FetchPartition()
                .setPartition(p)
                .setFetchOffset(1L << 40 | p)
                .setPartitionMaxBytes(1000 + t);
        if (version >= 9) {
          partition.setCurrentLeaderEpoch(p + 2);
        }
        if (version >= 12) {
          partition.setLastFetchedEpoch(p + 1);
        }
        if (version >= 17) {
          partition.setReplicaDirectoryId(new Uuid(1, 2));
        }
        if (version >= 18) {
          partition.setHighWatermark(77);
        }
        topic.partitions().add(partition);
      }
      request.topics().add(topic);
    }
    if (version >= 7) {
      request.setSessionId(11).setSessionEpoch(12);
      for (int t = 0; t < 5; t++) {
        request
            .forgottenTopicsData()
            .add(
                new ForgottenTopic()
                    .setTopic("gone-" + t)
                    .setTopicId(new Uuid(8, t))
                    .setPartitions(List.of(4, 5)));
      }
    }
    if (version >= 11) {
      request.setRackId("rack");
    }
    if (version >= 12) {
      request.setClusterId("cluster");
    }
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer out = ByteBuffer.allocate(request.size(cache, (short) version));
    request.write(new ByteBufferAccessor(out), cache, (short) version);
    return out.flip();
  }

  private static String text(ByteBuffer frame, int at, int length) {
    byte[] bytes = new byte[length];
    frame.get(at, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void readsWhatTheClientWrites(int version) {
    ByteBuffer frame = bytes(version);
    FetchFrame read = new FetchFrame();
    for (int round = 0; round < 2; round++) {
      read.read(new FrameReader(frame), (short) version);
      assertEquals(7, read.replicaId);
      assertEquals(500, read.maxWaitMs);
      assertEquals(3, read.minBytes);
      assertEquals(5_000_000, read.maxBytes);
      assertEquals(1, read.isolation);
      assertEquals(version >= 7 ? 11 : 0, read.sessionId);
      assertEquals(version >= 7 ? 12 : -1, read.sessionEpoch);
      assertEquals(60, read.partitionCount);
      for (int i = 0; i < 60; i++) {
        int topic = i / 3;
        int p = i % 3;
        if (version >= 13) {
          assertEquals(16, read.keyLength(i));
          assertEquals(topic + 1, frame.getLong(read.keyAt(i) + 8));
        } else {
          assertEquals("topic-" + topic, text(frame, read.keyAt(i), read.keyLength(i)));
        }
        assertEquals(p, read.index(i));
        assertEquals(1L << 40 | p, read.offset(i));
        assertEquals(1000 + topic, read.partitionMaxBytes(i));
        assertEquals(version >= 9 ? p + 2 : -1, read.leaderEpoch(i));
        assertEquals(version >= 12 ? p + 1 : -1, read.lastFetchedEpoch(i));
      }
      assertEquals(version >= 7 ? 10 : 0, read.forgottenCount);
      for (int i = 0; i < read.forgottenCount; i++) {
        assertEquals(4 + i % 2, read.forgottenIndex(i));
        if (version < 13) {
          assertEquals(
              "gone-" + i / 2, text(frame, read.forgottenKeyAt(i), read.forgottenKeyLength(i)));
        }
      }
      read.trim();
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void aRequestCutAnywhereIsRefused(int version) {
    ByteBuffer frame = bytes(version);
    FetchFrame read = new FetchFrame();
    for (int cut = 0; cut < frame.limit(); cut++) {
      FrameReader reader = new FrameReader().reset(frame, 0, cut);
      assertThrows(
          MalformedRequestException.class, () -> read.read(reader, (short) version), "cut " + cut);
    }
  }
}
