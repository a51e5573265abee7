package io.takhin.protocol.kafka.produce;

import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import java.util.Arrays;

/// A Produce request's fields by their place in the frame, versions 3 to 13. The whole frame is
/// walked before the first append, so a request that is malformed at its end changes nothing.
///
/// Reused from request to request: the arrays keep their size, up to [#KEPT] partitions.
final class ProduceFrame {
  static final int FIRST_FLEXIBLE = 9;
  static final int FIRST_WITH_TOPIC_ID = 13;
  private static final int KEPT = 4096;
  private static final int FIELDS = 3;

  /// Ints for each topic in [#copyTopics]: position of name or id, length of the name or -1, end of
  /// its partitions.
  static final int TOPIC_FIELDS = 3;

  private static final int MIN_TOPIC_BYTES = 3;
  private static final int MIN_PARTITION_BYTES = 5;

  /// Where the transactional id is, and its length; -1 for none.
  int transactionalIdAt;

  int transactionalIdLength;
  short acks;
  int timeoutMs;
  int topicCount;
  int partitionCount;

  // name or id position, name length (-1 for an id), end of its partitions
  private int[] topics = new int[TOPIC_FIELDS * 16];
  // index, records position, records length (-1 for null)
  private int[] partitions = new int[FIELDS * 16];

  void read(FrameReader in, short version) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    boolean ids = version >= FIRST_WITH_TOPIC_ID;
    topicCount = 0;
    partitionCount = 0;
    transactionalIdLength = in.readStringLength(flexible);
    transactionalIdAt = in.position();
    in.skip(Math.max(transactionalIdLength, 0));
    acks = in.readShort();
    timeoutMs = in.readInt();
    int count = notNull(in.readArrayCount(flexible, MIN_TOPIC_BYTES));
    for (int i = 0; i < count; i++) {
      readTopic(in, flexible, ids);
    }
    if (flexible) {
      in.skipTags();
    }
    in.expectEnd();
  }

  private void readTopic(FrameReader in, boolean flexible, boolean ids) {
    int nameLength = ids ? -1 : notNull(in.readStringLength(flexible));
    int at = in.position();
    in.skip(ids ? 16 : nameLength);
    int count = notNull(in.readArrayCount(flexible, MIN_PARTITION_BYTES));
    for (int i = 0; i < count; i++) {
      int index = in.readInt();
      int length = in.readBytesLength(flexible);
      int records = in.position();
      in.skip(Math.max(length, 0));
      if (flexible) {
        in.skipTags();
      }
      addPartition(index, records, length);
    }
    if (flexible) {
      in.skipTags();
    }
    int base = topicCount * TOPIC_FIELDS;
    if (base == topics.length) {
      topics = Arrays.copyOf(topics, base * 2);
    }
    topics[base] = at;
    topics[base + 1] = nameLength;
    topics[base + 2] = partitionCount;
    topicCount++;
  }

  private void addPartition(int index, int records, int length) {
    int base = partitionCount * FIELDS;
    if (base == partitions.length) {
      partitions = Arrays.copyOf(partitions, base * 2);
    }
    partitions[base] = index;
    partitions[base + 1] = records;
    partitions[base + 2] = length;
    partitionCount++;
  }

  private static int notNull(int length) {
    if (length < 0) {
      throw new MalformedRequestException("null where a Produce request must have something");
    }
    return length;
  }

  int[] copyTopics() {
    return Arrays.copyOf(topics, topicCount * TOPIC_FIELDS);
  }

  int topicAt(int topic) {
    return topics[topic * TOPIC_FIELDS];
  }

  /// -1 when the topic is named by its id.
  int topicNameLength(int topic) {
    return topics[topic * TOPIC_FIELDS + 1];
  }

  int partitionsEnd(int topic) {
    return topics[topic * TOPIC_FIELDS + 2];
  }

  int index(int partition) {
    return partitions[partition * FIELDS];
  }

  int recordsAt(int partition) {
    return partitions[partition * FIELDS + 1];
  }

  int recordsLength(int partition) {
    return partitions[partition * FIELDS + 2];
  }

  /// Lets go of arrays that one huge request made.
  void trim() {
    if (partitions.length > KEPT * FIELDS) {
      partitions = new int[FIELDS * 16];
    }
    if (topics.length > KEPT * TOPIC_FIELDS) {
      topics = new int[TOPIC_FIELDS * 16];
    }
  }
}
