package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// R2, R3 and R5 with the process: a broker that was killed finds its files damaged, each of many
/// partitions in another way, after another boot of the machine. What is left is served, what is
/// not is named, and everything goes on.
class DamageIT {
  private static final String TOPIC = "damaged";

  /// One for each byte of a batch's header.
  private static final int PARTITIONS = 61;

  private static final int RECORDS = 40;
  private static final int TEARS = Integer.getInteger("takhin.faults.process.tears", 61);
  private static final int TAIL_BYTES = 4096;
  private static final int BITS = Integer.getInteger("takhin.faults.process.bits", 1);

  private static Broker broker;
  private static Path saved;

  @BeforeAll
  static void fill() throws Exception {
    broker = new Broker();
    broker
        .with("TAKHIN_STORAGE_LOG_SEGMENT_SIZE", "6000")
        .with("TAKHIN_KAFKA_MAX_MESSAGE_BYTES", "5000")
        .start();
    broker.createTopic(TOPIC, PARTITIONS, Map.of("index.interval.bytes", "500"));
    try (Producer<String, String> producer = producer()) {
      for (int i = 0; i < RECORDS; i++) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int p = 0; p < PARTITIONS; p++) {
          sent.add(producer.send(new ProducerRecord<>(TOPIC, p, null, value(i))));
        }
        for (Future<RecordMetadata> each : sent) { // batches of one record
          assertEquals(i, each.get(30, TimeUnit.SECONDS).offset());
        }
      }
    }
    broker.kill();
    saved = Distribution.newDirectory("saved");
    copy(broker.dataDirectory(), saved);
  }

  @AfterAll
  static void end() {
    broker.close();
  }

  private static String value(int i) {
    return "record-" + i + "-" + "x".repeat(120 + i);
  }

  private static Producer<String, String> producer() {
    return new KafkaProducer<>(
        broker.client(Map.of("acks", "all", "linger.ms", "0")),
        new StringSerializer(),
        new StringSerializer());
  }

  private static void copy(Path from, Path to) {
    Command.run("sh", "-c", "rm -rf '" + to + "' && cp -a '" + from + "' '" + to + "'").succeeded();
  }

  /// As the kill left it, but found after the machine was started again.
  private static void restore() throws IOException {
    broker.close();
    copy(saved, broker.dataDirectory());
    Files.writeString(broker.dataDirectory().resolve(".takhin-boot"), "another boot");
  }

  /// The newest of such files; of indexes, which may not be written yet, the first.
  private static Path file(int partition, String suffix) throws IOException {
    try (Stream<Path> all = Files.list(broker.dataDirectory().resolve(TOPIC + "-" + partition))) {
      List<Path> found = all.filter(each -> each.toString().endsWith(suffix)).sorted().toList();
      assertTrue(!found.isEmpty(), "no " + suffix + " of " + partition);
      return suffix.endsWith("index") ? found.getFirst() : found.getLast();
    }
  }

  private static int base(Path segment) {
    String name = segment.getFileName().toString();
    return Integer.parseInt(name.substring(0, name.length() - ".log".length()));
  }

  /// Where the batches of a segment begin, and its end.
  private static List<Integer> batches(byte[] segment, int length) {
    List<Integer> places = new ArrayList<>(List.of(0));
    ByteBuffer in = ByteBuffer.wrap(segment);
    int at = 0;
    while (at + 61 <= length && at + 12 + in.getInt(at + 8) <= length) {
      at += 12 + in.getInt(at + 8);
      places.add(at);
    }
    return places;
  }

  /// Starts, reads every partition and writes on: what is there is a prefix of what was written.
  ///
  /// @return how many records each partition has
  private static Map<Integer, Integer> startAndRead() throws Exception {
    broker.start();
    Map<Integer, List<String>> found = new TreeMap<>();
    List<TopicPartition> partitions =
        IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(TOPIC, p)).toList();
    partitions.forEach(each -> found.put(each.partition(), new ArrayList<>()));
    try (Consumer<String, String> consumer =
        new KafkaConsumer<>(
            broker.client(Map.of("auto.offset.reset", "none")),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      Await.until(
          Duration.ofSeconds(30),
          () -> found + " of " + ends + "\n" + broker.output(),
          () -> {
            consumer
                .poll(Duration.ofMillis(100))
                .forEach(each -> found.get(each.partition()).add(each.value()));
            return partitions.stream().allMatch(each -> consumer.position(each) >= ends.get(each));
          });
    }
    Map<Integer, Integer> counts = new TreeMap<>();
    try (Producer<String, String> producer = producer()) {
      Map<Integer, Future<RecordMetadata>> sent = new TreeMap<>();
      found.forEach(
          (partition, values) -> {
            for (int i = 0; i < values.size(); i++) {
              assertEquals(value(i), values.get(i), "partition " + partition);
            }
            counts.put(partition, values.size());
            sent.put(partition, producer.send(new ProducerRecord<>(TOPIC, partition, null, "on")));
          });
      for (Map.Entry<Integer, Future<RecordMetadata>> each : sent.entrySet()) {
        assertEquals(
            (long) counts.get(each.getKey()), each.getValue().get(30, TimeUnit.SECONDS).offset());
      }
    }
    return counts;
  }

  private static void names(Path file) {
    String output = broker.output();
    assertTrue(
        output
            .lines()
            .anyMatch(
                line -> line.contains("\"level\":\"warn\"") && line.contains(file.toString())),
        () -> "no warning names " + file + "\n" + output);
  }

  @Test
  void r2ATailTornAnywhereIsCutToTheLastWholeBatch() throws Exception {
    for (int done = 0; done < TEARS; done += PARTITIONS) {
      restore();
      Map<Integer, Integer> expected = new TreeMap<>();
      List<Path> torn = new ArrayList<>();
      for (int p = 0; p < PARTITIONS; p++) {
        Path segment = file(p, ".log");
        byte[] content = Files.readAllBytes(segment);
        int tail = Math.min(TAIL_BYTES, content.length);
        int tears = Math.max(TEARS, PARTITIONS);
        int cut = (int) ((long) (done + p) * tail / tears) % tail + 1;
        int left = content.length - cut;
        Files.write(segment, Arrays.copyOf(content, left));
        List<Integer> places = batches(content, left);
        expected.put(p, base(segment) + places.size() - 1);
        if (places.getLast() < left) {
          torn.add(segment);
        }
      }
      assertEquals(expected, startAndRead());
      torn.forEach(DamageIT::names);
    }
  }

  @Test
  void r3ABitOfABatchIsNeverServed() throws Exception {
    for (int bit = 0; bit < BITS; bit++) {
      restore();
      Map<Integer, Integer> whole = new TreeMap<>();
      List<Path> cut = new ArrayList<>();
      for (int p = 0; p < PARTITIONS; p++) {
        Path segment = file(p, ".log");
        byte[] content = Files.readAllBytes(segment);
        int batch = batches(content, content.length).get(2);
        content[batch + p] ^= (byte) (1 << ((p + bit) % 8));
        Files.write(segment, content);
        boolean unprotected = p >= 12 && p < 16; // the leader epoch is not under the checksum
        whole.put(p, unprotected ? RECORDS : base(segment) + 2);
        if (!unprotected) {
          cut.add(segment);
        }
      }
      assertEquals(whole, startAndRead());
      cut.forEach(DamageIT::names);
    }
  }

  @Test
  void r3R5NineKindsOfDamagedFilesAreRebuiltAndNamed() throws Exception {
    restore();
    List<Path> named = new ArrayList<>();
    List<String> kinds =
        List.of(
            ".index", ".timeindex", ".snapshot", "leader-epoch-checkpoint", "partition.metadata");
    int p = 0;
    for (String suffix : kinds) {
      for (int kind = 0; kind < 9; kind++, p++) {
        Path file = file(p, suffix);
        byte[] content = Files.readAllBytes(file);
        assertTrue(content.length > 0, file.toString());
        damage(file, content, kind);
        if (isNoticed(suffix, kind)) {
          named.add(file);
        }
      }
    }
    Path points = broker.dataDirectory().resolve("recovery-point-offset-checkpoint");
    Files.write(points, new byte[] {'0', '\n', 'x'});
    named.add(points);
    Map<Integer, Integer> all = new TreeMap<>();
    IntStream.range(0, PARTITIONS).forEach(each -> all.put(each, RECORDS));
    assertEquals(all, startAndRead());
    named.forEach(DamageIT::names);
  }

  private static void damage(Path file, byte[] content, int kind) throws IOException {
    switch (kind) {
      case 0 -> Files.delete(file);
      case 1 -> Files.write(file, new byte[0]);
      case 2 -> Files.write(file, new byte[content.length]);
      case 3 -> Files.write(file, Arrays.copyOf(content, content.length / 2));
      case 4 -> Files.write(file, Arrays.copyOf(content, content.length + 4096));
      case 5 -> Files.writeString(file, "somebody's text\n");
      case 6 -> Files.write(file.resolveSibling(file.getFileName() + ".tmp"), new byte[7]);
      case 7 -> Files.createDirectories(file.resolveSibling("somebody's"));
      default -> Files.write(file.resolveSibling("00000000000000000999.index"), new byte[9]);
    }
  }

  /// Whether it can be told from a file that is as it should be: an index may be short or end in
  /// zeros, and the newest snapshot may not have been taken yet.
  private static boolean isNoticed(String suffix, int kind) {
    return switch (suffix) {
      case ".index", ".timeindex" -> kind == 0 || kind == 5;
      case ".snapshot" -> kind > 0 && kind < 6;
      default -> kind < 6;
    };
  }

  /// Metadata cannot be rebuilt from anything: the start is refused, and the file named.
  @Test
  void r3R5AStartOverDamagedMetadataIsRefusedByName() throws Exception {
    for (String name : List.of("node.properties", "log_inprogress_")) {
      restore();
      Path file;
      try (Stream<Path> all = Files.walk(broker.dataDirectory().resolve("__metadata"))) {
        file =
            all.filter(Files::isRegularFile)
                .filter(each -> each.getFileName().toString().startsWith(name))
                .findFirst()
                .orElseThrow();
      }
      byte[] content = Files.readAllBytes(file);
      content[content.length / 2] ^= 0x40;
      if (name.startsWith("log_")) {
        content[60] ^= 0x40; // the file is preallocated: its middle may be empty
      } else {
        content = new byte[content.length];
      }
      Files.write(file, content);
      broker.launch();
      assertTrue(broker.awaitExit() != 0, broker::output);
      assertTrue(broker.output().contains(file.toString()), () -> file + "\n" + broker.output());
    }
  }
}
