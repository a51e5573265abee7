package io.takhin.storage.local;

import static io.takhin.testkit.storage.CapturedAppend.appended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TopicPartition;
import io.takhin.api.codec.Codecs;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.storage.LogConfig;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.storage.CapturedProgress;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// R2, R3 and R5: files that are torn, flipped, missing, emptied or zeroed are cut, repaired or set
/// aside, and never served.
class DamageTest {
  private static final TopicPartition PARTITION = new TopicPartition(new UUID(1, 2), "t", 0);
  private static final LogConfig SETTINGS =
      new LogConfigBuilder().indexIntervalBytes(500).segmentBytes(6000).build();
  private static final int CUTS = Integer.getInteger("takhin.faults.tears", 500);
  private static final int TAIL_BYTES = 4096;

  @TempDir Path directory;
  private final FaultyDisk disk = new FaultyDisk();
  private final List<String> expected = new ArrayList<>();
  private final Map<Path, byte[]> saved = new HashMap<>();
  private int boots;

  private interface Use {
    void with(LocalLog log) throws IOException;
  }

  /// A run after another boot of the machine, in which time stands still.
  private void run(Use use) throws IOException {
    disk.boot = "boot-" + ++boots;
    try (TestContext context =
        TestContext.simulated().service(Codecs.class, new FakeCodecs()).build()) {
      LocalLogStorage storage = new LocalLogStorage(Fixture.config(directory), context, disk);
      storage.start();
      try {
        use.with((LocalLog) storage.open(PARTITION, SETTINGS, new CapturedProgress()));
      } finally {
        storage.close();
      }
    }
  }

  @BeforeEach
  void fill() throws IOException {
    run(
        log -> {
          for (int i = 0; i < 130; i++) {
            long offset = appended(log, Batches.from(9, 0, i, "value-" + i));
            expected.add(offset + "=value-" + i);
          }
          for (Path file : everything()) {
            saved.put(file, Files.readAllBytes(file)); // as a crash here would leave it
          }
        });
  }

  private List<Path> everything() throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private void restore() throws IOException {
    for (Path file : everything()) {
      Files.delete(file);
    }
    for (Map.Entry<Path, byte[]> file : saved.entrySet()) {
      Files.write(file.getKey(), file.getValue());
    }
  }

  private byte[] content(Path file) {
    return java.util.Objects.requireNonNull(saved.get(file));
  }

  private Path segment(int number) {
    return saved.keySet().stream()
        .filter(file -> file.toString().endsWith(LogFiles.LOG))
        .sorted()
        .toList()
        .get(number);
  }

  private void isPrefixAndGoesOn(LocalLog log, int atLeast, String what) {
    List<String> read = Batches.readAll(log, log.logStartOffset());
    assertTrue(read.size() >= atLeast, what + ": " + read.size() + " of at least " + atLeast);
    assertEquals(expected.subList(0, read.size()), read, what);
    assertEquals(read.size(), appended(log, Batches.of("next")), what);
  }

  /// The number of whole batches in the first bytes of a segment.
  private static int batches(byte[] content, int until) {
    ByteBuffer in = ByteBuffer.wrap(content);
    int count = 0;
    long at = 0;
    while (at + RecordBatch.HEADER_BYTES <= until
        && at + RecordBatch.sizeBytes(in, (int) at) <= until) {
      at += RecordBatch.sizeBytes(in, (int) at);
      count++;
    }
    return count;
  }

  @Test
  void aTailTornAtAnyOfItsLastBytesLosesOnlyTheTornBatch() throws IOException {
    Path last =
        segment(
            (int) saved.keySet().stream().filter(f -> f.toString().endsWith(".log")).count() - 1);
    byte[] content = content(last);
    int base = (int) LogFiles.offset(last, LogFiles.LOG);
    int tail = Math.min(TAIL_BYTES, content.length);
    for (int i = 0; i < CUTS; i++) {
      int cut = CUTS >= tail ? i % tail + 1 : (int) ((long) i * tail / CUTS) + 1;
      restore();
      Files.write(last, Arrays.copyOf(content, content.length - cut));
      int whole = base + batches(content, content.length - cut);
      run(
          log -> {
            assertEquals(whole, log.logEndOffset());
            isPrefixAndGoesOn(log, whole, "cut by " + cut);
          });
    }
  }

  @Test
  void eachBitOfABatchHeaderIsDetectedOrDoesNotMatter() throws IOException {
    Path last = segment(1);
    byte[] content = content(last);
    int at = 0;
    for (int i = 0; i < 7; i++) {
      at += (int) RecordBatch.sizeBytes(ByteBuffer.wrap(content), at);
    }
    int whole = (int) LogFiles.offset(last, LogFiles.LOG) + 7;
    for (int bit = 0; bit < 8 * RecordBatch.HEADER_BYTES; bit++) {
      restore();
      byte[] flipped = content.clone();
      flipped[at + bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(last, flipped);
      String what = "bit " + bit;
      // Of the header, the leader epoch (bytes 12 to 15) alone is neither covered nor implied.
      run(log -> isPrefixAndGoesOn(log, whole - 1, what));
    }
  }

  @Test
  void aFlippedByteOfAnyOtherFileIsRepaired() throws IOException {
    Random random = new Random(3);
    for (Path file : saved.keySet().stream().sorted().toList()) {
      byte[] content = content(file);
      boolean batches = file.toString().endsWith(LogFiles.LOG);
      if (content.length == 0
          || file.endsWith(LogFiles.METADATA)
          || file.endsWith("log-start-offset-checkpoint")) {
        continue; // the topic's id is the broker's to compare
      }
      for (int i = 0; i < 12; i++) {
        restore();
        byte[] flipped = content.clone();
        flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
        Files.write(file, flipped);
        run(log -> isPrefixAndGoesOn(log, batches ? 0 : expected.size(), file.toString()));
      }
    }
  }

  @Test
  void nineKindsOfMissingEmptyAndForeignFilesAreSurvived() throws IOException {
    for (Path file : saved.keySet().stream().sorted().toList()) {
      boolean batches = file.toString().endsWith(LogFiles.LOG);
      byte[] content = content(file);
      for (int kind = 0; kind < 9; kind++) {
        if (batches && (kind == 0 || kind == 1)) {
          continue; // a whole segment that is gone is tested below
        }
        restore();
        Path sibling = file.resolveSibling(LogFiles.name(file) + (kind == 6 ? ".tmp" : ".orig"));
        switch (kind) {
          case 0 -> Files.delete(file);
          case 1 -> Files.write(file, new byte[0]);
          case 2 -> Files.write(file, new byte[content.length]);
          case 3 -> Files.write(file, Arrays.copyOf(content, content.length / 2));
          case 4 -> Files.write(file, Arrays.copyOf(content, content.length + 4096));
          case 5 -> Files.write(sibling, content);
          case 6 -> Files.write(sibling, new byte[7]);
          case 7 -> Files.createDirectories(file.resolveSibling("somebody's"));
          default -> Files.write(file.resolveSibling("00000000000000000007.index"), new byte[9]);
        }
        String what = file + ", kind " + kind;
        run(log -> isPrefixAndGoesOn(log, batches ? 0 : expected.size(), what));
        Files.deleteIfExists(file.resolveSibling("somebody's"));
      }
    }
  }
}
