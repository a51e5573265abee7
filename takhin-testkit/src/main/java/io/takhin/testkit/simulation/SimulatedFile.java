package io.takhin.testkit.simulation;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The content of a file, as processes see it and as it is on disk.
///
/// Threading: the simulation's.
final class SimulatedFile implements SimulatedDisk.Node {
  private static final int PAGE = 4096;

  private Content cached = new Content();
  private Content durable = new Content();
  private final List<Change> changes = new ArrayList<>();
  long modifiedMs;

  /// Bytes written, or, without bytes, a new size.
  record Change(int position, byte[] bytes, boolean truncation) {
    void apply(Content to, int length) {
      if (truncation) {
        to.resize(position);
      } else {
        to.write(bytes, length, position);
      }
    }

    void apply(Content to) {
      apply(to, bytes.length);
    }
  }

  private static final class Content {
    private byte[] bytes = new byte[0];
    private int size;

    Content copy() {
      Content copy = new Content();
      copy.bytes = Arrays.copyOf(bytes, size);
      copy.size = size;
      return copy;
    }

    void write(byte[] source, int length, int position) {
      if (length == 0) {
        return;
      }
      int end = position + length;
      ensure(end);
      System.arraycopy(source, 0, bytes, position, length);
      size = Math.max(size, end);
    }

    void resize(int to) {
      ensure(to);
      if (to < size) {
        Arrays.fill(bytes, to, size, (byte) 0);
      }
      size = to;
    }

    private void ensure(int capacity) {
      if (capacity > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.max(capacity, bytes.length * 2));
      }
    }
  }

  List<Change> changes() {
    return changes;
  }

  int size() {
    return cached.size;
  }

  int read(ByteBuffer target, long position) {
    int length = (int) Math.min(target.remaining(), Math.max(0, cached.size - position));
    if (length > 0) {
      target.put(cached.bytes, (int) position, length);
    }
    return length;
  }

  void write(byte[] bytes, int length, long position, long nowMs) {
    change(new Change((int) position, Arrays.copyOf(bytes, length), false), nowMs);
  }

  void truncate(int size, long nowMs) {
    change(new Change(size, new byte[0], true), nowMs);
  }

  private void change(Change change, long nowMs) {
    change.apply(cached);
    changes.add(change);
    modifiedMs = nowMs;
  }

  /// The changes up to this one are on disk now.
  void force(@Nullable Change last) {
    int count = 0;
    for (int i = 0; i < changes.size(); i++) {
      if (changes.get(i) == last) {
        count = i + 1;
      }
    }
    List<Change> forced = changes.subList(0, count);
    forced.forEach(change -> change.apply(durable));
    forced.clear();
  }

  /// What was not forced never gets to the disk.
  ///
  /// @param shown whether it can be read until the machine loses power, as if it were there
  void forget(boolean shown) {
    changes.clear();
    if (!shown) {
      cached = durable.copy();
    }
  }

  @Override
  public void losePower(Simulation simulation) {
    if (!changes.isEmpty()) {
      switch (simulation.random().nextInt(4)) {
        case 0 -> {}
        case 1 -> changes.forEach(change -> change.apply(durable));
        case 2 -> keepFirst(simulation);
        default -> keepPages(simulation);
      }
      changes.clear();
    }
    cached = durable.copy();
  }

  private void keepFirst(Simulation simulation) {
    int kept = simulation.random().nextInt(changes.size());
    changes.subList(0, kept).forEach(change -> change.apply(durable));
    Change torn = changes.get(kept);
    if (!torn.truncation()) {
      torn.apply(durable, simulation.random().nextInt(torn.bytes().length + 1));
    }
  }

  /// Each page as it was or as it became, in a file as long as it became.
  private void keepPages(Simulation simulation) {
    Content pages = durable.copy();
    pages.resize(cached.size);
    for (int at = 0; at < cached.size; at += PAGE) {
      if (simulation.random().nextBoolean()) {
        byte[] page = Arrays.copyOfRange(cached.bytes, at, Math.min(cached.size, at + PAGE));
        pages.write(page, page.length, at);
      }
    }
    durable = pages;
  }
}
