package io.takhin.coordinator.group;

import io.takhin.coordinator.RecordCodec;
import io.takhin.coordinator.WireReader;
import io.takhin.coordinator.WireWriter;
import io.takhin.coordinator.group.GroupRecord.Generation;
import io.takhin.coordinator.group.GroupRecord.GroupMetadata;
import io.takhin.coordinator.group.GroupRecord.MemberMetadata;
import io.takhin.coordinator.group.GroupRecord.OffsetCommit;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Kafka's layout of the records in `__consumer_offsets`, so that tools which read that topic work
/// and a Kafka data directory can move in. Big-endian; `str` is a 2-byte length and UTF-8, `bytes`
/// a 4-byte length and data, a length of -1 means null.
///
/// ```
/// offset key    type=1 (2; 0 is the same, older) | group str | topic str | partition (4)
/// offset value  version (2) | offset (8) | leader epoch (4, version 3+) | metadata str
///               | commit time (8) | expire time (8, version 1 only)
/// group key     type=2 (2) | group str
/// group value   version (2) | protocol type str | generation (4) | protocol str? | leader str?
///               | state time (8, version 2+) | count (4) | members
/// member        id str | instance id str? (version 3+) | client id str | host str
///               | rebalance timeout (4, version 1+) | session timeout (4) | subscription bytes
///               | assignment bytes
/// ```
///
/// Version 4 of both values is the flexible encoding: lengths are unsigned varints plus one and
/// each structure ends with tagged fields, which are skipped. Written are version 3, and version 1
/// for an offset with an expire time, as Kafka does (KIP-211, KIP-320, KIP-345, KIP-915).
final class GroupRecordCodec implements RecordCodec<GroupRecord> {
  private static final short OLD_OFFSET_KEY = 0;
  private static final short OFFSET_KEY = 1;
  private static final short GROUP_KEY = 2;
  private static final short MAX_VALUE_VERSION = 4;
  private static final short FLEXIBLE_VERSION = 4;
  private static final short WRITTEN_VERSION = 3;

  @Override
  public byte[] key(GroupRecord record) {
    WireWriter out = new WireWriter(64);
    switch (record) {
      case OffsetCommit(String group, String topic, int partition, CommittedOffset _) ->
          out.int16(OFFSET_KEY).string(group).string(topic).int32(partition);
      case GroupMetadata(String group, Generation _) -> out.int16(GROUP_KEY).string(group);
    }
    return out.toBytes();
  }

  @Override
  public byte @Nullable [] value(GroupRecord record) {
    return switch (record) {
      case OffsetCommit(String _, String _, int _, CommittedOffset value) ->
          value == null ? null : offsetValue(value);
      case GroupMetadata(String _, Generation value) -> value == null ? null : groupValue(value);
    };
  }

  private static byte[] offsetValue(CommittedOffset value) {
    WireWriter out = new WireWriter(32);
    if (value.expireTimestampMs() >= 0) {
      out.int16((short) 1).int64(value.offset()).string(value.metadata());
      out.int64(value.commitTimestampMs()).int64(value.expireTimestampMs());
    } else {
      out.int16(WRITTEN_VERSION).int64(value.offset()).int32(value.leaderEpoch());
      out.string(value.metadata()).int64(value.commitTimestampMs());
    }
    return out.toBytes();
  }

  private static byte[] groupValue(Generation value) {
    WireWriter out = new WireWriter(256);
    out.int16(WRITTEN_VERSION).string(value.protocolType()).int32(value.generation());
    out.nullableString(value.protocol()).nullableString(value.leader());
    out.int64(value.stateTimestampMs()).int32(value.members().size());
    for (MemberMetadata member : value.members()) {
      out.string(member.memberId()).nullableString(member.instanceId());
      out.string(member.clientId()).string(member.clientHost());
      out.int32(member.rebalanceTimeoutMs()).int32(member.sessionTimeoutMs());
      out.bytes(member.subscription()).bytes(member.assignment());
    }
    return out.toBytes();
  }

  /// Reads a record; null for one that is not of the classic protocol: other kinds of groups keep
  /// theirs in the same topic.
  ///
  /// Errors: IllegalArgumentException if key or value are not what they say.
  @Override
  public @Nullable GroupRecord decode(ByteBuffer key, @Nullable ByteBuffer value) {
    try {
      WireReader in = new WireReader(key.slice(), false);
      return switch (in.int16()) {
        case OLD_OFFSET_KEY, OFFSET_KEY ->
            new OffsetCommit(in.string(), in.string(), in.int32(), offset(value));
        case GROUP_KEY -> new GroupMetadata(in.string(), generation(value));
        default -> null;
      };
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("a record ends early", e);
    }
  }

  private static @Nullable CommittedOffset offset(@Nullable ByteBuffer value) {
    if (value == null) {
      return null;
    }
    ByteBuffer buffer = value.slice();
    short version = version(buffer);
    WireReader in = new WireReader(buffer, version >= FLEXIBLE_VERSION);
    long offset = in.int64();
    int leaderEpoch = version >= 3 ? in.int32() : -1;
    String metadata = in.string();
    long commitTimestampMs = in.int64();
    long expireTimestampMs = version == 1 ? in.int64() : -1;
    return new CommittedOffset(
        offset, leaderEpoch, metadata, commitTimestampMs, Math.max(-1, expireTimestampMs));
  }

  private static @Nullable Generation generation(@Nullable ByteBuffer value) {
    if (value == null) {
      return null;
    }
    ByteBuffer buffer = value.slice();
    short version = version(buffer);
    WireReader in = new WireReader(buffer, version >= FLEXIBLE_VERSION);
    String protocolType = in.string();
    int generation = in.int32();
    String protocol = in.nullableString();
    String leader = in.nullableString();
    long stateTimestampMs = version >= 2 ? in.int64() : -1;
    int count = in.arrayLength();
    List<MemberMetadata> members = new ArrayList<>(Math.min(count, 1024));
    for (int i = 0; i < count; i++) {
      members.add(member(in, version));
    }
    return new Generation(protocolType, generation, protocol, leader, stateTimestampMs, members);
  }

  private static MemberMetadata member(WireReader in, short version) {
    String memberId = in.string();
    String instanceId = version >= 3 ? in.nullableString() : null;
    String clientId = in.string();
    String clientHost = in.string();
    int rebalanceTimeoutMs = version >= 1 ? in.int32() : -1;
    int sessionTimeoutMs = in.int32();
    byte[] subscription = in.bytes();
    byte[] assignment = in.bytes();
    in.skipTaggedFields();
    return new MemberMetadata(
        memberId,
        instanceId,
        clientId,
        clientHost,
        rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
        sessionTimeoutMs,
        subscription,
        assignment);
  }

  private static short version(ByteBuffer buffer) {
    short version = buffer.getShort();
    if (version < 0 || version > MAX_VALUE_VERSION) {
      throw new IllegalArgumentException("a value of version " + version);
    }
    return version;
  }
}
