package io.takhin.protocol.kafka.fetch;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogSlice;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.LoopTask;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.topics.TopicHandles;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.ApiKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves Fetch, versions 4 to 18: sessions, reading, parking. [FetchEncoder] writes the answers.
///
/// Threading: the connection's loop. Blocking: never; slices that lie far behind the end of their
/// log are read by a worker first. Buffers: slices are closed when they are sent or copied.
public final class FetchHandler {
  private static final Logger log = LoggerFactory.getLogger(FetchHandler.class);
  private static final int ATTACHMENT = 0;
  private static final int SWEEP_SLACK = 16;
  private static final int CLOSING_EPOCH = -1;
  private static final int WARM_BYTES = 256 * 1024;
  private static final int WAIT_PARTS = 16;
  private static final long MIN_TOGETHER_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long MAX_TOGETHER_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final FetchConfig config;
  private final PluginContext context;
  private final TransportMetrics metrics;
  private final FetchEncoder encoder;
  private final FetchFrame[] frames;
  private final TopicHandles[] topics;
  private final FetchSessions[] sessions;

  /// Serves all loops.
  ///
  /// @param loops how many there are
  public FetchHandler(
      FetchConfig config,
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      TransportMetrics metrics,
      int loops) {
    this.config = config;
    this.context = context;
    this.metrics = metrics;
    encoder = new FetchEncoder(cluster);
    AtomicInteger sessionCount = new AtomicInteger();
    frames = new FetchFrame[loops];
    topics = new TopicHandles[loops];
    sessions = new FetchSessions[loops];
    for (int i = 0; i < loops; i++) {
      frames[i] = new FetchFrame();
      topics[i] = new TopicHandles(partitions);
      sessions[i] = new FetchSessions(config, sessionCount);
    }
    context
        .metrics()
        .gauges(
            "takhin_kafka_fetch_sessions",
            "Incremental fetch sessions.",
            sink -> sink.value(sessionCount.get()));
  }

  /// Handles one request, or keeps it until the one before it on this connection is answered.
  ///
  /// @param in stands after the header
  /// @param requestBytes size of the frame
  public void handle(
      Connection connection,
      ByteBuf frame,
      FrameReader in,
      short version,
      int correlationId,
      int requestBytes) {
    FetchConnection owner = (FetchConnection) connection.attachment(ATTACHMENT);
    if (owner == null) {
      owner = new FetchConnection(connection);
      connection.attach(ATTACHMENT, owner);
    }
    FetchSlot slot = new FetchSlot(this, owner, connection, version, correlationId, requestBytes);
    if (owner.current() != null) {
      slot.defer(frame, in.buffer(), in.position(), in.position() + in.remaining());
      owner.waiting().add(slot);
      return;
    }
    begin(slot, in);
  }

  private void begin(FetchSlot slot, FrameReader in) {
    FetchConnection owner = slot.owner();
    FetchFrame request = frames[slot.connection().loop().index()];
    request.read(in, slot.version());
    owner.current(slot);
    ErrorCode refused = plan(slot, request, in.buffer());
    request.trim();
    if (refused != ErrorCode.NONE) {
      metrics.error(ApiKeys.FETCH.id, refused.code());
      finish(slot, List.of(encoder.error(slot, refused)));
      return;
    }
    evaluate(slot, false);
  }

  // ---- which partitions

  private ErrorCode plan(FetchSlot slot, FetchFrame request, ByteBuffer frame) {
    FetchConnection owner = slot.owner();
    boolean ids = slot.version() >= FetchFrame.FIRST_WITH_TOPIC_ID;
    if (request.replicaId >= 0) {
      // Only brokers of the cluster fetch as replicas, and none has joined (CVE-2018-1288).
      return ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
    }
    FetchSessions all = sessions[slot.connection().loop().index()];
    boolean full = request.sessionEpoch == 0 || request.sessionEpoch == CLOSING_EPOCH;
    CursorSet set;
    int answered = 0;
    if (full) {
      FetchSession old = request.sessionId == 0 ? null : all.get(owner, request.sessionId);
      if (old != null) {
        all.remove(old);
      }
      FetchSession made =
          request.sessionEpoch == 0 && request.partitionCount > 0
              ? all.make(slot.connection().loop(), owner, ids)
              : null;
      if (made != null) {
        owner.hadSession();
        answered = made.id();
      }
      set = made == null ? owner.sessionless() : made;
      want(set, request, frame, ids, made == null);
    } else {
      FetchSession session = all.get(owner, request.sessionId);
      if (session == null) {
        return ErrorCode.FETCH_SESSION_ID_NOT_FOUND;
      }
      if (session.epoch() != request.sessionEpoch) {
        return ErrorCode.INVALID_FETCH_SESSION_EPOCH;
      }
      if (session.topicIds() != ids) {
        return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR;
      }
      set = session;
      want(set, request, frame, ids, false);
      forget(set, request, frame);
      if (set.size() == 0) {
        all.remove(session);
        set = owner.sessionless();
        set.clearOrder();
      } else {
        session.nextEpoch();
        session.used(slot.connection().loop().nowNanos());
        answered = session.id();
      }
    }
    set.isolation(request.isolation);
    int waitMs = Math.clamp(request.maxWaitMs, 0, config.maxWaitMs());
    slot.plan(
        set,
        answered,
        !full && answered != 0,
        request.minBytes,
        Math.clamp(request.maxBytes, 0, config.maxBytes()),
        request.isolation,
        deadline(slot.connection().loop().nowNanos(), TimeUnit.MILLISECONDS.toNanos(waitMs)));
    return ErrorCode.NONE;
  }

