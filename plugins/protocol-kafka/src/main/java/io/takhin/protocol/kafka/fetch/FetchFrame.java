package io.takhin.protocol.kafka.fetch;

import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import java.util.Arrays;

/// A Fetch request's fields by their place in the frame, versions 4 to 18. Reused from request to
/// request.
final class FetchFrame {
  static final int FIRST_FLEXIBLE = 12;
  static final int FIRST_WITH_TOPIC_ID = 13;
  static final int FIRST_WITH_SESSION = 7;
  private static final int KEPT = 16 * 1024;
  private static final int FIELDS = 7;
  private static final int FORGOTTEN_FIELDS = 3;
  private static final int NO_REPLICA = -1;
  private static final int TAG_CLUSTER_ID = 0;
  private static final int TAG_REPLICA_STATE = 1;

  int replicaId;
  int maxWaitMs;
  int minBytes;
  int maxBytes;
  byte isolation;
  int sessionId;
  int sessionEpoch;
  int partitionCount;
  int forgottenCount;

  // topic key position, its length, index, leader epoch, last fetched epoch, max bytes, unused
  private int[] partitions = new int[FIELDS * 16];
  private long[] offsets = new long[16];
  // topic key position, its length, index
  private int[] forgotten = new int[FORGOTTEN_FIELDS * 4];

  void read(FrameReader in, short version) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    boolean ids = version >= FIRST_WITH_TOPIC_ID;
    partitionCount = 0;
    forgottenCount = 0;
    replicaId = version <= 14 ? in.readInt() : NO_REPLICA;
    maxWaitMs = in.readInt();
    minBytes = in.readInt();
    maxBytes = in.readInt();
    isolation = in.readByte();
    sessionId = 0;
    sessionEpoch = -1;
    if (version >= FIRST_WITH_SESSION) {
      sessionId = in.readInt();
      sessionEpoch = in.readInt();
    }
    int topics = notNull(in.readArrayCount(flexible, 3));
    for (int i = 0; i < topics; i++) {
      readTopic(in, version, flexible, ids);
    }
    if (version >= FIRST_WITH_SESSION) {
      readForgotten(in, flexible, ids);
    }
    if (version >= 11) {
      in.skip(notNull(in.readStringLength(flexible)));
    }
    if (flexible) {
      readTags(in, version);
    }
    in.expectEnd();
  }

  private void readTopic(FrameReader in, short version, boolean flexible, boolean ids) {
    int keyLength = ids ? 16 : notNull(in.readStringLength(flexible));
    int keyAt = in.position();
    in.skip(keyLength);
    int count = notNull(in.readArrayCount(flexible, 16));
    for (int i = 0; i < count; i++) {
      int index = in.readInt();
      int leaderEpoch = version >= 9 ? in.readInt() : -1;
      long offset = in.readLong();
      int lastFetchedEpoch = version >= 12 ? in.readInt() : -1;
      if (version >= 5) {
        in.readLong();
      }
      int bytes = in.readInt();
      if (flexible) {
        in.skipTags();
      }
      add(keyAt, keyLength, index, leaderEpoch, lastFetchedEpoch, bytes, offset);
    }
    if (flexible) {
      in.skipTags();
    }
  }

  private void add(
      int keyAt,
      int keyLength,
      int index,
      int leaderEpoch,
      int lastFetchedEpoch,
      int bytes,
      long offset) {
    int base = partitionCount * FIELDS;
    if (base == partitions.length) {
      partitions = Arrays.copyOf(partitions, base * 2);
      offsets = Arrays.copyOf(offsets, offsets.length * 2);
    }
    partitions[base] = keyAt;
    partitions[base + 1] = keyLength;
    partitions[base + 2] = index;
    partitions[base + 3] = leaderEpoch;
    partitions[base + 4] = lastFetchedEpoch;
    partitions[base + 5] = bytes;
    offsets[partitionCount++] = offset;
  }

  private void readForgotten(FrameReader in, boolean flexible, boolean ids) {
    int topics = notNull(in.readArrayCount(flexible, 3));
    for (int i = 0; i < topics; i++) {
      int keyLength = ids ? 16 : notNull(in.readStringLength(flexible));
      int keyAt = in.position();
      in.skip(keyLength);
      int count = notNull(in.readArrayCount(flexible, 4));
      for (int j = 0; j < count; j++) {
        int base = forgottenCount * FORGOTTEN_FIELDS;
        if (base == forgotten.length) {
          forgotten = Arrays.copyOf(forgotten, base * 2);
        }
        forgotten[base] = keyAt;
        forgotten[base + 1] = keyLength;
        forgotten[base + 2] = in.readInt();
        forgottenCount++;
      }
      if (flexible) {
        in.skipTags();
      }
    }
  }

  private void readTags(FrameReader in, short version) {
    int tag = -1;
    for (int i = in.readTagCount(); i > 0; i--) {
      tag = in.nextTag(tag);
      int size = in.readUnsignedVarint();
      if (tag == TAG_REPLICA_STATE && version >= 15 && size >= 4) {
        replicaId = in.readInt();
        in.skipTag(size - 4);
      } else if (tag == TAG_CLUSTER_ID) {
        int at = in.position();
        in.skip(Math.max(in.readStringLength(true), 0));
        if (in.position() - at != size) {
          throw new MalformedRequestException("a tagged field is not as long as it claims");
        }
      } else {
        in.skipTag(size);
      }
    }
  }

  private static int notNull(int length) {
    if (length < 0) {
      throw new MalformedRequestException("null where a Fetch request must have something");
    }
    return length;
  }

  int keyAt(int partition) {
    return partitions[partition * FIELDS];
  }

  int keyLength(int partition) {
    return partitions[partition * FIELDS + 1];
  }

  int index(int partition) {
    return partitions[partition * FIELDS + 2];
  }

  int leaderEpoch(int partition) {
    return partitions[partition * FIELDS + 3];
  }

  int lastFetchedEpoch(int partition) {
    return partitions[partition * FIELDS + 4];
  }

  int partitionMaxBytes(int partition) {
    return partitions[partition * FIELDS + 5];
  }

  long offset(int partition) {
    return offsets[partition];
  }

  int forgottenKeyAt(int at) {
    return forgotten[at * FORGOTTEN_FIELDS];
  }

  int forgottenKeyLength(int at) {
    return forgotten[at * FORGOTTEN_FIELDS + 1];
  }

  int forgottenIndex(int at) {
    return forgotten[at * FORGOTTEN_FIELDS + 2];
  }

  /// Lets go of arrays that one huge request made.
  void trim() {
    if (partitions.length > KEPT * FIELDS) {
      partitions = new int[FIELDS * 16];
      offsets = new long[16];
    }
    if (forgotten.length > KEPT * FORGOTTEN_FIELDS) {
      forgotten = new int[FORGOTTEN_FIELDS * 4];
    }
  }
}
