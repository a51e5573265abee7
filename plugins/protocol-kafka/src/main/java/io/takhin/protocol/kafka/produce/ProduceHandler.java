package io.takhin.protocol.kafka.produce;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.codec.CompressionType;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.record.RecordBatch;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.topics.TopicHandle;
import io.takhin.protocol.kafka.topics.TopicHandles;
import io.takhin.protocol.kafka.wire.FrameReader;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves Produce, versions 3 to 13, on the loop that read it: parse, look up, append, answer.
///
/// Checked here is what depends on the request; what a batch must be is the log's to check. An
/// acknowledgement that is in at once is answered at once; one that waits for replicas holds the
/// frame and its place in the order of answers, and the connection goes on. Where requests have to
/// wait, small ones are copied out of the receive buffer before they are handled: it would be held
/// by each of them whole, at 256 KiB for a connection whose requests have a few hundred bytes.
///
/// Threading: the connection's loop. Blocking: never. Buffers: keeps the frame until the answer.
public final class ProduceHandler {
  private static final Logger log = LoggerFactory.getLogger(ProduceHandler.class);
  private static final ByteBuffer NO_RECORDS = ByteBuffer.allocateDirect(0);
  private static final String ADMIN_CLIENT = "__admin_client";
  private static final int FIRST_WITH_ZSTD = 7;
  private static final int FIRST_JOINING = 12;
  private static final String TRANSACTION_VERSION = "transaction.version";

  /// A request that waits keeps a buffer of at most so many times its own size, but for the first.
  private static final int PINNED_RATIO = 4;

  private static final int MEMORY_OF_WAITING = 64;

  private final Cluster cluster;
  private final TransportMetrics metrics;
  private final ProduceFrame[] frames;
  private final TopicHandles[] topics;

  /// For each loop, how many requests more are taken for such as will wait.
  private final int[] likelyToWait;

  /// Serves all loops.
  ///
  /// @param loops how many there are
  public ProduceHandler(
      Cluster cluster, PartitionService partitions, TransportMetrics metrics, int loops) {
    this.cluster = cluster;
    this.metrics = metrics;
    frames = new ProduceFrame[loops];
    topics = new TopicHandles[loops];
    likelyToWait = new int[loops];
    for (int i = 0; i < loops; i++) {
      frames[i] = new ProduceFrame();
      topics[i] = new TopicHandles(partitions);
    }
  }

  /// Handles one request.
  ///
  /// @param in stands after the header
  /// @param requestBytes size of the frame
  public void handle(
      Connection connection,
      ByteBuf frame,
      FrameReader in,
      short version,
      int correlationId,
      @Nullable String clientId,
      int requestBytes) {
    int loop = connection.loop().index();
    int length = in.remaining();
    if (likelyToWait[loop] > 0 && (long) length * PINNED_RATIO <= frame.capacity()) {
      ByteBuf own = connection.loop().allocator().directBuffer(length, length);
      try {
        own.writeBytes(frame, in.position(), length);
        in.reset(own.nioBuffer(0, length), 0, length);
        begin(connection, own, in, version, correlationId, clientId, requestBytes);
      } finally {
        own.release();
      }
    } else {
      begin(connection, frame, in, version, correlationId, clientId, requestBytes);
    }
  }

  private void begin(
      Connection connection,
      ByteBuf frame,
      FrameReader in,
      short version,
      int correlationId,
      @Nullable String clientId,
      int requestBytes) {
    int loop = connection.loop().index();
    ProduceFrame request = frames[loop];
    request.read(in, version);
    ByteBuffer bytes = in.buffer();
    ProduceSlot slot =
        new ProduceSlot(
            cluster,
            metrics,
            connection,
            correlationId,
            requestBytes,
            version,
            request,
            bytes,
            joinsTransaction(request, version));
    slot.keep(frame);
    boolean internalAllowed = ADMIN_CLIENT.equals(clientId);
    int at = 0;
    for (int i = 0; i < request.topicCount; i++) {
      int nameLength = request.topicNameLength(i);
      int topicAt = request.topicAt(i);
      TopicHandle topic =
          nameLength < 0
              ? topics[loop].byId(bytes.getLong(topicAt), bytes.getLong(topicAt + 8))
              : topics[loop].byName(bytes, topicAt, nameLength);
      ErrorCode topicError =
          topic == null
              ? nameLength < 0 ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
              : topic.internal() && !internalAllowed
                  ? ErrorCode.INVALID_TOPIC_EXCEPTION
                  : ErrorCode.NONE;
      for (; at < request.partitionsEnd(i); at++) {
        append(slot, request, bytes, at, topic, topicError, version);
      }
    }
    request.trim();
    slot.arrived();
    if (!slot.answered()) {
      likelyToWait[loop] = MEMORY_OF_WAITING;
    } else if (likelyToWait[loop] > 0) {
      likelyToWait[loop]--;
    }
  }

