package io.takhin.bench;

import io.takhin.bench.Batches.Payload;
import io.takhin.bench.Batches.Shape;
import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;

/// A topic for one measurement. Closing it removes it and waits until its files are gone: pages
/// that nobody has written to the disk yet go with them, and do not disturb the next measurement.
final class Topic implements AutoCloseable {
  private static final Shape SMALLEST = new Shape(1, 10, Compression.NONE, Payload.RANDOM);

  private final Broker broker;
  private final String name;
  private final int partitions;

  private Topic(Broker broker, String name, int partitions) {
    this.broker = broker;
    this.name = name;
    this.partitions = partitions;
  }

  /// Makes a topic; each partition holds one record when this returns, but for the floor, which
  /// needs none.
  static Topic of(Broker broker, int partitions, Map<String, String> configs) throws IOException {
    Topic topic = bare(broker, partitions, configs);
    if (broker.kind() != Kind.FLOOR) {
      topic.awaitLeaders(0, partitions);
    }
    return topic;
  }

  /// Makes a topic and does not wait for its leaders.
  static Topic bare(Broker broker, int partitions, Map<String, String> configs) throws IOException {
    String name = "bench-" + Long.toHexString(System.nanoTime());
    Map<String, String> all = new HashMap<>(configs);
    all.put("file.delete.delay.ms", "500");
    try (Client client = new Client(broker.address())) {
      client.createTopic(name, partitions, all);
    }
    return new Topic(broker, name, partitions);
  }

  /// Produces to partitions until each takes a record: leaders can come a moment after the topic.
  void awaitLeaders(int from, int to) throws IOException {
    try (Client client = new Client(broker.address())) {
      for (int p = from; p < to; p++) {
        client.produceUntilTaken(Batches.frame(name, p, Batches.batch(SMALLEST, 0)), name);
      }
    }
  }

  String name() {
    return name;
  }

  int partitions() {
    return partitions;
  }

  int errorCodeAt() {
    return Batches.errorCodeAt(name);
  }

  /// Frames of the same shape, `perPartition` different ones for each partition, in turns.
  List<ByteBuffer> frames(Shape shape, int perPartition) {
    List<ByteBuffer> frames = new ArrayList<>();
    for (int i = 0; i < perPartition; i++) {
      for (int p = 0; p < partitions; p++) {
        frames.add(Batches.frame(name, p, Batches.batch(shape, i * 1000L + p)));
      }
    }
    return frames;
  }

  @Override
  public void close() throws IOException {
    if (broker.kind() == Kind.FLOOR || !broker.isAlive()) {
      return;
    }
    try (Client client = new Client(broker.address())) {
      client.deleteTopic(name);
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (hasFiles() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
    }
  }

  private boolean hasFiles() throws IOException {
    try (Stream<Path> entries = Files.list(broker.data())) {
      return entries.anyMatch(entry -> entry.getFileName().toString().contains(name));
    }
  }
}
