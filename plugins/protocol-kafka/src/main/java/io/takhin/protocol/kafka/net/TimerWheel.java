package io.takhin.protocol.kafka.net;

import org.jspecify.annotations.Nullable;

/// A hashed timer wheel: scheduling and cancelling cost O(1) and allocate nothing, for the timers
/// are nodes of the wheel's own lists.
///
/// A deadline is rounded up to the next tick; timers that lie more than one turn ahead stay in
/// their slot and are looked at once per turn.
///
/// Threading: one thread. Blocking: no. Errors: whatever a timer throws comes out of [#advance].
public final class TimerWheel {
  private final long tickNanos;
  private final long startNanos;
  private final Node[] slots;
  private final int mask;
  private final Node due = new Node();
  private long currentTick;
  private int size;

  /// A wheel.
  ///
  /// @param tickNanos length of a tick
  /// @param slots number of slots, a power of two
  /// @param nowNanos the monotonic time now
  public TimerWheel(long tickNanos, int slots, long nowNanos) {
    if (Integer.bitCount(slots) != 1 || tickNanos <= 0) {
      throw new IllegalArgumentException(slots + " slots of " + tickNanos + " ns");
    }
    this.tickNanos = tickNanos;
    this.startNanos = nowNanos;
    this.slots = new Node[slots];
    this.mask = slots - 1;
    for (int i = 0; i < slots; i++) {
      this.slots[i] = new Node();
    }
  }

  /// How many timers wait.
  public int size() {
    return size;
  }

  /// Lets a timer expire at a time; one that waits already is moved. A time that has passed means
  /// the next tick.
  ///
  /// @return when it will expire, if [#advance] is called then
  public long schedule(Timer timer, long deadlineNanos) {
    cancel(timer);
    long ticks = Math.ceilDiv(deadlineNanos - startNanos, tickNanos);
    timer.tick = Math.max(ticks, currentTick + 1);
    timer.wheel = this;
    timer.linkBefore(slots[(int) timer.tick & mask]);
    size++;
    return startNanos + timer.tick * tickNanos;
  }

  /// Takes a timer out, if it waits.
  public void cancel(Timer timer) {
    if (timer.wheel == this) {
      timer.wheel = null;
      timer.unlink();
      size--;
    }
  }

  /// Calls every timer whose time has come.
  public void advance(long nowNanos) {
    long until = Math.floorDiv(nowNanos - startNanos, tickNanos);
    if (until <= currentTick) {
      return;
    }
    if (size == 0) {
      currentTick = until;
      return;
    }
    long turns = Math.min(until - currentTick, slots.length);
    long from = currentTick + 1;
    currentTick = until;
    for (long tick = from; tick < from + turns; tick++) {
      Node slot = slots[(int) tick & mask];
      for (Node node = slot.next; node != slot; ) {
        Node following = node.next;
        if (((Timer) node).tick <= until) {
          node.unlink();
          node.linkBefore(due);
        }
        node = following;
      }
    }
    while (due.next != due) {
      Timer timer = (Timer) due.next;
      cancel(timer);
      timer.expired(nowNanos);
    }
  }

  /// When to call [#advance] next, or Long.MAX_VALUE if nothing waits. It may be early by whole
  /// turns, never late.
  public long nextNanos() {
    if (size == 0) {
      return Long.MAX_VALUE;
    }
    for (long tick = currentTick + 1; tick <= currentTick + slots.length; tick++) {
      Node slot = slots[(int) tick & mask];
      if (slot.next != slot) {
        return startNanos + tick * tickNanos;
      }
    }
    return startNanos + (currentTick + 1) * tickNanos;
  }

  private static class Node {
    Node previous = this;
    Node next = this;

    void linkBefore(Node node) {
      previous = node.previous;
      next = node;
      previous.next = this;
      node.previous = this;
    }

    void unlink() {
      previous.next = next;
      next.previous = previous;
      previous = this;
      next = this;
    }
  }

  /// Something that waits for a time; waits in one wheel at most.
  public abstract static class Timer extends Node {
    private long tick;
    private @Nullable TimerWheel wheel;

    /// A timer that does not wait yet.
    protected Timer() {}

    /// Whether it waits.
    public final boolean waiting() {
      return wheel != null;
    }

    /// The time has come.
    protected abstract void expired(long nowNanos);
  }
}
