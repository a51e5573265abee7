package io.takhin.protocol.kafka.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One client connection: the only handler in its pipeline.
///
/// **Bytes in.** A recv goes into the loop's shared buffer and frames are handled in place. A frame
/// that is not whole moves to a buffer of its own, into which further recvs go directly; it begins
/// with at most 64 KiB and grows to at most 16 times what arrived, until it has the frame's exact
/// size. A connection that is idle between frames holds no buffer.
///
/// ```
///            whole frames             rest of a frame
///  recv ──> [loop's buffer] ──> handle   └──> [own buffer, grows] <── recv ──> handle
/// ```
///
/// **Bytes out.** Answers leave in the order of the requests, gathered, with one flush per tick.
///
/// **Back-pressure.** While requests in hand and answers waiting their turn hold more than the
/// limit, or more bytes than that are written but not taken by the client, nothing is read; reading
/// goes on at half the limit.
///
/// Threading: its loop, but for [#closed].
public final class Connection extends ChannelInboundHandlerAdapter {
  private static final Logger log = LoggerFactory.getLogger(Connection.class);
  private static final int LENGTH_BYTES = 4;
  private static final int MIN_FRAME = 8;
  private static final int FIRST_BYTES = 64 * 1024;
  private static final int TRUSTED_GROWTH = 16;
  private static final int MAX_CLIENT_ID = Short.MAX_VALUE;

  private final Transport transport;
  private final TransportConfig config;
  private final Loop loop;
  private final Channel channel;
  private final InetAddress address;
  private final Timeout timeout = new Timeout();
  private final Resume resume = new Resume();

  private @Nullable ByteBuf partial;
  private @Nullable ByteBuffer partialView;
  private @Nullable ResponseSlot head;
  private @Nullable ResponseSlot tail;
  private int queuedRequests;
  private long queuedBytes;
  private boolean paused;
  private boolean reading;
  private boolean parsing;
  private boolean flushNeeded;
  private boolean draining;
  private boolean anyRequest;
  private long lastActiveNanos;
  private long partialSinceNanos;
  private volatile boolean closed;

  private byte[] clientIdBytes = {};
  private @Nullable String clientId;

  /// For [Loop] alone.
  @Nullable Connection nextToFlush;

  private final Object[] attachments = new Object[2];

  Connection(Transport transport, Loop loop, Channel channel, InetAddress address) {
    this.transport = transport;
    this.config = transport.config();
    this.loop = loop;
    this.channel = channel;
    this.address = address;
  }

  /// The loop that it belongs to.
  public Loop loop() {
    return loop;
  }

  /// Where the client is.
  public InetAddress address() {
    return address;
  }

  /// The listener by which it came.
  public String listener() {
    return config.listener();
  }

  /// Whether it is gone. Threading: any thread.
  public boolean closed() {
    return closed;
  }

  /// Whether the server stops.
  public boolean draining() {
    return draining;
  }

  /// State that a handler keeps with the connection; null until set.
  public @Nullable Object attachment(int slot) {
    return attachments[slot];
  }

  /// Sets what [#attachment] gives.
  public void attach(int slot, Object state) {
    attachments[slot] = state;
  }

  /// The client's name for itself as a string, made anew only when it changes.
  ///
  /// @param length -1 for null
  public @Nullable String clientId(ByteBuffer frame, int at, int length) {
    if (length < 0) {
      return null;
    }
    if (clientId == null || clientIdBytes.length != length || !sameClientId(frame, at)) {
      byte[] bytes = new byte[Math.min(length, MAX_CLIENT_ID)];
      frame.get(at, bytes);
      clientIdBytes = bytes;
      clientId = new String(bytes, StandardCharsets.UTF_8);
    }
    return clientId;
  }

