package io.takhin.protocol.kafka.fetch;

import io.netty.buffer.ByteBuf;
import io.netty.channel.DefaultFileRegion;
import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.partition.Partition.EpochLookup;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.protocol.kafka.topics.Leaders;
import io.takhin.protocol.kafka.wire.FrameWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes Fetch answers, versions 4 to 18.
///
/// ```
///  [gather buffer: head, headers, small slices ...][file region][gather buffer goes on]...
/// ```
///
/// Slices below [#SENDFILE_BYTES] are copied into one buffer of the exact bound computed before;
/// larger ones go out by sendfile from where they lie, and are closed when they are sent.
final class FetchEncoder {
  /// From here on sendfile costs less than a copy.
  static final int SENDFILE_BYTES = 32 * 1024;

  private static final int PARTITION_BYTES = 96;
  private static final int TOPIC_BYTES = 16;
  private static final int ABORTED_BYTES = 17;
  private static final int HEAD_BYTES = 48;
  private static final int TAG_DIVERGING = 0;
  private static final int TAG_LEADER = 1;

  /// Netty's native code reads fields of the JDK's own class, and no other.
  private static final String SENDFILE_CHANNEL = "sun.nio.ch.FileChannelImpl";

  private final Cluster cluster;

  FetchEncoder(Cluster cluster) {
    this.cluster = cluster;
  }

  /// An answer that is an error as a whole. Before version 7 there is no room for the code: the
  /// answer is empty then.
  ByteBuf error(FetchSlot slot, ErrorCode error) {
    ByteBuf out = slot.connection().loop().allocator().directBuffer(HEAD_BYTES);
    head(out, slot, error, 0, 0);
    if (flexible(slot)) {
      out.writeByte(0);
    }
    return out.setInt(0, out.readableBytes() - 4);
  }

  private static boolean flexible(FetchSlot slot) {
    return slot.version() >= FetchFrame.FIRST_FLEXIBLE;
  }

  private static void head(
      ByteBuf out, FetchSlot slot, ErrorCode error, int sessionId, int topics) {
    out.writeInt(0);
    out.writeInt(slot.correlationId());
    if (flexible(slot)) {
      out.writeByte(0);
    }
    out.writeInt(0);
    if (slot.version() >= FetchFrame.FIRST_WITH_SESSION) {
      out.writeShort(error.code());
      out.writeInt(sessionId);
    }
    FrameWriter.writeArrayCount(out, flexible(slot), topics);
  }

  /// An answer in parts. Buffers: takes the cursors' slices.
  List<Object> encode(FetchSlot slot, List<FetchCursor> cursors) {
    boolean flexible = flexible(slot);
    long bound = HEAD_BYTES;
    int groups = 0;
    for (int i = 0; i < cursors.size(); i++) {
      FetchCursor cursor = cursors.get(i);
      if (i == 0 || !sameTopic(cursors.get(i - 1), cursor)) {
        groups++;
        bound += TOPIC_BYTES + cursor.key().length;
      }
      bound += PARTITION_BYTES + (long) cursor.aborted.size() * ABORTED_BYTES;
      LogSlice slice = cursor.slice;
      if (slice != null && !byFile(slice)) {
        bound += slice.sizeBytes();
      }
    }
    Answer answer =
        new Answer(slot.connection().loop().allocator().directBuffer(Math.toIntExact(bound)));
    try {
      head(answer.out, slot, ErrorCode.NONE, slot.sessionId(), groups);
      Leaders leaders = null;
      for (int i = 0; i < cursors.size(); ) {
        int end = i + 1;
        while (end < cursors.size() && sameTopic(cursors.get(i), cursors.get(end))) {
          end++;
        }
        if (slot.version() < FetchFrame.FIRST_WITH_TOPIC_ID) {
          FrameWriter.writeStringLength(answer.out, flexible, cursors.get(i).key().length);
        }
        answer.out.writeBytes(cursors.get(i).key());
        FrameWriter.writeArrayCount(answer.out, flexible, end - i);
        for (; i < end; i++) {
          FetchCursor cursor = cursors.get(i);
          if (leaders == null && flexible && wrongLeader(cursor.error)) {
            leaders = new Leaders(cluster, slot.connection().listener());
          }
          partition(answer, slot, cursor, leaders);
        }
        if (flexible) {
          answer.out.writeByte(0);
        }
      }
      if (flexible) {
        boolean endpoints = leaders != null && leaders.any() && slot.version() >= 16;
        answer.out.writeByte(endpoints ? 1 : 0);
        if (endpoints && leaders != null) {
          leaders.writeNodeEndpoints(answer.out, 0);
        }
      }
      return answer.finish();
    } catch (RuntimeException e) {
      answer.release();
      throw e;
    }
  }

  private static boolean sameTopic(FetchCursor one, FetchCursor other) {
    return one.key() == other.key() || Arrays.equals(one.key(), other.key());
  }

