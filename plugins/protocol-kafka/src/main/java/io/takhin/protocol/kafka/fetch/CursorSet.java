package io.takhin.protocol.kafka.fetch;

import io.takhin.protocol.kafka.net.Loop;
import io.takhin.protocol.kafka.net.LoopTask;
import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Cursors by topic and index in open addressing, those of the fetch under way in the order in
/// which they are to be read, and the bell that data rings while the fetch is parked.
///
/// The bell: while parked, `wakeAt` is the number of bytes that are missing; whoever makes data
/// visible adds to `available` and rings when it is reached. The loop sets `wakeAt` and then looks
/// at `available`, the others add and then look at `wakeAt`, so that one of the two sees the other.
///
/// Threading: the connection's loop, but for [#advanced] and [#changed].
class CursorSet extends LoopTask {
  private final Loop loop;
  private final AtomicLong available = new AtomicLong();
  private final AtomicBoolean ringing = new AtomicBoolean();
  private volatile long wakeAt = Long.MAX_VALUE;

  /// Of each process its own, or clients could choose names that fall on each other.
  private static final int SEED = ThreadLocalRandom.current().nextInt();

  private final FetchCursor list = new FetchCursor(this, new byte[0], false, -1, 0);
  private @Nullable FetchCursor[] table = new FetchCursor[8];
  private int size;
  private int listedCount;
  private byte isolation = -1;
  private @Nullable FetchSlot parked;

  CursorSet(Loop loop) {
    this.loop = loop;
  }

  /// How many cursors there are.
  int size() {
    return size;
  }

  int listedCount() {
    return listedCount;
  }

  /// The first in order; [#end] if there is none.
  FetchCursor first() {
    return list.next;
  }

  FetchCursor end() {
    return list;
  }

  void isolation(byte wanted) {
    if (isolation != wanted) {
      isolation = wanted;
      for (FetchCursor cursor : table) {
        if (cursor != null) {
          cursor.soil();
        }
      }
    }
  }

  /// The cursor of a partition named in a frame; made if it is new.
  FetchCursor cursor(
      ByteBuffer frame,
      int keyAt,
      int keyLength,
      int index,
      boolean byId,
      @Nullable FetchCursor like) {
    int hash = hash(frame, keyAt, keyLength, index);
    FetchCursor found = find(frame, keyAt, keyLength, index, hash);
    if (found != null) {
      return found;
    }
    byte[] key;
    if (like != null && like.matches(frame, keyAt, keyLength, like.index())) {
      key = like.key();
    } else {
      key = new byte[keyLength];
      frame.get(keyAt, key);
    }
    FetchCursor made = new FetchCursor(this, key, byId, index, hash);
    if ((size + 1) * 2 > table.length) {
      rebuild(table.length * 2, null);
    }
    place(made);
    size++;
    return made;
  }

  @Nullable FetchCursor find(ByteBuffer frame, int keyAt, int keyLength, int index) {
    return find(frame, keyAt, keyLength, index, hash(frame, keyAt, keyLength, index));
  }

  private @Nullable FetchCursor find(
      ByteBuffer frame, int keyAt, int keyLength, int index, int hash) {
    int at = hash & (table.length - 1);
    FetchCursor cursor;
    while ((cursor = table[at]) != null) {
      if (cursor.hash() == hash && cursor.matches(frame, keyAt, keyLength, index)) {
        return cursor;
      }
      at = at + 1 & (table.length - 1);
    }
    return null;
  }

  private void place(FetchCursor cursor) {
    int at = cursor.hash() & (table.length - 1);
    while (table[at] != null) {
      at = at + 1 & (table.length - 1);
    }
    table[at] = cursor;
  }

  /// Puts a cursor last in the order; one that is there already is moved.
  void last(FetchCursor cursor) {
    unlink(cursor);
    cursor.previous = list.previous;
    cursor.next = list;
    list.previous.next = cursor;
    list.previous = cursor;
    cursor.listed = true;
    listedCount++;
  }

  private void unlink(FetchCursor cursor) {
    if (cursor.listed) {
      cursor.previous.next = cursor.next;
      cursor.next.previous = cursor.previous;
      cursor.listed = false;
      listedCount--;
    }
  }

  void remove(FetchCursor cursor) {
    unlink(cursor);
    cursor.leave();
    rebuild(table.length, cursor);
    size--;
  }

  /// Forgets all cursors that are not in the order.
  void keepListed() {
    for (FetchCursor cursor : table) {
      if (cursor != null && !cursor.listed) {
        cursor.leave();
        size--;
      }
    }
    int capacity = 8;
    while (capacity < size * 2) {
      capacity *= 2;
    }
    table = new FetchCursor[capacity];
    for (FetchCursor cursor = list.next; cursor != list; cursor = cursor.next) {
      place(cursor);
    }
  }

  private void rebuild(int capacity, @Nullable FetchCursor without) {
    @Nullable FetchCursor[] old = table;
    table = new FetchCursor[capacity];
    for (FetchCursor cursor : old) {
      if (cursor != null && cursor != without) {
        place(cursor);
      }
    }
  }

  /// Takes all out of the order; the cursors stay.
  void clearOrder() {
    for (FetchCursor cursor = list.next; cursor != list; ) {
      FetchCursor following = cursor.next;
      cursor.listed = false;
      cursor = following;
    }
    list.next = list;
    list.previous = list;
    listedCount = 0;
  }

  /// Stops watching everything.
  void close() {
    unpark();
    for (FetchCursor cursor : table) {
      if (cursor != null) {
        cursor.leave();
      }
    }
    table = new FetchCursor[8];
    size = 0;
    clearOrder();
  }

  private static int hash(ByteBuffer frame, int at, int length, int index) {
    int hash = SEED ^ index * 0x9e3779b9;
    for (int i = at; i < at + length; i++) {
      hash = (hash ^ frame.get(i)) * 0x01000193;
    }
    return hash ^ hash >>> 15;
  }

  // ---- the bell

  /// Counts from here on; before reading.
  void listen() {
    available.set(0);
  }

  /// Rings when so many bytes more have come since [#listen].
  void park(FetchSlot slot, long missingBytes) {
    parked = slot;
    wakeAt = missingBytes;
    if (available.get() >= missingBytes) {
      ring();
    }
  }

  void unpark() {
    parked = null;
    wakeAt = Long.MAX_VALUE;
  }

  void advanced(long bytes) {
    if (available.addAndGet(bytes) >= wakeAt) {
      ring();
    }
  }

  void changed() {
    available.set(Long.MAX_VALUE / 2);
    if (wakeAt != Long.MAX_VALUE) {
      ring();
    }
  }

  private void ring() {
    if (ringing.compareAndSet(false, true)) {
      if (loop.inLoop()) {
        loop.atEndOfTick(this);
      } else {
        loop.submit(this);
      }
    }
  }

  @Override
  protected final void runOnLoop() {
    ringing.set(false);
    FetchSlot slot = parked;
    if (slot != null) {
      slot.rung();
    }
  }
}
