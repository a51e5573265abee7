package io.takhin.testkit.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every implementation of [Codecs] must do. A test class extends it and says what it makes.
public abstract class CodecsContract {
  private static final Set<ErrorCode> ALLOWED =
      EnumSet.of(ErrorCode.CORRUPT_MESSAGE, ErrorCode.MESSAGE_TOO_LARGE);
  private static final byte[] CANARY =
      "canary-5f1c2a-of-another-message".getBytes(StandardCharsets.US_ASCII);

  private Codecs codecs = new GzipOnlyCodecs();

  /// For subclasses.
  protected CodecsContract() {}

  /// The codecs under test, not started yet.
  protected abstract Codecs create();

  /// What they claim to support; the rest must be refused.
  protected Set<CompressionType> supported() {
    return EnumSet.allOf(CompressionType.class);
  }

  /// How many random inputs each codec is fed.
  protected int randomInputs() {
    return 300;
  }

  /// The codecs under test, started.
  protected final Codecs codecs() {
    return codecs;
  }

  @BeforeEach
  final void startCodecs() {
    codecs = create();
    codecs.start();
  }

  @AfterEach
  final void closeCodecs() {
    codecs.drain();
    codecs.close();
  }

  @Test
  void whatIsCompressedComesBackWhole() {
    for (CompressionType type : supported()) {
      for (int size : new int[] {0, 1, 61, 1000, 32_768, 65_536, 65_537, 300_001, 2_000_000}) {
        for (byte[] data : List.of(text(size), noise(size, size))) {
          ByteBuffer compressed = codecs.compress(type, ByteBuffer.wrap(data));
          assertEquals(0, compressed.position(), type + " of " + size);
          assertArrayEquals(
              data, bytes(codecs.decompress(type, compressed, size)), type + " " + size);
        }
      }
    }
  }

  @Test
  void anyKindOfBufferIsTakenAndLeftAlone() {
    byte[] data = text(5000);
    for (CompressionType type : supported()) {
      byte[] compressed = bytes(codecs.compress(type, ByteBuffer.wrap(data)));
      for (ByteBuffer in : kinds(data)) {
        int position = in.position();
        int limit = in.limit();
        byte[] again = bytes(codecs.compress(type, in));
        assertArrayEquals(data, bytes(codecs.decompress(type, ByteBuffer.wrap(again), 5000)));
        assertEquals(position, in.position());
        assertEquals(limit, in.limit());
      }
      for (ByteBuffer in : kinds(compressed)) {
        int position = in.position();
        int limit = in.limit();
        var order = in.order();
        assertArrayEquals(data, bytes(codecs.decompress(type, in, 5000)), type.toString());
        assertEquals(position, in.position());
        assertEquals(limit, in.limit());
        assertEquals(order, in.order());
      }
    }
  }

  @Test
  void oneByteMoreThanAllowedIsTooLarge() {
    for (CompressionType type : supported()) {
      for (int size : new int[] {1, 100, 70_000, 500_000}) {
        ByteBuffer compressed = codecs.compress(type, ByteBuffer.wrap(text(size)));
        assertEquals(size, codecs.decompress(type, compressed, size).remaining());
        for (int max : new int[] {size - 1, size / 2, 0, -1}) {
          TakhinException e =
              assertThrows(
                  TakhinException.class,
                  () -> codecs.decompress(type, compressed, max),
                  type + " of " + size + " into " + max);
          assertEquals(ErrorCode.MESSAGE_TOO_LARGE, e.code(), e.toString());
        }
      }
    }
  }

  @Test
  void bombsAreTooLargeAndCheap() {
    for (CompressionType type : supported()) {
      if (type != CompressionType.NONE) {
        ByteBuffer bomb = codecs.compress(type, ByteBuffer.allocate(64 << 20));
        TakhinException e =
            assertThrows(TakhinException.class, () -> codecs.decompress(type, bomb, 1 << 20));
        assertEquals(ErrorCode.MESSAGE_TOO_LARGE, e.code(), type.toString());
      }
    }
  }

