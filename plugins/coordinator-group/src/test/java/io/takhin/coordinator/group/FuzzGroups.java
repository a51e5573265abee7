package io.takhin.coordinator.group;

import io.takhin.testkit.fuzz.Fuzzing;
import java.nio.ByteBuffer;

/// What clients and `__consumer_offsets` say of groups: the first byte is the length of a record's
/// key, what follows the key is its value, or a subscription.
final class FuzzGroups {
  private static final GroupRecordCodec CODEC = new GroupRecordCodec();

  private FuzzGroups() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Fuzzing.run(FuzzGroups::feed, input);
  }

  static void feed(byte[] input) {
    if (input.length < 1) {
      return;
    }
    int keyBytes = Math.min(input[0] & 0xff, input.length - 1);
    ByteBuffer key = ByteBuffer.wrap(input, 1, keyBytes).slice();
    byte[] rest = java.util.Arrays.copyOfRange(input, 1 + keyBytes, input.length);
    try {
      GroupRecord record = CODEC.decode(key, ByteBuffer.wrap(rest));
      if (record != null) {
        byte[] value = CODEC.value(record);
        GroupRecord again =
            CODEC.decode(
                ByteBuffer.wrap(CODEC.key(record)), value == null ? null : ByteBuffer.wrap(value));
        if (again == null || again.getClass() != record.getClass()) {
          throw new AssertionError(record + " became " + again);
        }
      }
    } catch (IllegalArgumentException refused) {
      // the loader counts it and goes on
    }
    ConsumerSubscription.topics(rest);
  }
}
