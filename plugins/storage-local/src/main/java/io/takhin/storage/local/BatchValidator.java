package io.takhin.storage.local;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Decides whether an append may go into a log, and makes it ready: outside the log's gate, on the
/// thread that brought it.
///
/// Every batch is checked by header and checksum. Uncompressed records are walked. Compressed ones
/// are looked into only if they must be: strict validation, a compacted topic, another codec, a
/// greatest timestamp or a lower bound of timestamps to establish.
///
/// Threading: any thread. Blocking: CPU only. Buffers: patches the append's records in place.
final class BatchValidator {
  /// How much a batch may hold when decompressed, a bound for memory and CPU: so many times its
  /// size, small ones more, and none more than the last.
  private static final long MOST_GROWTH = 64;

  private static final long SMALL_DECOMPRESSED_BYTES = 16 << 20;
  private static final int MAX_DECOMPRESSED_BYTES = 256 << 20;

  /// What is kept to decompress into: a batch of `max.message.bytes` as it is by default, and not
  /// one that grew without measure.
  private static final int MOST_SCRATCH_BYTES = 4 << 20;

  private static final int CODEC_MASK = 0x07;
  private static final int CLIENT_ATTRIBUTES = 0x3f;
  private static final int ATTRIBUTES_AT = 21;
  private static final int LENGTH_AT = 8;

  private final Supplier<Codecs> codecs;
  /// Where records are decompressed to be looked at. Strict validation would otherwise allocate
  /// five times what it receives: a quarter of its CPU was the collector's (ADR 171).
  private final Scratch<byte[]> unpacked = new Scratch<>(() -> new byte[0]);

  BatchValidator(Supplier<Codecs> codecs) {
    this.codecs = codecs;
  }

  /// Checks an append.
  ///
  /// @return what to append: mostly the same; null if it was rejected, which it has been told
  @Nullable LogAppend prepare(LogAppend append, LogConfig config, long nowMs) {
    ByteBuffer in = append.records();
    if (in.remaining() == 0) {
      return rejected(append, ErrorCode.INVALID_RECORD, "no batch");
    }
    int at = in.position();
    int batches = 0;
    while (at < in.limit()) {
      Rejected wrong = checkFrame(in, at);
      if (wrong == null) {
        wrong = checkHeader(in, at, append.origin(), config);
      }
      if (wrong == null && append.origin() == Origin.CLIENT && ++batches > 1) {
        wrong = new Rejected(ErrorCode.INVALID_RECORD, "more than one batch for a partition");
      }
      if (wrong != null) {
        append.appended(wrong);
        return null;
      }
      at += (int) RecordBatch.sizeBytes(in, at);
    }
    if (append.origin() == Origin.REPLICA) {
      return append;
    }
    if (in.remaining() > config.segmentBytes()) {
      return rejected(
          append,
          ErrorCode.RECORD_LIST_TOO_LARGE,
          in.remaining() + " bytes do not fit segment.bytes=" + config.segmentBytes());
    }
    if (append.origin() == Origin.COORDINATOR) {
      stamp(in, in.position(), config, nowMs);
      return append;
    }
    return prepareClient(append, config, nowMs);
  }

  /// Whether the batch is whole, of format 2 and undamaged. The codes are Kafka's: what is cut off
  /// is no batch at all (INVALID_RECORD), a format that never was is damage (CORRUPT_MESSAGE).
  private static @Nullable Rejected checkFrame(ByteBuffer in, int at) {
    int left = in.limit() - at;
    if (left < RecordBatch.HEADER_BYTES) {
      return invalid(left + " bytes are less than a batch header");
    }
    if (RecordBatch.magic(in, at) != RecordBatch.MAGIC) {
      byte magic = RecordBatch.magic(in, at);
      return new Rejected(
          magic == 0 || magic == 1 ? ErrorCode.INVALID_RECORD : ErrorCode.CORRUPT_MESSAGE,
          "record format " + magic + "; only format 2 is written");
    }
    long size = RecordBatch.sizeBytes(in, at);
    if (size < RecordBatch.HEADER_BYTES || size > left) {
      String text = "a batch of " + size + " bytes in " + left + " bytes";
      return size > left ? invalid(text) : new Rejected(ErrorCode.CORRUPT_MESSAGE, text);
    }
    if (RecordBatch.computeCrc(in, at) != RecordBatch.crc(in, at)) {
      return new Rejected(ErrorCode.CORRUPT_MESSAGE, "wrong checksum");
    }
    return null;
  }