  /// When a fetch that finds nothing is answered: up to a sixteenth of its wait early, together
  /// with others. A thousand idle consumers then wake their loop thirty times a second instead of a
  /// thousand, and their next requests come together as well.
  static long deadline(long nowNanos, long waitNanos) {
    long end = nowNanos + waitNanos;
    long together = Math.min(waitNanos / WAIT_PARTS, MAX_TOGETHER_NANOS);
    return together < MIN_TOGETHER_NANOS ? end : end - Math.floorMod(end, together);
  }

  private void want(
      CursorSet set, FetchFrame request, ByteBuffer frame, boolean ids, boolean onlyThese) {
    if (onlyThese) {
      set.clearOrder();
    }
    FetchCursor like = null;
    for (int i = 0; i < request.partitionCount; i++) {
      FetchCursor cursor =
          set.cursor(frame, request.keyAt(i), request.keyLength(i), request.index(i), ids, like);
      cursor.want(
          request.offset(i),
          request.leaderEpoch(i),
          request.lastFetchedEpoch(i),
          request.partitionMaxBytes(i));
      if (!cursor.listed) {
        set.last(cursor);
      }
      like = cursor;
    }
    if (onlyThese && set.size() > 2 * set.listedCount() + SWEEP_SLACK) {
      set.keepListed();
    }
  }

  private static void forget(CursorSet set, FetchFrame request, ByteBuffer frame) {
    for (int i = 0; i < request.forgottenCount; i++) {
      FetchCursor cursor =
          set.find(
              frame,
              request.forgottenKeyAt(i),
              request.forgottenKeyLength(i),
              request.forgottenIndex(i));
      if (cursor != null) {
        set.remove(cursor);
      }
    }
  }

  // ---- reading and parking

  /// Reads, and answers or parks.
  ///
  /// @param now whether to answer whatever there is
  void evaluate(FetchSlot slot, boolean now) {
    CursorSet set = slot.set();
    if (set == null || slot.owner().current() != slot || slot.answered()) {
      return;
    }
    Connection connection = slot.connection();
    connection.loop().cancel(slot.timer());
    set.unpark();
    set.listen();
    long read;
    try {
      read = read(slot, set);
    } catch (RuntimeException e) {
      closeSlices(set);
      log.error("Reading for {} failed in a way that it should not", connection.address(), e);
      finish(slot, List.of(encoder.error(slot, ErrorCode.UNKNOWN_SERVER_ERROR)));
      return;
    }
    boolean urgent = read < 0;
    long nowNanos = connection.loop().nowNanos();
    if (!urgent
        && !now
        && read < slot.minBytes()
        && set.listedCount() > 0
        && nowNanos < slot.deadlineNanos()
        && !connection.draining()) {
      closeSlices(set);
      connection.loop().schedule(slot.timer(), slot.deadlineNanos());
      set.park(slot, slot.minBytes() - read);
      return;
    }
    answer(slot, set);
  }

  /// Reads all partitions in order: the bytes found, or -1 if an answer must go out at once.
  private long read(FetchSlot slot, CursorSet set) {
    TopicHandles handles = topics[slot.connection().loop().index()];
    Isolation isolation =
        slot.readCommitted() ? Isolation.READ_COMMITTED : Isolation.READ_UNCOMMITTED;
    int budget = slot.maxBytes();
    long total = 0;
    boolean urgent = false;
    for (FetchCursor cursor = set.first(); cursor != set.end(); cursor = cursor.next) {
      cursor.evaluate(handles, budget, total == 0, isolation);
      LogSlice slice = cursor.slice;
      if (slice != null) {
        total += slice.sizeBytes();
        budget -= Math.min(budget, slice.sizeBytes());
      }
      urgent |= cursor.error != ErrorCode.NONE || cursor.diverging != null;
    }
    return urgent ? -1 : total;
  }

  private static void closeSlices(CursorSet set) {
    for (FetchCursor cursor = set.first(); cursor != set.end(); cursor = cursor.next) {
      cursor.closeSlice();
    }
  }

  private void answer(FetchSlot slot, CursorSet set) {
    List<FetchCursor> included = new ArrayList<>();
    List<LogSlice> cold = null;
    for (FetchCursor cursor = set.first(); cursor != set.end(); cursor = cursor.next) {
      LogSlice slice = cursor.slice;
      if (cursor.error != ErrorCode.NONE) {
        metrics.error(ApiKeys.FETCH.id, cursor.error.code());
      }
      if (!slot.incremental() || changed(cursor)) {
        included.add(cursor);
      }
      if (slice != null && cursor.bytesBehind() > config.coldBytes() && !slice.inMemory()) {
        cold = cold == null ? new ArrayList<>() : cold;
        cold.add(slice);
      }
    }
    if (slot.sessionId() != 0) {
      rotate(set, included);
    }
    if (cold == null) {
      send(slot, included);
    } else {
      warm(slot, included, cold);
    }
  }

