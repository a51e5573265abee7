package io.takhin.coordinator.group;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.takhin.coordinator.group.GroupRecord.Generation;
import io.takhin.coordinator.group.GroupRecord.GroupMetadata;
import io.takhin.coordinator.group.GroupRecord.MemberMetadata;
import io.takhin.coordinator.group.GroupRecord.OffsetCommit;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.group.generated.GroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Our records beside those of Kafka's own classes, byte for byte.
class GroupRecordCodecTest {
  private static final GroupRecordCodec CODEC = new GroupRecordCodec();

  private static byte[] prefixed(int prefix, ApiMessage message, int version) {
    ByteBuffer body = MessageUtil.toByteBufferAccessor(message, (short) version).buffer();
    byte[] bytes = new byte[2 + body.remaining()];
    ByteBuffer.wrap(bytes).putShort((short) prefix).put(body);
    return bytes;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static @Nullable GroupRecord decode(byte[] key, byte @Nullable [] value) {
    return CODEC.decode(ByteBuffer.wrap(key), value == null ? null : ByteBuffer.wrap(value));
  }

  private static byte[] offsetKey() {
    return prefixed(
        1, new OffsetCommitKey().setGroup("grüppe").setTopic("orders").setPartition(3), 0);
  }

  private static OffsetCommitValue offsetValue() {
    return new OffsetCommitValue()
        .setOffset(42)
        .setLeaderEpoch(7)
        .setMetadata("nöte")
        .setCommitTimestamp(1_000);
  }

  private static GroupMetadataValue groupValue() {
    return new GroupMetadataValue()
        .setProtocolType("consumer")
        .setGeneration(5)
        .setProtocol("range")
        .setLeader("m1")
        .setCurrentStateTimestamp(2_000)
        .setMembers(
            List.of(member("m1").setGroupInstanceId("i1"), member("m2").setGroupInstanceId(null)));
  }

  private static GroupMetadataValue.MemberMetadata member(String id) {
    return new GroupMetadataValue.MemberMetadata()
        .setMemberId(id)
        .setClientId("client")
        .setClientHost("/127.0.0.1")
        .setRebalanceTimeout(60_000)
        .setSessionTimeout(10_000)
        .setSubscription(bytes("sub"))
        .setAssignment(bytes("ass"));
  }

  private static Generation generation(
      long stateTimestampMs, @Nullable String instanceId, int rebalanceTimeoutMs) {
    return new Generation(
        "consumer",
        5,
        "range",
        "m1",
        stateTimestampMs,
        List.of(ours("m1", instanceId, rebalanceTimeoutMs), ours("m2", null, rebalanceTimeoutMs)));
  }

  private static MemberMetadata ours(
      String id, @Nullable String instanceId, int rebalanceTimeoutMs) {
    return new MemberMetadata(
        id,
        instanceId,
        "client",
        "/127.0.0.1",
        rebalanceTimeoutMs,
        10_000,
        bytes("sub"),
        bytes("ass"));
  }

  @Test
  void offsetIsWrittenAsKafkaWritesIt() {
    GroupRecord record =
        new OffsetCommit("grüppe", "orders", 3, new CommittedOffset(42, 7, "nöte", 1_000, -1));
    assertArrayEquals(offsetKey(), CODEC.key(record));
    assertArrayEquals(prefixed(3, offsetValue(), 3), CODEC.value(record));
    assertEquals(record, decode(CODEC.key(record), CODEC.value(record)));
  }

  @Test
  void t40_offsetWithExpireTimeIsVersion1() {
    GroupRecord record =
        new OffsetCommit("grüppe", "orders", 3, new CommittedOffset(42, -1, "nöte", 1_000, 9_000));
    OffsetCommitValue theirs = offsetValue().setLeaderEpoch(-1).setExpireTimestamp(9_000);
    assertArrayEquals(prefixed(1, theirs, 1), CODEC.value(record));
    assertEquals(record, decode(CODEC.key(record), CODEC.value(record)));
  }

  @Test
  void everyVersionOfAnOffsetIsRead() {
    for (int version = 0; version <= 4; version++) {
      OffsetCommitValue theirs = offsetValue();
      if (version == 4) {
        theirs.setTopicId(org.apache.kafka.common.Uuid.randomUuid());
      }
      GroupRecord expected =
          new OffsetCommit(
              "grüppe",
              "orders",
              3,
              new CommittedOffset(42, version >= 3 ? 7 : -1, "nöte", 1_000, -1));
      assertEquals(
          expected, decode(offsetKey(), prefixed(version, theirs, version)), "v" + version);
    }
  }

  @Test
  void groupIsWrittenAsKafkaWritesIt() {
    GroupRecord record = new GroupMetadata("g", generation(2_000, "i1", 60_000));
    assertArrayEquals(prefixed(2, new GroupMetadataKey().setGroup("g"), 0), CODEC.key(record));
    assertArrayEquals(prefixed(3, groupValue(), 3), CODEC.value(record));
  }

  @Test
  void emptyGroupIsWrittenAsKafkaWritesIt() {
    GroupRecord record =
        new GroupMetadata("g", new Generation("consumer", 6, null, null, 3_000, List.of()));
    GroupMetadataValue theirs =
        new GroupMetadataValue()
            .setProtocolType("consumer")
            .setGeneration(6)
            .setProtocol(null)
            .setLeader(null)
            .setCurrentStateTimestamp(3_000)
            .setMembers(List.of());
    assertArrayEquals(prefixed(3, theirs, 3), CODEC.value(record));
    assertEquals(record, decode(CODEC.key(record), CODEC.value(record)));
  }

  @Test
  void everyVersionOfAGroupIsRead() {
    byte[] key = prefixed(2, new GroupMetadataKey().setGroup("g"), 0);
    for (int version = 0; version <= 4; version++) {
      GroupRecord read = decode(key, prefixed(version, groupValue(), version));
      GroupRecord expected =
          new GroupMetadata(
              "g",
              generation(
                  version >= 2 ? 2_000 : -1,
                  version >= 3 ? "i1" : null,
                  version >= 1 ? 60_000 : 10_000));
      assertNotNull(read);
      assertArrayEquals(CODEC.value(expected), CODEC.value(read), "version " + version);
    }
  }

  @Test
  void tombstonesHaveNoValue() {
    GroupRecord offset = new OffsetCommit("g", "orders", 3, null);
    GroupRecord group = new GroupMetadata("g", null);
    assertNull(CODEC.value(offset));
    assertNull(CODEC.value(group));
    assertEquals(offset, decode(CODEC.key(offset), null));
    assertEquals(group, decode(CODEC.key(group), null));
  }

  @Test
  void recordsOfOtherKindsOfGroupsArePassedOver() {
    assertNull(decode(new byte[] {0, 3, 0, 1, 'g'}, new byte[] {0, 0, 0, 0, 0, 1}));
  }

  @Test
  void damagedRecordsAreRefusedWithoutTrustingTheirLengths() {
    byte[] key = prefixed(2, new GroupMetadataKey().setGroup("g"), 0);
    byte[] value = prefixed(4, groupValue(), 4);
    Random random = new Random(42);
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = java.util.Arrays.copyOf(value, random.nextInt(value.length + 1));
      for (int j = 0; j < 3 && damaged.length > 0; j++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      try {
        decode(key, damaged);
      } catch (IllegalArgumentException e) {
        assertNotNull(e.getMessage());
      }
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> decode(key, new byte[] {0, 3, 0, 0, 0, 0, 0, 1, -1, -1, -1, -1, 127, -1, -1, -1}));
  }

  @Test
  void subscriptionsAreReadLeniently() {
    assertEquals(
        java.util.Set.of("a", "b"),
        ConsumerSubscription.topics(io.takhin.testkit.group.GroupScript.subscription("a", "b")));
    assertNull(ConsumerSubscription.topics(new byte[0]));
    assertNull(ConsumerSubscription.topics(bytes("anything at all, not a subscription")));
    assertNull(ConsumerSubscription.topics(new byte[] {0, 0, 127, -1, -1, -1}));
  }
}
