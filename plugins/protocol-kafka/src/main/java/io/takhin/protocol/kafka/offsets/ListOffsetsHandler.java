package io.takhin.protocol.kafka.offsets;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.OffsetLookup;
import io.takhin.api.partition.PartitionService;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.RequestHandler;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.topics.LocalLeaders;
import io.takhin.protocol.kafka.topics.LocalLeaders.Found;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.FrameWriter;
import io.takhin.protocol.kafka.wire.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves ListOffsets, versions 1 to 11. The ends of a log are known and answered at once; a lookup
/// by time leaves a gap in the answer, which a worker's result fills.
///
/// ```
///  request ─▶ answer, ends filled in ── no gap ─────────────────────────▶ send
///                      └─ gaps ─▶ worker looks up ─▶ loop fills them in ─▶ send
/// ```
///
/// Threading: the connection's loop, but for the lookups by time. Blocking: never on the loop.
public final class ListOffsetsHandler implements RequestHandler {
  private static final Logger log = LoggerFactory.getLogger(ListOffsetsHandler.class);
  private static final long LATEST = -1;
  private static final long EARLIEST = -2;
  private static final long MAX_TIMESTAMP = -3;

  /// The first version that knows -1, -2, -3, -4, -5, -6.
  private static final int[] SINCE = {1, 1, 7, 8, 9, 11};

  private static final int HEAD_BYTES = 32;
  private static final OffsetLookup NOTHING = failed(ErrorCode.NONE);

  private final PluginContext context;
  private final Cluster cluster;
  private final LocalLeaders leaders;
  private final Names[] names;

  /// Serves all loops.
  ///
  /// @param names one for each loop
  public ListOffsetsHandler(
      PluginContext context, Cluster cluster, PartitionService partitions, Names[] names) {
    this.context = context;
    this.cluster = cluster;
    this.leaders = new LocalLeaders(partitions);
    this.names = names;
  }

  @Override
  public boolean handle(
      Connection connection, FrameReader in, short version, int correlationId, int requestBytes) {
    Names known = names[connection.loop().index()];
    int from = in.position();
    int until = from + in.remaining();
    ListOffsetsFrame request = ListOffsetsFrame.check(in, version, known);
    in.reset(in.buffer(), from, until);
    ByteBuf out =
        connection
            .loop()
            .allocator()
            .directBuffer(HEAD_BYTES + in.remaining() + request.partitions() * 16);
    Answer answer = new Answer(out, cluster.image(), request, version);
    try {
      out.writeInt(0);
      out.writeInt(correlationId);
      if (request.flexible()) {
        out.writeByte(0);
      }
      if (version >= 2) {
        out.writeInt(0);
      }
      answer.topics(in, known);
    } catch (RuntimeException e) {
      out.release();
      throw e;
    }
    out.setInt(0, out.readableBytes() - 4);
    Slot slot = new Slot(connection, correlationId, requestBytes, out, version, answer.gaps);
    if (answer.gaps == null) {
      slot.respond(out);
    } else {
      try {
        context.blocking().execute(slot::lookUp);
      } catch (RejectedExecutionException e) {
        slot.reject();
      }
    }
    return true;
  }

  private static OffsetLookup failed(ErrorCode error) {
    return new OffsetLookup(error, -1, -1, -1);
  }

  private static OffsetLookup lookup(Gap asked, short version) {
    OffsetLookup result;
    try {
      result = asked.partition.lookup(asked.timestamp, asked.isolation, asked.leaderEpoch);
    } catch (TakhinException failure) {
      // One partition's bad disk is not the others'.
      return failed(failure.code());
    }
    if (result.error() == ErrorCode.NONE) {
      return asked.timestamp == LATEST || asked.timestamp == EARLIEST
          ? new OffsetLookup(result.error(), result.offset(), -1, result.leaderEpoch())
          : result;
    }
    return failed(
        result.error() == ErrorCode.OFFSET_NOT_AVAILABLE && version < 5
            ? ErrorCode.LEADER_NOT_AVAILABLE
            : result.error());
  }

  private static void put(ByteBuf out, int at, short version, OffsetLookup found) {
    out.setShort(at, found.error().code());
    out.setLong(at + 2, found.timestampMs());
    out.setLong(at + 10, found.offset());
    if (version >= 4) {
      out.setInt(at + 18, found.leaderEpoch());
    }
  }

  /// A lookup, and where in the answer its result belongs.
  private record Gap(
      int at, Partition partition, long timestamp, Isolation isolation, int leaderEpoch) {}