  @Test
  void dataThatEndsEarlyIsCorrupt() {
    byte[] data = noise(7, 900);
    for (CompressionType type : supported()) {
      if (type == CompressionType.NONE) {
        continue;
      }
      ByteBuffer whole = codecs.compress(type, ByteBuffer.wrap(data));
      int wholes = 0;
      for (int end = 0; end < whole.limit(); end++) {
        ByteBuffer cut = whole.duplicate().limit(end);
        ErrorCode code = codeOf(type, cut, 10_000);
        if (code == ErrorCode.NONE) {
          wholes++;
        } else {
          assertTrue(ALLOWED.contains(code), type + " cut at " + end + ": " + code);
        }
      }
      // A stream of chunks may end after any chunk, so one cut may look whole: after the header.
      assertTrue(wholes <= 1, type + " took " + wholes + " cuts for whole");
    }
  }

  @Test
  void noInputThrowsAnythingElse() {
    for (CompressionType type : supported()) {
      Random random = new Random(42 + type.id());
      byte[] valid = bytes(codecs.compress(type, ByteBuffer.wrap(text(3000))));
      for (int i = 0; i < randomInputs(); i++) {
        byte[] input;
        if (i % 3 == 0) {
          input = new byte[random.nextInt(2000)];
          random.nextBytes(input);
        } else {
          input = valid.clone();
          for (int flips = 1 + random.nextInt(8); flips > 0; flips--) {
            int at = random.nextInt(i % 3 == 1 ? Math.min(40, input.length) : input.length);
            input[at] = (byte) random.nextInt(256);
          }
        }
        ByteBuffer in = i % 2 == 0 ? ByteBuffer.wrap(input) : direct(input);
        ErrorCode code = codeOf(type, in, 100_000);
        assertTrue(
            code == ErrorCode.NONE || ALLOWED.contains(code), type + " input " + i + ": " + code);
      }
    }
  }

  @Test
  void nothingOfAnotherMessageShowsUp() {
    byte[] canaries = new byte[CANARY.length * 4000];
    for (int i = 0; i < 4000; i++) {
      System.arraycopy(CANARY, 0, canaries, i * CANARY.length, CANARY.length);
    }
    byte[] data = noise(3, 40_000);
    for (CompressionType type : supported()) {
      Random random = new Random(type.id());
      byte[] canary = bytes(codecs.compress(type, ByteBuffer.wrap(canaries)));
      byte[] valid = bytes(codecs.compress(type, ByteBuffer.wrap(data)));
      for (int i = 0; i < 60; i++) {
        codecs.decompress(type, ByteBuffer.wrap(canary), canaries.length);
        byte[] input = valid.clone();
        input[random.nextInt(input.length)] ^= (byte) (1 << random.nextInt(8));
        try {
          assertNoCanary(codecs.decompress(type, direct(input), 200_000));
          // The scratch's rest is the caller's: what it had there before.
          ByteBuffer lent = codecs.decompress(type, direct(input), 200_000, canaries.clone());
          assertNoCanary(ByteBuffer.wrap(bytes(lent)));
        } catch (TakhinException e) {
          assertTrue(ALLOWED.contains(e.code()), e.toString());
        }
        assertNoCanary(codecs.compress(type, ByteBuffer.wrap(data)));
      }
    }
  }

  @Test
  void resultsAreTheCallersOwn() {
    byte[] data = text(2000);
    for (CompressionType type : supported()) {
      ByteBuffer compressed = codecs.compress(type, ByteBuffer.wrap(data));
      ByteBuffer first = codecs.decompress(type, compressed, 2000);
      ByteBuffer second = codecs.decompress(type, compressed, 2000);
      assertFalse(first.isReadOnly());
      for (int i = 0; i < first.limit(); i++) {
        first.put(i, (byte) 0);
      }
      assertArrayEquals(data, bytes(second));
      assertArrayEquals(data, bytes(codecs.decompress(type, compressed, 2000)));
    }
  }

