package io.takhin.protocol.kafka.fetch;

import io.netty.buffer.ByteBuf;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.net.TimerWheel;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// A Fetch request until it is answered.
///
/// ```
///            enough bytes, an error, nothing asked, no wait wished
///  evaluate ─────────────────────────────────────────────────────> answer
///     │  ^                                              cold data:    ^
///     v  │ bell                                    a worker reads it ─┘
///   parked ── timer, drain ──> evaluate and answer whatever there is
/// ```
///
/// Threading: the connection's loop.
final class FetchSlot extends ResponseSlot {
  private final FetchHandler handler;
  private final FetchConnection owner;
  private final short version;
  private final Wait wait = new Wait();

  private @Nullable ByteBuf deferredFrame;
  private @Nullable ByteBuffer deferredView;
  private int deferredFrom;
  private int deferredUntil;

  private @Nullable CursorSet set;
  private int sessionId;
  private boolean incremental;
  private int minBytes;
  private int maxBytes;
  private byte isolation;
  private long deadlineNanos;

  FetchSlot(
      FetchHandler handler,
      FetchConnection owner,
      Connection connection,
      short version,
      int correlationId,
      int requestBytes) {
    super(connection, ApiKeys.FETCH.id, correlationId, requestBytes);
    this.handler = handler;
    this.owner = owner;
    this.version = version;
  }

  /// Keeps the request for later.
  void defer(ByteBuf frame, ByteBuffer view, int from, int until) {
    deferredFrame = frame.retain();
    deferredView = view;
    deferredFrom = from;
    deferredUntil = until;
  }

  @Nullable ByteBuffer deferredView() {
    return deferredView;
  }

  int deferredFrom() {
    return deferredFrom;
  }

  int deferredUntil() {
    return deferredUntil;
  }

  void releaseDeferred() {
    ByteBuf frame = deferredFrame;
    deferredFrame = null;
    deferredView = null;
    if (frame != null) {
      frame.release();
    }
  }

  /// What is to be done, once the request is parsed.
  ///
  /// @param answeredSession session id in the answer, 0 for none
  /// @param onlyChanges whether partitions without news are left out of the answer
  void plan(
      CursorSet cursors,
      int answeredSession,
      boolean onlyChanges,
      int minimum,
      int maximum,
      byte isolationLevel,
      long deadline) {
    set = cursors;
    sessionId = answeredSession;
    incremental = onlyChanges;
    minBytes = minimum;
    maxBytes = maximum;
    isolation = isolationLevel;
    deadlineNanos = deadline;
  }

  FetchConnection owner() {
    return owner;
  }

  @Nullable CursorSet set() {
    return set;
  }

  short version() {
    return version;
  }

  int sessionId() {
    return sessionId;
  }

  boolean incremental() {
    return incremental;
  }

  int minBytes() {
    return minBytes;
  }

  int maxBytes() {
    return maxBytes;
  }

  boolean readCommitted() {
    return isolation == 1;
  }

  long deadlineNanos() {
    return deadlineNanos;
  }

  TimerWheel.Timer timer() {
    return wait;
  }

  /// There may be enough now.
  void rung() {
    handler.evaluate(this, false);
  }

  private final class Wait extends TimerWheel.Timer {
    @Override
    protected void expired(long nowNanos) {
      handler.evaluate(FetchSlot.this, true);
    }
  }
}
