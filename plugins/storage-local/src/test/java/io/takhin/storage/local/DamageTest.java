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
import org.junit.jupiter.api.AfterEach;
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
  private static final int BODIES = Integer.getInteger("takhin.faults.bodies", 60);
  private static final int BITS_OF_A_FILE = Integer.getInteger("takhin.faults.bits", 150);

  @TempDir Path directory;
  private final FaultyDisk disk = new FaultyDisk();
  private final List<String> expected = new ArrayList<>();
  private final Map<Path, byte[]> saved = new HashMap<>();
  private final Warnings warnings = new Warnings();
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

  @AfterEach
  void close() {
    warnings.close();
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
    warnings.clear();
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
    return places(content, until).size() - 1;
  }

  /// Where the last of them ends.
  private static int end(byte[] content, int until) {
    return places(content, until).getLast();
  }

  /// Where each of them begins, and the last one ends.
  private static List<Integer> places(byte[] content, int until) {
    ByteBuffer in = ByteBuffer.wrap(content);
    List<Integer> places = new ArrayList<>(List.of(0));
    long at = 0;
    while (at + RecordBatch.HEADER_BYTES <= until
        && at + RecordBatch.sizeBytes(in, (int) at) <= until) {
      at += RecordBatch.sizeBytes(in, (int) at);
      places.add((int) at);
    }
    return places;
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
      if (end(content, content.length - cut) < content.length - cut) {
        warnings.assertName(last, "cut by " + cut);
      }
    }
  }

  @Test
  void eachBitOfABatchHeaderIsDetectedAndItsFileNamed() throws IOException {
    Path file = segment(1);
    byte[] content = content(file);
    int at = places(content, content.length).get(7);
    int whole = (int) LogFiles.offset(file, LogFiles.LOG) + 7;
    for (int bit = 0; bit < 8 * RecordBatch.HEADER_BYTES; bit++) {
      restore();
      byte[] flipped = content.clone();
      flipped[at + bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(file, flipped);
      String what = "bit " + bit;
      // Of the header, the leader epoch (bytes 12 to 15) alone is neither covered nor implied.
      boolean covered = bit / 8 < 12 || bit / 8 >= 16;
      run(log -> isPrefixAndGoesOn(log, covered ? whole : expected.size(), what));
      if (covered) {
        warnings.assertName(file, what);
      }
    }
  }

  @Test
  void aBitOfABodyIsDetectedAndItsFileNamed() throws IOException {
    Random random = new Random(5);
    for (int number = 0; number < 2; number++) {
      Path file = segment(number);
      byte[] content = content(file);
      List<Integer> places = places(content, content.length);
      for (int i = 0; i < BODIES; i++) {
        int batch = random.nextInt(places.size() - 1);
        int from = places.get(batch) + RecordBatch.HEADER_BYTES;
        int at = from + random.nextInt(places.get(batch + 1) - from);
        restore();
        byte[] flipped = content.clone();
        flipped[at] ^= (byte) (1 << random.nextInt(8));
        Files.write(file, flipped);
        int whole = (int) LogFiles.offset(file, LogFiles.LOG) + batch;
        String what = "byte " + at + " of " + file;
        run(
            log -> {
              assertEquals(whole, log.logEndOffset(), what);
              isPrefixAndGoesOn(log, whole, what);
            });
        warnings.assertName(file, what);
      }
    }
  }

  /// Each bit of the small files, and of each index a sample.
  @Test
  void aFlippedBitOfAnyOtherFileIsRepaired() throws IOException {
    Random random = new Random(3);
    for (Path file : saved.keySet().stream().sorted().toList()) {
      byte[] content = content(file);
      if (content.length == 0 || file.toString().endsWith(LogFiles.LOG)) {
        continue;
      }
      if (file.endsWith(LogFiles.METADATA)) {
        continue; // another topic's id: see below
      }
      int bits = 8 * content.length;
      int step = Math.max(1, bits / BITS_OF_A_FILE);
      for (int bit = random.nextInt(step); bit < bits; bit += step) {
        restore();
        byte[] flipped = content.clone();
        flipped[bit / 8] ^= (byte) (1 << (bit % 8));
        Files.write(file, flipped);
        String what = "bit " + bit + " of " + file;
        run(log -> isPrefixAndGoesOn(log, expected.size(), what));
        if (file.toString().endsWith("-checkpoint") || file.toString().endsWith(".snapshot")) {
          warnings.assertName(file, what);
        }
      }
    }
  }

  /// With another topic's id a log is that of another topic: set aside with a warning, not served,
  /// and not removed. With no id at all it gets the right one again.
  @Test
  void aFlippedBitOfATopicIdSetsTheLogAsideByName() throws IOException {
    Path file = directory.resolve("t-0").resolve(LogFiles.METADATA);
    byte[] content = content(file);
    for (int bit = 0; bit < 8 * content.length; bit++) {
      restore();
      byte[] flipped = content.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(file, flipped);
      String what = "bit " + bit;
      boolean[] aside = new boolean[1];
      run(
          log -> {
            try (Stream<Path> all = Files.list(directory)) {
              aside[0] = all.anyMatch(f -> f.toString().endsWith(LogFiles.STRAY_DIRECTORY));
            }
            List<String> read = Batches.readAll(log, log.logStartOffset());
            assertEquals(aside[0] ? List.of() : expected, read, what);
          });
      if (aside[0]) {
        warnings.assertName(directory.resolve("t-0"), what);
      }
      try (Stream<Path> all = Files.list(directory)) {
        for (Path stray : all.filter(f -> f.toString().endsWith("-stray")).toList()) {
          deleteTree(stray);
        }
      }
    }
  }

  private static void deleteTree(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path file : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void nineKindsOfMissingEmptyAndForeignFilesAreSurvived() throws IOException {
    for (Path file : saved.keySet().stream().sorted().toList()) {
      boolean batches = file.toString().endsWith(LogFiles.LOG);
      byte[] content = content(file);
      for (int kind = 0; kind < 9; kind++) {
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
        if (batches && kind < 2) {
          run(log -> servesOnlyWhatWasWritten(log, what));
        } else {
          run(log -> isPrefixAndGoesOn(log, batches ? 0 : expected.size(), what));
        }
        if (batches && kind < 5 && kind > 1) {
          warnings.assertName(file, what);
        }
        Files.deleteIfExists(file.resolveSibling("somebody's"));
      }
    }
  }

  /// A segment that is gone takes those behind it, or those before it, with it: never a wrong
  /// record, and never a gap.
  private void servesOnlyWhatWasWritten(LocalLog log, String what) throws IOException {
    int start = (int) log.logStartOffset();
    List<String> read = Batches.readAll(log, start);
    assertEquals(expected.subList(start, start + read.size()), read, what);
    assertEquals(log.logEndOffset(), appended(log, Batches.of("next")), what);
  }
}
