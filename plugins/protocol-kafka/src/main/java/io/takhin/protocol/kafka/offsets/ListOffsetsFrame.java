package io.takhin.protocol.kafka.offsets;

import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import io.takhin.protocol.kafka.wire.Names;
import java.util.HashSet;
import java.util.Set;

/// A ListOffsets request that was read to its end: what has to be known of all of it before the
/// first partition is answered.
///
/// @param duplicates partitions that are named more than once
record ListOffsetsFrame(boolean flexible, int partitions, Set<Wanted> duplicates) {
  private static final int FIRST_FLEXIBLE = 6;
  private static final int MIN_TOPIC_BYTES = 3;
  private static final int MIN_PARTITION_BYTES = 12;

  /// A partition by name; in an order, so that a set of them is quick however a client chose their
  /// hashes.
  record Wanted(String topic, int partition) implements Comparable<Wanted> {
    @Override
    public int compareTo(Wanted other) {
      int byTopic = topic.compareTo(other.topic);
      return byTopic != 0 ? byTopic : Integer.compare(partition, other.partition);
    }
  }

  boolean duplicate(String topic, int partition) {
    return !duplicates.isEmpty() && duplicates.contains(new Wanted(topic, partition));
  }

  /// Reads a request. A consumer asks for one partition most often, or for partitions of one topic
  /// in rising order: neither needs to be remembered.
  static ListOffsetsFrame check(FrameReader in, short version, Names names) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    int from = in.position();
    int until = from + in.remaining();
    in.skip(version >= 2 ? 5 : 4);
    int topics = notNull(in.readArrayCount(flexible, MIN_TOPIC_BYTES));
    int partitions = 0;
    boolean rising = topics <= 1;
    for (int i = 0; i < topics; i++) {
      in.skip(notNull(in.readStringLength(flexible)));
      int count = notNull(in.readArrayCount(flexible, MIN_PARTITION_BYTES));
      int last = Integer.MIN_VALUE;
      for (int k = 0; k < count; k++) {
        int index = in.readInt();
        rising &= k == 0 || index > last;
        last = index;
        in.skip(version >= 4 ? 12 : 8);
        skipTags(in, flexible);
      }
      partitions += count;
      skipTags(in, flexible);
    }
    if (version >= 10) {
      in.skip(4);
    }
    skipTags(in, flexible);
    in.expectEnd();
    if (rising) {
      return new ListOffsetsFrame(flexible, partitions, Set.of());
    }
    in.reset(in.buffer(), from, until);
    return new ListOffsetsFrame(flexible, partitions, duplicates(in, version, names));
  }

  private static Set<Wanted> duplicates(FrameReader in, short version, Names names) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    Set<Wanted> seen = new HashSet<>();
    Set<Wanted> duplicates = new HashSet<>();
    in.skip(version >= 2 ? 5 : 4);
    int topics = in.readArrayCount(flexible, MIN_TOPIC_BYTES);
    for (int i = 0; i < topics; i++) {
      String topic = names.read(in, in.readStringLength(flexible));
      int count = in.readArrayCount(flexible, MIN_PARTITION_BYTES);
      for (int k = 0; k < count; k++) {
        Wanted wanted = new Wanted(topic, in.readInt());
        if (!seen.add(wanted)) {
          duplicates.add(wanted);
        }
        in.skip(version >= 4 ? 12 : 8);
        skipTags(in, flexible);
      }
      skipTags(in, flexible);
    }
    return duplicates;
  }

  private static void skipTags(FrameReader in, boolean flexible) {
    if (flexible) {
      in.skipTags();
    }
  }

  private static int notNull(int length) {
    if (length < 0) {
      throw new MalformedRequestException("null where a ListOffsets request must have something");
    }
    return length;
  }
}
