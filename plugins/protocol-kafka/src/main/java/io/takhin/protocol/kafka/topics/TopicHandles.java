package io.takhin.protocol.kafka.topics;

import io.takhin.api.partition.PartitionService;
import io.takhin.api.partition.PartitionService.Topic;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The topics that one loop has met, by the bytes of their names and by their ids: open addressing,
/// no string and no allocation for one that was met before. Topics that do not exist are not kept,
/// and when one that was kept is found deleted, all are forgotten.
///
/// Threading: one loop. Blocking: no.
public final class TopicHandles {
  private static final int SLOTS = 16 * 1024;
  private static final int MAX = SLOTS / 2;
  private static final int MASK = SLOTS - 1;

  private final PartitionService partitions;
  private @Nullable TopicHandle[] byName = new TopicHandle[64];
  private @Nullable TopicHandle[] byId = new TopicHandle[64];
  private int names;
  private int ids;

  /// None met yet.
  public TopicHandles(PartitionService partitions) {
    this.partitions = partitions;
  }

  /// The topic of this name, or null.
  ///
  /// @param length of the name; it lies within the frame
  public @Nullable TopicHandle byName(ByteBuffer frame, int at, int length) {
    int slot = hash(frame, at, length) & (byName.length - 1);
    TopicHandle handle;
    while ((handle = byName[slot]) != null) {
      if (same(handle.name(), frame, at, length)) {
        if (!handle.topic().deleted()) {
          return handle;
        }
        forget();
        break;
      }
      slot = slot + 1 & (byName.length - 1);
    }
    byte[] bytes = new byte[length];
    frame.get(at, bytes);
    Topic topic = partitions.topic(new String(bytes, StandardCharsets.UTF_8));
    return topic == null ? null : addName(new TopicHandle(topic));
  }

  /// The topic of this id, or null.
  public @Nullable TopicHandle byId(long high, long low) {
    int slot = hash(high, low) & (byId.length - 1);
    TopicHandle handle;
    while ((handle = byId[slot]) != null) {
      if (handle.idLow() == low && handle.idHigh() == high) {
        if (!handle.topic().deleted()) {
          return handle;
        }
        forget();
        break;
      }
      slot = slot + 1 & (byId.length - 1);
    }
    Topic topic = partitions.topic(new UUID(high, low));
    return topic == null ? null : addId(new TopicHandle(topic));
  }

  private TopicHandle addName(TopicHandle handle) {
    if (names >= MAX) {
      forget();
    }
    if (names * 2 >= byName.length) {
      @Nullable TopicHandle[] old = byName;
      byName = new TopicHandle[Math.min(old.length * 4, SLOTS)];
      for (TopicHandle each : old) {
        if (each != null) {
          placeByName(each);
        }
      }
    }
    placeByName(handle);
    names++;
    return handle;
  }

  private void placeByName(TopicHandle handle) {
    int slot = hash(ByteBuffer.wrap(handle.name()), 0, handle.name().length) & (byName.length - 1);
    while (byName[slot] != null) {
      slot = slot + 1 & (byName.length - 1);
    }
    byName[slot] = handle;
  }

  private TopicHandle addId(TopicHandle handle) {
    if (ids >= MAX) {
      forget();
    }
    if (ids * 2 >= byId.length) {
      @Nullable TopicHandle[] old = byId;
      byId = new TopicHandle[Math.min(old.length * 4, SLOTS)];
      for (TopicHandle each : old) {
        if (each != null) {
          placeById(each);
        }
      }
    }
    placeById(handle);
    ids++;
    return handle;
  }

  private void placeById(TopicHandle handle) {
    int slot = hash(handle.idHigh(), handle.idLow()) & (byId.length - 1);
    while (byId[slot] != null) {
      slot = slot + 1 & (byId.length - 1);
    }
    byId[slot] = handle;
  }

  private void forget() {
    Arrays.fill(byName, null);
    Arrays.fill(byId, null);
    names = 0;
    ids = 0;
  }

  private static int hash(ByteBuffer frame, int at, int length) {
    int hash = 0x811c9dc5;
    for (int i = at; i < at + length; i++) {
      hash = (hash ^ frame.get(i)) * 0x01000193;
    }
    return (hash ^ hash >>> 15) & MASK;
  }

  private static int hash(long high, long low) {
    long mixed = (high ^ low) * 0x9e3779b97f4a7c15L;
    return (int) (mixed >>> 40) & MASK;
  }

  private static boolean same(byte[] name, ByteBuffer frame, int at, int length) {
    if (name.length != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (name[i] != frame.get(at + i)) {
        return false;
      }
    }
    return true;
  }
}
