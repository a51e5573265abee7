package io.takhin.protocol.kafka.groups;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.RequestHandler;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.FrameWriter;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import io.takhin.protocol.kafka.wire.Names;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Serves OffsetCommit, versions 2 to 10. Topics are checked here, against the metadata; group and
/// member by the coordinator.
///
/// The answer is written while the request is read, for all of it but the error codes is known
/// then; the coordinator's codes are put in when they come. So neither the frame nor the names of
/// topics are kept while a commit waits.
///
/// Threading: the connection's loop. Blocking: never.
public final class OffsetCommitHandler implements RequestHandler {
  private static final int FIRST_FLEXIBLE = 8;
  private static final int FIRST_WITH_TOPIC_ID = 10;
  private static final int MIN_TOPIC_BYTES = 3;
  private static final int MIN_PARTITION_BYTES = 13;
  private static final int HEAD_BYTES = 32;

  private final Cluster cluster;
  private final GroupCoordinator groups;
  private final InstantSource clock;
  private final TransportMetrics metrics;
  private final Names[] names;

  /// Serves all loops.
  ///
  /// @param names one for each loop
  public OffsetCommitHandler(
      Cluster cluster,
      GroupCoordinator groups,
      InstantSource clock,
      TransportMetrics metrics,
      Names[] names) {
    this.cluster = cluster;
    this.groups = groups;
    this.clock = clock;
    this.metrics = metrics;
    this.names = names;
  }

  @Override
  public boolean handle(
      Connection connection, FrameReader in, short version, int correlationId, int requestBytes) {
    Names known = names[connection.loop().index()];
    boolean flexible = version >= FIRST_FLEXIBLE;
    String group = known.read(in, in.readStringLength(flexible));
    int generation = in.readInt();
    String member = known.read(in, in.readStringLength(flexible));
    String instance = version >= 7 ? known.readNullable(in, in.readStringLength(flexible)) : null;
    long retentionMs = version <= 4 ? in.readLong() : -1;
    ByteBuf out = connection.loop().allocator().directBuffer(HEAD_BYTES + in.remaining());
    Commit commit = new Commit(out, cluster.image(), known, version);
    try {
      out.writeInt(0);
      out.writeInt(correlationId);
      if (flexible) {
        out.writeByte(0);
      }
      if (version >= 3) {
        out.writeInt(0);
      }
      commit.topics(in);
      in.expectEnd();
    } catch (RuntimeException e) {
      out.release();
      throw e;
    }
    out.setInt(0, out.readableBytes() - 4);
    OffsetCommitSlot slot =
        new OffsetCommitSlot(
            metrics, connection, correlationId, requestBytes, version, out, commit.errorsAt());
    if (commit.offsets.isEmpty()) {
      slot.respond(out);
      return true;
    }
    CompletableFuture<List<ErrorCode>> outcome;
    try {
      outcome =
          groups.commitOffsets(
              new CommitRequest(
                  group, generation, member, instance, expireTimeMs(retentionMs), commit.offsets));
    } catch (RuntimeException e) {
      slot.failed(e);
      return true;
    }
    if (outcome.isDone() && !outcome.isCompletedExceptionally()) {
      slot.answer(outcome.join());
    } else {
      outcome.whenComplete(slot::completed);
    }
    return true;
  }

  /// Of a retention that the client chose (versions 2 to 4, T40); -1 leaves it to the broker.
  private long expireTimeMs(long retentionMs) {
    if (retentionMs < 0) {
      return -1;
    }
    long expireTimeMs = clock.millis() + retentionMs;
    return expireTimeMs < 0 ? Long.MAX_VALUE : expireTimeMs;
  }

  /// One request on its way from frame to answer.
  private static final class Commit {
    private final ByteBuf out;
    private final MetadataImage image;
    private final Names names;
    private final short version;
    private final boolean flexible;
    private final List<OffsetToCommit> offsets = new ArrayList<>();
    private int[] errorsAt = new int[4];

    Commit(ByteBuf out, MetadataImage image, Names names, short version) {
      this.out = out;
      this.image = image;
      this.names = names;
      this.version = version;
      flexible = version >= FIRST_FLEXIBLE;
    }

    /// Where in the answer the codes of the offsets belong.
    int[] errorsAt() {
      return errorsAt.length == offsets.size() ? errorsAt : Arrays.copyOf(errorsAt, offsets.size());
    }

    void topics(FrameReader in) {
      int count = array(in, MIN_TOPIC_BYTES);
      for (int i = 0; i < count; i++) {
        topic(in);
      }
      endOfStructure(in);
    }

    private void topic(FrameReader in) {
      TopicImage topic;
      boolean byId = version >= FIRST_WITH_TOPIC_ID;
      if (byId) {
        // No name, and an id of zeroes names nothing.
        long high = in.readLong();
        long low = in.readLong();
        out.writeLong(high);
        out.writeLong(low);
        topic = image.topic(new UUID(high, low));
      } else {
        int length = in.readStringLength(flexible);
        int at = in.position();
        topic = image.topic(names.read(in, length));
        FrameWriter.writeStringLength(out, flexible, length);
        FrameWriter.writeBytes(out, in.buffer(), at, length);
      }
      int count = array(in, MIN_PARTITION_BYTES);
      for (int i = 0; i < count; i++) {
        int index = in.readInt();
        long offset = in.readLong();
        int leaderEpoch = version >= 6 ? in.readInt() : -1;
        int metadataLength = in.readStringLength(flexible);
        String metadata = metadataLength <= 0 ? "" : in.readString(metadataLength);
        ErrorCode error = check(topic, index, byId);
        out.writeInt(index);
        if (topic != null && error == ErrorCode.NONE) {
          add(new OffsetToCommit(topic.id(), topic.name(), index, offset, leaderEpoch, metadata));
        }
        out.writeShort(error.code());
        endOfStructure(in);
      }
      endOfStructure(in);
    }

    private void add(OffsetToCommit offset) {
      int count = offsets.size();
      if (count == errorsAt.length) {
        errorsAt = Arrays.copyOf(errorsAt, count * 2);
      }
      errorsAt[count] = out.writerIndex();
      offsets.add(offset);
    }

    private int array(FrameReader in, int elementBytes) {
      int count = in.readArrayCount(flexible, elementBytes);
      if (count < 0) {
        throw new MalformedRequestException("null where an OffsetCommit must have an array");
      }
      FrameWriter.writeArrayCount(out, flexible, count);
      return count;
    }

    private void endOfStructure(FrameReader in) {
      if (flexible) {
        in.skipTags();
        out.writeByte(0);
      }
    }

    private static ErrorCode check(@Nullable TopicImage topic, int partition, boolean byId) {
      if (topic == null) {
        return byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      }
      return partition < 0 || partition >= topic.partitions().size()
          ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
          : ErrorCode.NONE;
    }
  }
}