  private static boolean changed(FetchCursor cursor) {
    return cursor.slice != null
        || cursor.error != ErrorCode.NONE
        || cursor.diverging != null
        || cursor.highWatermark != cursor.toldHighWatermark
        || cursor.logStartOffset != cursor.toldLogStartOffset;
  }

  /// Whoever got data goes to the end, so that all get their turn (T26).
  private static void rotate(CursorSet set, List<FetchCursor> included) {
    for (FetchCursor cursor : included) {
      boolean failed = cursor.error != ErrorCode.NONE;
      cursor.toldHighWatermark = failed ? -1 : cursor.highWatermark;
      cursor.toldLogStartOffset = failed ? -1 : cursor.logStartOffset;
      if (cursor.slice != null) {
        set.last(cursor);
      }
    }
  }

  private void send(FetchSlot slot, List<FetchCursor> included) {
    List<Object> parts;
    try {
      parts = encoder.encode(slot, included);
    } catch (RuntimeException e) {
      included.forEach(FetchCursor::closeSlice);
      log.error("Answering {} failed in a way that it should not", slot.connection().address(), e);
      finish(slot, List.of(encoder.error(slot, ErrorCode.KAFKA_STORAGE_ERROR)));
      return;
    }
    finish(slot, parts);
  }

  /// Lets a worker bring the data into the page cache, and sends it then.
  private void warm(FetchSlot slot, List<FetchCursor> included, List<LogSlice> cold) {
    LoopTask send =
        new LoopTask() {
          @Override
          protected void runOnLoop() {
            if (slot.connection().closed()) {
              included.forEach(FetchCursor::closeSlice);
            } else {
              send(slot, included);
            }
          }
        };
    try {
      context
          .blocking()
          .execute(
              () -> {
                try {
                  touch(cold, slot.connection().loop().allocator());
                } catch (RuntimeException e) {
                  // The loop will meet the same failure, and answers it.
                  log.debug("Reading ahead failed", e);
                } finally {
                  slot.connection().loop().submit(send);
                }
              });
    } catch (RejectedExecutionException e) {
      send(slot, included);
    }
  }

  private static void touch(List<LogSlice> slices, ByteBufAllocator allocator) {
    ByteBuf lent = allocator.directBuffer(WARM_BYTES);
    try {
      ByteBuffer scratch = lent.nioBuffer(0, WARM_BYTES);
      for (LogSlice slice : slices) {
        for (int at = 0; at < slice.sizeBytes(); at += WARM_BYTES) {
          scratch.clear().limit(Math.min(WARM_BYTES, slice.sizeBytes() - at));
          slice.copyTo(at, scratch);
        }
      }
    } finally {
      lent.release();
    }
  }

  // ---- the end of a fetch, and the next

  private void finish(FetchSlot slot, List<Object> parts) {
    FetchConnection owner = slot.owner();
    slot.respond(parts);
    if (owner.current() == slot) {
      owner.current(null);
      if (!owner.waiting().isEmpty()) {
        slot.connection().loop().atEndOfTick(new NextFetch(owner));
      }
    }
  }

  /// Begins the fetch that waited for the one before.
  private final class NextFetch extends LoopTask {
    private final FetchConnection owner;

    NextFetch(FetchConnection owner) {
      this.owner = owner;
    }

    @Override
    protected void runOnLoop() {
      FetchSlot slot = owner.current() == null ? owner.waiting().poll() : null;
      if (slot == null) {
        return;
      }
      ByteBuffer view = slot.deferredView();
      if (view == null) {
        return;
      }
      try {
        FrameReader reader = new FrameReader(config.maxElements());
        begin(slot, reader.reset(view, slot.deferredFrom(), slot.deferredUntil()));
      } catch (MalformedRequestException e) {
        slot.connection().closeBecause("malformed-request", String.valueOf(e.getMessage()));
      } finally {
        slot.releaseDeferred();
      }
    }
  }

  /// The connection is gone.
  public void closed(Connection connection) {
    FetchConnection owner = (FetchConnection) connection.attachment(ATTACHMENT);
    if (owner == null) {
      return;
    }
    FetchSlot current = owner.current();
    owner.current(null);
    if (current != null) {
      connection.loop().cancel(current.timer());
    }
    for (FetchSlot slot; (slot = owner.waiting().poll()) != null; ) {
      slot.releaseDeferred();
    }
    owner.sessionless().close();
    if (owner.hasSessions()) {
      sessions[connection.loop().index()].removeAll(owner);
    }
  }

  /// Answers the fetch that is parked on this connection now.
  public void draining(Connection connection) {
    FetchConnection owner = (FetchConnection) connection.attachment(ATTACHMENT);
    FetchSlot current = owner == null ? null : owner.current();
    if (current != null && current.timer().waiting()) {
      evaluate(current, true);
    }
  }
}
