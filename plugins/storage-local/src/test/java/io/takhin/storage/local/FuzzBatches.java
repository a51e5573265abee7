package io.takhin.storage.local;

import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.testkit.fuzz.Fuzzing;
import io.takhin.testkit.storage.CapturedAppend;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.nio.ByteBuffer;

/// Record batches. The first byte chooses what is made right before the broker looks: length,
/// format, checksum.
final class FuzzBatches {
  private static final LogConfig STRICT = new LogConfigBuilder().strictValidation(true).build();
  private static final LogConfig RELAXED = LogConfigBuilder.defaults();
  private static final BatchValidator VALIDATOR = new BatchValidator(FakeCodecs::new);

  private FuzzBatches() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Fuzzing.run(FuzzBatches::feed, input);
  }

  static void feed(byte[] input) {
    if (input.length < 1) {
      return;
    }
    ByteBuffer batch =
        ByteBuffer.allocateDirect(input.length - 1).put(0, input, 1, input.length - 1);
    if ((input[0] & 1) == 0 && batch.limit() >= RecordBatch.HEADER_BYTES) {
      batch.putLong(0, 0).putInt(8, batch.limit() - RecordBatch.LOG_OVERHEAD).put(16, (byte) 2);
      RecordBatch.updateCrc(batch, 0);
    }
    CapturedAppend append = new CapturedAppend(batch, 0, Origin.CLIENT);
    boolean taken = VALIDATOR.prepare(append, (input[0] & 2) == 0 ? STRICT : RELAXED, 1000) != null;
    if (taken == append.done() || (!taken && !(append.await() instanceof Rejected))) {
      throw new AssertionError("neither taken nor refused");
    }
  }
}