  private static void append(
      ProduceSlot slot,
      ProduceFrame request,
      ByteBuffer bytes,
      int at,
      @Nullable TopicHandle topic,
      ErrorCode topicError,
      short version) {
    int index = request.index(at);
    int length = request.recordsLength(at);
    Partition partition = topic == null ? null : topic.topic().partition(index);
    ErrorCode error = topicError;
    String message = null;
    if (error == ErrorCode.NONE && topic != null && partition == null) {
      error =
          index >= 0 && index < topic.topic().partitionCount()
              ? ErrorCode.NOT_LEADER_OR_FOLLOWER
              : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    } else if (error == ErrorCode.NONE) {
      message =
          recordsProblem(
              bytes, request.recordsAt(at), length, version, request.transactionalIdLength);
      error =
          message == null
              ? ErrorCode.NONE
              : recordsError(bytes, request.recordsAt(at), length, version);
      if (error == ErrorCode.NONE && (request.acks < -1 || request.acks > 1)) {
        error = ErrorCode.INVALID_REQUIRED_ACKS;
      }
    }
    boolean append = error == ErrorCode.NONE && partition != null;
    ByteBuffer records = append ? bytes.slice(request.recordsAt(at), length) : NO_RECORDS;
    ProduceSlot.Part part =
        slot.part(
            at,
            index,
            topic == null ? null : topic.topic(),
            records,
            request.acks,
            request.timeoutMs);
    if (!append || partition == null) {
      part.refuse(error, message);
      return;
    }
    part.partition = partition;
    try {
      partition.append(part);
    } catch (RuntimeException e) {
      log.error("Appending to {} failed in a way that it should not", partition.id(), e);
      part.refuse(ErrorCode.UNKNOWN_SERVER_ERROR, null);
    }
  }

  private static @Nullable String recordsProblem(
      ByteBuffer bytes, int at, int length, short version, int transactionalIdLength) {
    if (length <= 0) {
      return "a partition in a produce request must have exactly one record batch, not none";
    }
    if (length < RecordBatch.HEADER_BYTES) {
      return length + " bytes are too few for a record batch";
    }
    if (RecordBatch.magic(bytes, at) != RecordBatch.MAGIC) {
      return "record batches have magic 2, not " + RecordBatch.magic(bytes, at);
    }
    long size = RecordBatch.sizeBytes(bytes, at);
    if (size >= RecordBatch.HEADER_BYTES && size != length) {
      return size > length
          ? "a batch of " + size + " bytes in " + length + " bytes"
          : "more than one batch for a partition";
    }
    if (version < FIRST_WITH_ZSTD && RecordBatch.codec(bytes, at) == CompressionType.ZSTD.id()) {
      return "zstd needs version 7 of Produce or later (KIP-110)";
    }
    if (RecordBatch.transactional(bytes, at) && transactionalIdLength < 0) {
      return "a transactional batch in a request without transactional id";
    }
    return null;
  }

  /// From version 12 on a write adds its partition to the transaction, if the cluster has the
  /// feature at all: clients look for it before they send such a request (KIP-890, T48).
  private boolean joinsTransaction(ProduceFrame request, short version) {
    if (request.transactionalIdLength < 0 || version < FIRST_JOINING) {
      return false;
    }
    Short level = cluster.image().features().get(TRANSACTION_VERSION);
    return level != null && level >= 2;
  }

  private static ErrorCode recordsError(ByteBuffer bytes, int at, int length, short version) {
    if (length <= 0) {
      return ErrorCode.INVALID_RECORD;
    }
    if (length < RecordBatch.HEADER_BYTES) {
      return ErrorCode.INVALID_RECORD;
    }
    byte magic = RecordBatch.magic(bytes, at);
    if (magic != RecordBatch.MAGIC) {
      return magic == 0 || magic == 1 ? ErrorCode.INVALID_RECORD : ErrorCode.CORRUPT_MESSAGE;
    }
    if (RecordBatch.sizeBytes(bytes, at) != length) {
      return ErrorCode.INVALID_RECORD;
    }
    return version < FIRST_WITH_ZSTD && RecordBatch.codec(bytes, at) == CompressionType.ZSTD.id()
        ? ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
        : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  }
}