  private boolean sameClientId(ByteBuffer frame, int at) {
    for (int i = 0; i < clientIdBytes.length; i++) {
      if (frame.get(at + i) != clientIdBytes[i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    lastActiveNanos = loop.readClock();
    loop.scheduleCoarse(
        timeout, lastActiveNanos + TimeUnit.MILLISECONDS.toNanos(config.firstRequestMs()));
  }

  // ---- bytes in

  /// The buffer for the next recv; the caller's reference is to be released.
  ByteBuf receiveBuffer() {
    ByteBuf own = partial;
    if (own == null) {
      return loop.takeReceiveBuffer();
    }
    if (!own.isWritable()) {
      own = grow(own);
    }
    return own.retain();
  }

  private ByteBuf grow(ByteBuf own) {
    int have = own.readableBytes();
    ByteBuf larger = allocatePartial(own, have);
    larger.writeBytes(own, own.readerIndex(), have);
    dropPartial();
    partial = larger;
    return larger;
  }

  /// A buffer for a frame of which `have` bytes are there.
  private ByteBuf allocatePartial(ByteBuf source, int have) {
    long wanted = FIRST_BYTES;
    if (have >= LENGTH_BYTES) {
      wanted = LENGTH_BYTES + (long) source.getInt(source.readerIndex());
    }
    long trusted = Math.max(FIRST_BYTES, (long) have * TRUSTED_GROWTH);
    int capacity = (int) Math.min(wanted, trusted);
    if (capacity <= have) {
      capacity = have + FIRST_BYTES;
    }
    transport.reserve(capacity);
    return allocator().directBuffer(capacity, capacity);
  }

  private void dropPartial() {
    ByteBuf own = partial;
    partial = null;
    partialView = null;
    if (own != null) {
      transport.unreserve(own.capacity());
      own.release();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf in = (ByteBuf) message;
    lastActiveNanos = loop.readClock();
    reading = true;
    try {
      if (closed) {
        return;
      }
      parse(in, in == partial);
    } finally {
      in.release();
    }
  }

  private void parse(ByteBuf in, boolean own) {
    parsing = true;
    try {
      int before = in.readerIndex();
      ByteBuffer view = own ? ownView(in) : loop.view(in);
      frames(in, view);
      if (closed) {
        dropPartial();
        return;
      }
      int rest = in.readableBytes();
      if (own && rest > 0 && in.readerIndex() == before) {
        return;
      }
      ByteBuf larger = null;
      if (rest > 0) {
        larger = allocatePartial(in, rest);
        larger.writeBytes(in, in.readerIndex(), rest);
        partialSinceNanos = loop.nowNanos();
        long deadline =
            partialSinceNanos + TimeUnit.MILLISECONDS.toNanos(config.requestArrivalMs());
        if (anyRequest) {
          loop.scheduleCoarse(timeout, deadline);
        }
      }
      dropPartial();
      partial = larger;
    } catch (MalformedRequestException e) {
      refuse("malformed-request", String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      transport.metrics().closed("defect");
      log.error("A defect while handling a request from {}; its connection is closed", address, e);
      close();
    } finally {
      parsing = false;
      if (closed) {
        dropPartial();
      }
    }
  }

  private ByteBuffer ownView(ByteBuf own) {
    ByteBuffer view = partialView;
    if (view == null) {
      view = own.nioBuffer(0, own.capacity());
      partialView = view;
    }
    return view;
  }

  private void frames(ByteBuf in, ByteBuffer view) {
    int at = in.readerIndex();
    int end = in.writerIndex();
    int from = at;
    while (mayGoOn() && end - at >= LENGTH_BYTES) {
      int length = view.getInt(at);
      if (length < MIN_FRAME || length > config.requestMaxBytes()) {
        throw new MalformedRequestException(
            "a frame of " + length + " bytes; allowed are 8 to " + config.requestMaxBytes());
      }
      int frameAt = at + LENGTH_BYTES;
      if (end - frameAt < length) {
        break;
      }
      at = frameAt + length;
      in.readerIndex(at);
      anyRequest = true;
      transport.handler().frame(this, in, view, frameAt, at);
    }
    transport.metrics().received(at - from);
  }

  private boolean mayGoOn() {
    if (paused && relieved()) {
      paused = false;
      channel.config().setAutoRead(true);
    }
    return !paused && !closed;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    reading = false;
    if (flushNeeded) {
      flushNow();
    }
  }

  // ---- bytes out

  void enqueue(ResponseSlot slot) {
    ResponseSlot last = tail;
    if (last == null) {
      head = slot;
    } else {
      last.next = slot;
    }
    tail = slot;
    queuedRequests++;
    queuedBytes += slot.heldBytes;
    checkPressure();
  }

  void ready(ResponseSlot slot, boolean disconnect) {
    slot.ready = true;
    if (closed || disconnect) {
      Object response = slot.takeAnswer();
      if (response != null) {
        ResponseSlot.release(response);
      }
      if (disconnect && !closed) {
        transport.metrics().closed("unacknowledged-failure");
        close();
      }
      return;
    }
    if (slot != head) {
      int more = slot.answerBytes();
      slot.heldBytes += more;
      queuedBytes += more;
      checkPressure();
      return;
    }
    sendReady();
    checkPressure();
  }

  private void sendReady() {
    long now = loop.readClock();
    lastActiveNanos = now;
    ResponseSlot slot = head;
    while (slot != null && slot.ready) {
      queuedRequests--;
      queuedBytes -= slot.heldBytes;
      Object response = slot.takeAnswer();
      if (response != null) {
        write(response);
      }
      transport.metrics().answered(slot.apiKey(), now - slot.startNanos());
      slot = slot.next;
    }
    head = slot;
    if (slot == null) {
      tail = null;
      if (draining) {
        flushNow();
        closeWhenSent();
        return;
      }
    }
    if (!flushNeeded) {
      flushNeeded = true;
      if (!reading) {
        loop.flushAtEndOfTick(this);
      }
    }
  }

  private void write(Object response) {
    if (response instanceof List<?> parts) {
      for (Object part : parts) {
        writePart(part);
      }
    } else {
      writePart(response);
    }
  }

  private void writePart(Object part) {
    long bytes =
        part instanceof ByteBuf buffer
            ? buffer.readableBytes()
            : ((io.netty.channel.FileRegion) part).count();
    transport.metrics().sent(bytes);
    channel.write(part, channel.voidPromise());
  }

  void flushNow() {
    if (flushNeeded) {
      flushNeeded = false;
      channel.flush();
    }
  }

  // ---- back-pressure

  private void checkPressure() {
    if (!paused) {
      if (queuedBytes > config.queuedMaxBytes()
          || queuedRequests > config.queuedMaxRequests()
          || !channel.isWritable()) {
        paused = true;
        channel.config().setAutoRead(false);
      }
    } else if (!parsing && !resume.queued && relieved()) {
      resume.queued = true;
      loop.atEndOfTick(resume);
    }
  }

  private boolean relieved() {
    return queuedBytes <= config.queuedMaxBytes() / 2
        && queuedRequests <= config.queuedMaxRequests() / 2
        && channel.isWritable()
        && !draining;
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    checkPressure();
  }

  // ---- the end

  private void refuse(String reason, String message) {
    transport.metrics().closed(reason);
    long held = transport.once().admit(reason);
    if (held >= 0) {
      log.info(
          "Closing the connection of {} (client id '{}'): {}; {} more like it since the last time",
          address.getHostAddress(),
          OncePerKind.printable(clientId == null ? "" : clientId),
          message,
          held);
    }
    close();
  }

  /// Closes it for something that the client did.
  ///
  /// @param reason a word from a closed set, for metrics
  /// @param message what to log, at most once a minute for each reason
  public void closeBecause(String reason, String message) {
    refuse(reason, message);
  }

  /// Closes it.
  public void close() {
    channel.close();
  }

  /// Answers what is in hand and closes.
  void drain() {
    draining = true;
    channel.config().setAutoRead(false);
    transport.handler().draining(this);
    if (head == null) {
      flushNow();
      closeWhenSent();
    }
  }

  private void closeWhenSent() {
    channel.writeAndFlush(allocator().directBuffer(0, 0)).addListener(sent -> channel.close());
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    closed = true;
    loop.cancel(timeout);
    if (!parsing) {
      dropPartial();
    }
    for (ResponseSlot slot = head; slot != null; slot = slot.next) {
      Object response = slot.ready ? slot.takeAnswer() : null;
      if (response != null) {
        ResponseSlot.release(response);
      }
    }
    head = null;
    tail = null;
    transport.closed(this);
    transport.handler().closed(this);
    Arrays.fill(attachments, null);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof MalformedRequestException) {
      refuse("malformed-request", String.valueOf(cause.getMessage()));
    } else if (cause instanceof IOException) {
      log.debug("Connection of {} broke: {}", address, cause.toString());
    } else {
      transport.metrics().closed("defect");
      log.error("A defect on the connection of {}; it is closed", address, cause);
    }
    close();
  }

  private ByteBufAllocator allocator() {
    return loop.allocator();
  }

  /// Reads on. At the end of the tick, for answers are often given while another connection's
  /// request is being handled, and handling does not nest.
  private final class Resume extends LoopTask {
    private boolean queued;

    @Override
    protected void runOnLoop() {
      queued = false;
      if (closed || !paused) {
        return;
      }
      ByteBuf own = partial;
      if (own != null) {
        partialSinceNanos = loop.nowNanos();
        own.retain();
        try {
          parse(own, true);
        } finally {
          own.release();
        }
      } else if (relieved()) {
        paused = false;
        channel.config().setAutoRead(true);
      }
    }
  }

  /// Watches the first request, the arrival of a frame, and silence.
  private final class Timeout extends TimerWheel.Timer {
    @Override
    protected void expired(long nowNanos) {
      if (partial != null && !paused && anyRequest) {
        long deadline =
            partialSinceNanos + TimeUnit.MILLISECONDS.toNanos(config.requestArrivalMs());
        if (deadline <= nowNanos) {
          refuse("request-too-slow", "a request did not arrive in kafka.request.timeout.ms");
          return;
        }
        loop.scheduleCoarse(this, deadline);
        return;
      }
      if (!anyRequest) {
        refuse("first-request-too-slow", "no request came in kafka.connection.timeout.ms");
        return;
      }
      long idleFrom = head != null ? nowNanos : lastActiveNanos;
      long deadline = idleFrom + TimeUnit.MILLISECONDS.toNanos(config.connectionsMaxIdleMs());
      if (deadline <= nowNanos) {
        transport.metrics().closed("idle");
        log.debug("Closing the idle connection of {}", address);
        close();
      } else {
        loop.scheduleCoarse(this, deadline);
      }
    }
  }
}