  /// An answer while it is written.
  private final class Answer {
    private final ByteBuf out;
    private final MetadataImage image;
    private final ListOffsetsFrame request;
    private final short version;
    private @Nullable List<Gap> gaps;

    Answer(ByteBuf out, MetadataImage image, ListOffsetsFrame request, short version) {
      this.out = out;
      this.image = image;
      this.request = request;
      this.version = version;
    }

    void topics(FrameReader in, Names known) {
      boolean flexible = request.flexible();
      in.readInt();
      Isolation isolation =
          version >= 2 && in.readByte() == 1
              ? Isolation.READ_COMMITTED
              : Isolation.READ_UNCOMMITTED;
      int count = in.readArrayCount(flexible, 0);
      FrameWriter.writeArrayCount(out, flexible, count);
      for (int i = 0; i < count; i++) {
        int length = in.readStringLength(flexible);
        int at = in.position();
        String topic = known.read(in, length);
        FrameWriter.writeStringLength(out, flexible, length);
        FrameWriter.writeBytes(out, in.buffer(), at, length);
        int partitions = in.readArrayCount(flexible, 0);
        FrameWriter.writeArrayCount(out, flexible, partitions);
        for (int k = 0; k < partitions; k++) {
          partition(in, topic, isolation);
        }
        endOfStructure(in);
      }
      if (flexible) {
        out.writeByte(0);
      }
    }

    private void partition(FrameReader in, String topic, Isolation isolation) {
      int index = in.readInt();
      int leaderEpoch = version >= 4 ? in.readInt() : -1;
      long timestamp = in.readLong();
      out.writeInt(index);
      int at = out.writerIndex();
      out.writeZero(version >= 4 ? 22 : 18);
      put(out, at, version, find(at, topic, index, leaderEpoch, timestamp, isolation));
      endOfStructure(in);
    }

    private OffsetLookup find(
        int at, String topic, int index, int leaderEpoch, long timestamp, Isolation isolation) {
      if (request.duplicate(topic, index)) {
        return failed(ErrorCode.INVALID_REQUEST);
      }
      if (timestamp < -SINCE.length || (timestamp < 0 && version < SINCE[(int) (-1 - timestamp)])) {
        return failed(ErrorCode.UNSUPPORTED_VERSION);
      }
      Found found = leaders.find(image, topic, index);
      if (found.partition() == null) {
        return failed(found.error());
      }
      Gap gap = new Gap(at, found.partition(), timestamp, isolation, leaderEpoch);
      if (timestamp >= 0 || timestamp == MAX_TIMESTAMP) {
        gaps = gaps == null ? new ArrayList<>() : gaps;
        gaps.add(gap);
        return NOTHING;
      }
      return lookup(gap, version);
    }

    private void endOfStructure(FrameReader in) {
      if (request.flexible()) {
        in.skipTags();
        out.writeByte(0);
      }
    }
  }

  /// A request until its gaps are filled.
  private static final class Slot extends ResponseSlot {
    private final ByteBuf answer;
    private final short version;
    private final @Nullable List<Gap> gaps;

    Slot(
        Connection connection,
        int correlationId,
        int requestBytes,
        ByteBuf answer,
        short version,
        @Nullable List<Gap> gaps) {
      super(connection, ApiKeys.LIST_OFFSETS.id, correlationId, requestBytes);
      this.answer = answer;
      this.version = version;
      this.gaps = gaps;
    }

    private List<Gap> gaps() {
      return gaps == null ? List.of() : gaps;
    }

    /// Threading: a worker.
    void lookUp() {
      List<OffsetLookup> results = new ArrayList<>(gaps().size());
      for (Gap gap : gaps()) {
        OffsetLookup result;
        try {
          result = lookup(gap, version);
        } catch (RuntimeException e) {
          log.error("A lookup in {} failed in a way that it should not", gap.partition.id(), e);
          result = failed(ErrorCode.UNKNOWN_SERVER_ERROR);
        }
        results.add(result);
      }
      onLoop(() -> fill(results));
    }

    /// There is no worker: the broker stops.
    void reject() {
      fill(gaps().stream().map(gap -> failed(ErrorCode.UNKNOWN_SERVER_ERROR)).toList());
    }

    private void fill(List<OffsetLookup> results) {
      for (int i = 0; i < results.size(); i++) {
        put(answer, gaps().get(i).at, version, results.get(i));
      }
      respond(answer);
    }
  }
}
