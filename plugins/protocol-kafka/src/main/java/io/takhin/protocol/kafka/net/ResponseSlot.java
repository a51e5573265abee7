package io.takhin.protocol.kafka.net;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;

/// The place of one request's answer in the order of its connection (T7). Opening it takes the
/// place; the answer may come at any time from any thread, and leaves when all before it have.
///
/// ```
///  open ── respond, respondNothing ──> ready ── all before it sent ──> sent
///    └──── disconnect ──> the connection closes
/// ```
///
/// Threading: any thread for the answering methods, of which the first wins; all else the loop.
public class ResponseSlot extends LoopTask {
  private static final AtomicIntegerFieldUpdater<ResponseSlot> ANSWERED =
      AtomicIntegerFieldUpdater.newUpdater(ResponseSlot.class, "answered");

  private final Connection connection;
  private final short api;
  private final int correlationId;
  private final long startNanos;
  private volatile int answered;

  @Nullable ResponseSlot next;
  boolean ready;
  int heldBytes;
  private @Nullable ByteBuf frame;
  private @Nullable Object answer;
  private boolean disconnect;

  /// Takes the next place.
  ///
  /// @param requestBytes what the request holds in memory until it is answered
  public ResponseSlot(Connection connection, short api, int correlationId, int requestBytes) {
    this.connection = connection;
    this.api = api;
    this.correlationId = correlationId;
    this.heldBytes = requestBytes;
    this.startNanos = connection.loop().nowNanos();
    connection.enqueue(this);
  }

  /// Whose request it is.
  public final Connection connection() {
    return connection;
  }

  /// The API's key.
  public final short apiKey() {
    return api;
  }

  /// What the answer begins with.
  public final int correlationId() {
    return correlationId;
  }

  /// The frame that is kept; null once the answer was given.
  protected final @Nullable ByteBuf keptFrame() {
    return frame;
  }

  final long startNanos() {
    return startNanos;
  }

  /// Keeps the frame until the answer is given. Threading: the loop, before anything can answer.
  public final void keep(ByteBuf requestFrame) {
    frame = requestFrame.retain();
  }

  /// Gives the answer: a whole frame with its length. Buffers: the slot's from now on.
  public final void respond(ByteBuf response) {
    give(response, false);
  }

  /// Gives the answer in parts: buffers and file regions, in order. Buffers: the slot's from now
  /// on.
  public final void respond(List<Object> parts) {
    give(parts, false);
  }

  /// There is no answer to this request (T8).
  public final void respondNothing() {
    give(null, false);
  }

  /// Closes the connection instead of an answer.
  public final void disconnect() {
    give(null, true);
  }

  /// Whether an answer was given.
  public final boolean answered() {
    return answered != 0;
  }

  /// Runs work on the loop: at once if the caller is on it. Answers are encoded there, so that no
  /// other thread touches the buffer pool.
  protected final void onLoop(Runnable work) {
    if (connection.loop().inLoop()) {
      work.run();
      return;
    }
    connection
        .loop()
        .submit(
            new LoopTask() {
              @Override
              protected void runOnLoop() {
                work.run();
              }
            });
  }

  private void give(@Nullable Object response, boolean closing) {
    if (!ANSWERED.compareAndSet(this, 0, 1)) {
      if (response != null) {
        release(response);
      }
      throw new IllegalStateException("a second answer to one request");
    }
    answer = response;
    disconnect = closing;
    if (connection.loop().inLoop()) {
      runOnLoop();
    } else {
      connection.loop().submit(this);
    }
  }

  @Override
  protected final void runOnLoop() {
    ByteBuf kept = frame;
    frame = null;
    if (kept != null) {
      kept.release();
    }
    connection.ready(this, disconnect);
  }

  final @Nullable Object takeAnswer() {
    Object response = answer;
    answer = null;
    return response;
  }

  final int answerBytes() {
    return answer instanceof ByteBuf buffer ? buffer.readableBytes() : 0;
  }

  static void release(Object response) {
    if (response instanceof List<?> parts) {
      parts.forEach(ReferenceCountUtil::release);
    } else {
      ReferenceCountUtil.release(response);
    }
  }
}