  private static boolean wrongLeader(ErrorCode error) {
    return error == ErrorCode.NOT_LEADER_OR_FOLLOWER || error == ErrorCode.FENCED_LEADER_EPOCH;
  }

  private static boolean byFile(LogSlice slice) {
    FileChannel file = slice.file();
    return slice.sizeBytes() >= SENDFILE_BYTES
        && file != null
        && file.getClass().getName().equals(SENDFILE_CHANNEL);
  }

  private static void partition(
      Answer answer, FetchSlot slot, FetchCursor cursor, @Nullable Leaders leaders) {
    ByteBuf out = answer.out;
    boolean flexible = flexible(slot);
    out.writeInt(cursor.index());
    out.writeShort(cursor.error.code());
    // Kafka tells nothing of the log then; clients ask ListOffsets.
    boolean outside = cursor.error == ErrorCode.OFFSET_OUT_OF_RANGE;
    out.writeLong(outside ? -1 : cursor.highWatermark);
    out.writeLong(outside ? -1 : cursor.lastStableOffset);
    if (slot.version() >= 5) {
      out.writeLong(outside ? -1 : cursor.logStartOffset);
    }
    aborted(out, slot, cursor);
    if (slot.version() >= 11) {
      out.writeInt(-1);
    }
    LogSlice slice = cursor.slice;
    int size = slice == null ? 0 : slice.sizeBytes();
    FrameWriter.writeArrayCount(out, flexible, size);
    if (slice != null) {
      answer.records(cursor, slice, size);
    }
    if (flexible) {
      tags(out, cursor, leaders);
    }
  }

  /// Null for readers that do not ask.
  private static void aborted(ByteBuf out, FetchSlot slot, FetchCursor cursor) {
    boolean flexible = flexible(slot);
    if (!slot.readCommitted() || cursor.error != ErrorCode.NONE) {
      FrameWriter.writeArrayCount(out, flexible, -1);
      return;
    }
    FrameWriter.writeArrayCount(out, flexible, cursor.aborted.size());
    for (AbortedTransaction transaction : cursor.aborted) {
      out.writeLong(transaction.producerId());
      out.writeLong(transaction.firstOffset());
      if (flexible) {
        out.writeByte(0);
      }
    }
  }

  private static void tags(ByteBuf out, FetchCursor cursor, @Nullable Leaders leaders) {
    EpochLookup diverging = cursor.diverging;
    Topic topic = cursor.topic();
    PartitionState state =
        leaders != null && topic != null && wrongLeader(cursor.error)
            ? leaders.state(topic.id(), cursor.index())
            : null;
    out.writeByte((diverging == null ? 0 : 1) + (state == null ? 0 : 1));
    if (diverging != null) {
      FrameWriter.writeUnsignedVarint(out, TAG_DIVERGING);
      FrameWriter.writeUnsignedVarint(out, 13);
      out.writeInt(diverging.epoch());
      out.writeLong(diverging.endOffset());
      out.writeByte(0);
    }
    if (state != null) {
      Leaders.writeCurrentLeader(out, TAG_LEADER, state);
    }
  }

  /// The parts of one answer as they come about.
  private static final class Answer {
    private final ByteBuf out;
    private final List<Object> parts = new ArrayList<>(4);
    private int gathered;
    private long fileBytes;

    Answer(ByteBuf out) {
      this.out = out;
    }

    void records(FetchCursor cursor, LogSlice slice, int size) {
      if (!byFile(slice)) {
        ByteBuffer target = out.nioBuffer(out.writerIndex(), size);
        slice.copyTo(0, target);
        if (target.hasRemaining()) {
          throw new IllegalStateException("a slice gave less than its " + size + " bytes");
        }
        out.writerIndex(out.writerIndex() + size);
        cursor.closeSlice();
        return;
      }
      cutGathered();
      parts.add(new SliceRegion(slice, size));
      cursor.slice = null;
      fileBytes += size;
    }

    private void cutGathered() {
      int length = out.writerIndex() - gathered;
      if (length > 0) {
        parts.add(out.retainedSlice(gathered, length));
        gathered = out.writerIndex();
      }
    }

    List<Object> finish() {
      out.setInt(0, Math.toIntExact(out.writerIndex() - 4 + fileBytes));
      if (parts.isEmpty()) {
        return List.of(out);
      }
      cutGathered();
      out.release();
      return parts;
    }

    void release() {
      parts.forEach(io.netty.util.ReferenceCountUtil::release);
      out.release();
    }
  }

  /// A slice on its way out; closes the slice, never the file.
  private static final class SliceRegion extends DefaultFileRegion {
    private final LogSlice slice;

    SliceRegion(LogSlice slice, int size) {
      super(fileOf(slice), slice.filePosition(), size);
      this.slice = slice;
    }

    private static FileChannel fileOf(LogSlice slice) {
      FileChannel file = slice.file();
      if (file == null) {
        throw new IllegalStateException("a slice without a file");
      }
      return file;
    }

    @Override
    protected void deallocate() {
      slice.close();
    }
  }
}