  private static @Nullable Rejected checkHeader(
      ByteBuffer in, int at, Origin origin, LogConfig config) {
    int lastOffsetDelta = RecordBatch.lastOffsetDelta(in, at);
    if (origin == Origin.REPLICA) {
      return lastOffsetDelta < 0 || RecordBatch.baseOffset(in, at) < 0
          ? invalid("a batch with negative offsets")
          : null;
    }
    int count = RecordBatch.count(in, at);
    if (count <= 0 || lastOffsetDelta != count - 1) {
      return invalid("count " + count + " with last offset delta " + lastOffsetDelta);
    }
    if (CompressionType.of(RecordBatch.codec(in, at)) == null) {
      return invalid("unknown codec " + RecordBatch.codec(in, at));
    }
    return origin == Origin.CLIENT ? checkClientHeader(in, at, config) : null;
  }

  private static @Nullable Rejected checkClientHeader(ByteBuffer in, int at, LogConfig config) {
    long size = RecordBatch.sizeBytes(in, at);
    if (size > config.maxMessageBytes()) {
      return new Rejected(
          ErrorCode.MESSAGE_TOO_LARGE,
          "a batch of " + size + " bytes; max.message.bytes is " + config.maxMessageBytes());
    }
    int attributes = RecordBatch.attributes(in, at);
    if (RecordBatch.control(in, at)) {
      return invalid("a control batch from a client");
    }
    if ((attributes & ~CLIENT_ATTRIBUTES) != 0) {
      return invalid("reserved attributes 0x" + Integer.toHexString(attributes & 0xffff));
    }
    if (RecordBatch.logAppendTime(in, at)) {
      return new Rejected(
          ErrorCode.INVALID_TIMESTAMP, "a client must not set the timestamp type LogAppendTime");
    }
    if (RecordBatch.baseOffset(in, at) != 0) {
      return invalid("base offset " + RecordBatch.baseOffset(in, at) + " instead of 0");
    }
    long producerId = RecordBatch.producerId(in, at);
    boolean idempotent = producerId != RecordBatch.NO_PRODUCER_ID;
    if (idempotent && (producerId < 0 || RecordBatch.baseSequence(in, at) < 0)) {
      return invalid("a producer id without sequence");
    }
    if (!idempotent && RecordBatch.transactional(in, at)) {
      return invalid("a transactional batch without producer id");
    }
    if (RecordBatch.codec(in, at) != 0 && size == RecordBatch.HEADER_BYTES) {
      return invalid("no records");
    }
    return null;
  }

  private @Nullable LogAppend prepareClient(LogAppend append, LogConfig config, long nowMs) {
    ByteBuffer in = append.records();
    int at = in.position();
    int codec = RecordBatch.codec(in, at);
    boolean stampLater = config.timestampType() == TimestampType.LOG_APPEND_TIME;
    boolean look =
        codec == 0
            || recompresses(config, codec)
            || config.strictValidation()
            || config.compact()
            || (!stampLater
                && (RecordBatch.maxTimestamp(in, at) == -1
                    || config.timestampBeforeMaxMs() != Long.MAX_VALUE));
    if (!look) {
      return timely(append, RecordBatch.maxTimestamp(in, at), config, nowMs);
    }
    if (codec == 0) {
      return walked(append, Records.payload(in, at), config, nowMs);
    }
    byte[] scratch = unpacked.take();
    try {
      ByteBuffer records = decompressed(in, at, codec, scratch);
      scratch = records.hasArray() ? records.array() : scratch;
      return walked(append, records, config, nowMs);
    } catch (TakhinException e) {
      return rejected(append, e.code(), String.valueOf(e.getMessage()));
    } finally {
      if (scratch.length <= MOST_SCRATCH_BYTES) {
        unpacked.give(scratch);
      }
    }
  }

  private static boolean recompresses(LogConfig config, int codec) {
    return config.compression() != null && config.compression().id() != codec;
  }

  /// Looks at each record.
  private @Nullable LogAppend walked(
      LogAppend append, ByteBuffer records, LogConfig config, long nowMs) {
    ByteBuffer in = append.records();
    int at = in.position();
    RecordWalk walk = new RecordWalk(records, 0, records.limit());
    String wrong = walk.run(RecordBatch.count(in, at), RecordBatch.baseTimestamp(in, at));
    if (wrong != null) {
      return rejected(append, ErrorCode.INVALID_RECORD, wrong);
    }
    if (config.compact() && walk.keyMissing()) {
      return rejected(
          append, ErrorCode.INVALID_RECORD, "a record without key in a compacted topic");
    }
    boolean stampLater = config.timestampType() == TimestampType.LOG_APPEND_TIME;
    if (!stampLater && walk.maxTimestamp() != RecordBatch.maxTimestamp(in, at)) {
      HeaderPatch.maxTimestamp(in, at, walk.maxTimestamp());
    }
    boolean recompress = recompresses(config, RecordBatch.codec(in, at));
    LogAppend timely = timely(append, walk.minTimestamp(), config, nowMs);
    return timely != null && recompress ? recompressed(timely, records, config) : timely;
  }