  @Test
  void aScratchIsUsedIfItIsLargeEnough() {
    byte[] data = text(50_000);
    for (CompressionType type : supported()) {
      ByteBuffer compressed = codecs.compress(type, ByteBuffer.wrap(data));
      byte[] scratch = {};
      for (int i = 0; i < 3; i++) {
        ByteBuffer out = codecs.decompress(type, compressed, 1 << 20, scratch);
        assertArrayEquals(data, bytes(out), type.toString());
        scratch = out.hasArray() ? out.array() : scratch;
      }
      ByteBuffer out = codecs.decompress(type, compressed, 1 << 20, new byte[100]);
      assertArrayEquals(data, bytes(out), type.toString());
    }
  }

  @Test
  void manyThreadsGetTheirOwn() throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<?>> done = new ArrayList<>();
      for (int thread = 0; thread < 6; thread++) {
        int seed = thread;
        done.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 40; i++) {
                    byte[] data = i % 2 == 0 ? noise(seed * 100 + i, 3000) : text(3000 + seed);
                    for (CompressionType type : supported()) {
                      ByteBuffer compressed = codecs.compress(type, direct(data));
                      assertArrayEquals(data, bytes(codecs.decompress(type, compressed, 9000)));
                    }
                  }
                }));
      }
      for (Future<?> each : done) {
        each.get();
      }
    }
  }

  @Test
  void whatIsNotSupportedIsRefusedByName() {
    for (CompressionType type : EnumSet.complementOf(EnumSet.copyOf(supported()))) {
      TakhinException e =
          assertThrows(
              TakhinException.class, () -> codecs.decompress(type, ByteBuffer.allocate(9), 99));
      assertEquals(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, e.code());
      assertTrue(e.toString().contains(type.configName()), e.toString());
    }
  }

  private ErrorCode codeOf(CompressionType type, ByteBuffer in, int maxBytes) {
    try {
      ByteBuffer out = codecs.decompress(type, in, maxBytes);
      assertTrue(out.remaining() <= maxBytes);
      return ErrorCode.NONE;
    } catch (TakhinException e) {
      return e.code();
    }
  }

  private static void assertNoCanary(ByteBuffer out) {
    byte[] all = out.hasArray() ? out.array() : bytes(out);
    byte[] wanted = Arrays.copyOf(CANARY, 12);
    for (int i = 0; i + wanted.length <= all.length; i++) {
      if (all[i] == wanted[0]) {
        assertFalse(
            Arrays.equals(all, i, i + wanted.length, wanted, 0, wanted.length), "found at " + i);
      }
    }
  }

  private static List<ByteBuffer> kinds(byte[] data) {
    ByteBuffer within = ByteBuffer.allocate(data.length + 30).position(13).put(data).flip();
    within.position(13);
    ByteBuffer directWithin = ByteBuffer.allocateDirect(data.length + 30).position(13);
    directWithin.put(data).flip().position(13);
    return List.of(
        ByteBuffer.wrap(data),
        within,
        within.slice(),
        direct(data),
        directWithin,
        ByteBuffer.wrap(data).asReadOnlyBuffer(),
        within.asReadOnlyBuffer(),
        directWithin.asReadOnlyBuffer());
  }

  private static ByteBuffer direct(byte[] data) {
    return ByteBuffer.allocateDirect(data.length).put(data).flip();
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(buffer.position(), bytes);
    return bytes;
  }

  private static byte[] text(int size) {
    byte[] data = new byte[size];
    byte[] words =
        "a record of a sensor, its id and its value; ".getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < size; i++) {
      data[i] = i % 97 == 0 ? (byte) (i / 97) : words[i % words.length];
    }
    return data;
  }

  private static byte[] noise(int seed, int size) {
    byte[] data = new byte[size];
    new Random(seed).nextBytes(data);
    return data;
  }
}
