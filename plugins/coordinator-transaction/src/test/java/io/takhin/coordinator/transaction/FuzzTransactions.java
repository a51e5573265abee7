package io.takhin.coordinator.transaction;

import io.takhin.testkit.fuzz.Fuzzing;
import java.nio.ByteBuffer;

/// Records of `__transaction_state`: the first byte is the length of the key, the rest the value.
final class FuzzTransactions {
  private static final TransactionRecordCodec CODEC = new TransactionRecordCodec();

  private FuzzTransactions() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Fuzzing.run(FuzzTransactions::feed, input);
  }

  static void feed(byte[] input) {
    if (input.length < 1) {
      return;
    }
    int keyBytes = Math.min(input[0] & 0xff, input.length - 1);
    try {
      CODEC.decode(
          ByteBuffer.wrap(input, 1, keyBytes).slice(),
          ByteBuffer.wrap(input, 1 + keyBytes, input.length - 1 - keyBytes).slice());
    } catch (IllegalArgumentException refused) {
      return; // the loader counts it and goes on
    }
  }
}