  /// Looks at the batch's time, or gives it ours.
  private static @Nullable LogAppend timely(
      LogAppend append, long minTimestamp, LogConfig config, long nowMs) {
    ByteBuffer in = append.records();
    int at = in.position();
    if (config.timestampType() == TimestampType.LOG_APPEND_TIME) {
      stamp(in, at, config, nowMs);
      return append;
    }
    String wrong = outOfBounds(minTimestamp, RecordBatch.maxTimestamp(in, at), config, nowMs);
    return wrong == null ? append : rejected(append, ErrorCode.INVALID_TIMESTAMP, wrong);
  }

  private static @Nullable String outOfBounds(long min, long max, LogConfig config, long nowMs) {
    if (max != -1 && max - nowMs > config.timestampAfterMaxMs()) {
      return "timestamp "
          + max
          + " is more than message.timestamp.after.max.ms="
          + config.timestampAfterMaxMs()
          + " after "
          + nowMs;
    }
    boolean bounded = config.timestampBeforeMaxMs() != Long.MAX_VALUE;
    if (bounded && min != Long.MAX_VALUE && nowMs - min > config.timestampBeforeMaxMs()) {
      return "timestamp "
          + min
          + " is more than message.timestamp.before.max.ms="
          + config.timestampBeforeMaxMs()
          + " before "
          + nowMs;
    }
    return null;
  }

  /// Decompresses the records of a batch into memory of their own.
  ///
  /// Errors: TakhinException of the codec.
  ByteBuffer decompressed(ByteBuffer in, int at, int codec) {
    return decompressed(in, at, codec, new byte[0]);
  }

  private ByteBuffer decompressed(ByteBuffer in, int at, int codec, byte[] scratch) {
    CompressionType type = CompressionType.of(codec);
    if (type == null) {
      throw new TakhinException(ErrorCode.INVALID_RECORD, "unknown codec " + codec);
    }
    ByteBuffer payload = Records.payload(in, at);
    long most = Math.max(SMALL_DECOMPRESSED_BYTES, MOST_GROWTH * payload.remaining());
    return codecs
        .get()
        .decompress(type, payload, (int) Math.min(most, MAX_DECOMPRESSED_BYTES), scratch);
  }

  private LogAppend recompressed(LogAppend append, ByteBuffer records, LogConfig config) {
    ByteBuffer in = append.records();
    int at = in.position();
    CompressionType type = java.util.Objects.requireNonNull(config.compression());
    ByteBuffer packed =
        type == CompressionType.NONE ? records : codecs.get().compress(type, records);
    ByteBuffer batch = ByteBuffer.allocateDirect(RecordBatch.HEADER_BYTES + packed.remaining());
    batch.put(0, in, at, RecordBatch.HEADER_BYTES);
    batch.put(RecordBatch.HEADER_BYTES, packed, packed.position(), packed.remaining());
    batch.putInt(LENGTH_AT, batch.limit() - RecordBatch.LOG_OVERHEAD);
    int attributes = (RecordBatch.attributes(batch, 0) & ~CODEC_MASK) | type.id();
    batch.putShort(ATTRIBUTES_AT, (short) attributes);
    RecordBatch.updateCrc(batch, 0);
    return new Rewritten(append, batch);
  }

  private static void stamp(ByteBuffer in, int from, LogConfig config, long nowMs) {
    if (config.timestampType() != TimestampType.LOG_APPEND_TIME) {
      return;
    }
    for (int at = from; at < in.limit(); at += (int) RecordBatch.sizeBytes(in, at)) {
      HeaderPatch.stampLogAppendTime(in, at, nowMs);
    }
  }

  private static Rejected invalid(String message) {
    return new Rejected(ErrorCode.INVALID_RECORD, message);
  }

  private static @Nullable LogAppend rejected(LogAppend append, ErrorCode code, String message) {
    append.appended(new Rejected(code, message));
    return null;
  }

  /// An append whose records had to be written anew; the outcome goes to the first one.
  private static final class Rewritten extends LogAppend {
    private final LogAppend first;

    Rewritten(LogAppend first, ByteBuffer records) {
      super(records, first.leaderEpoch(), first.origin());
      this.first = first;
    }

    @Override
    public long verification() {
      return first.verification();
    }

    @Override
    public int highestSequence() {
      return first.highestSequence();
    }

    @Override
    public int transactionVersion() {
      return first.transactionVersion();
    }

    @Override
    public void appended(AppendResult result) {
      first.appended(result);
    }
  }
}
