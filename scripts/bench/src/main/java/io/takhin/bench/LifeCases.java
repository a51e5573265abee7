package io.takhin.bench;

import io.takhin.bench.Batches.Payload;
import io.takhin.bench.Batches.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;

/// U1, M1, idle and U2: a broker that starts, rests, has worked, and was killed.
final class LifeCases {
  private static final Shape FIRST = new Shape(1, 100, Compression.NONE, Payload.RANDOM);

  private LifeCases() {}

  static List<Case> all() {
    return List.of(
        Case.of("life", "U1", LifeCases::start).at(Case.Phase.COLD),
        Case.of("life", "M1idle", LifeCases::rest).at(Case.Phase.COLD).inShortForm(),
        Case.of(
                "life",
                "M1",
                broker ->
                    List.of(Figure.cost("M1 memory loaded", "MiB", broker.stats().rssMib(), 0.5)))
            .inShortForm(),
        Case.of("life", "U2", LifeCases::restart).at(Case.Phase.LAST));
  }

  /// Starts on an empty directory; the broker that runs already is stopped for it.
  private static List<Figure> start(Broker broker) throws IOException, InterruptedException {
    broker.stop();
    broker.prepare();
    long start = System.nanoTime();
    broker.launch();
    broker.awaitReady();
    String topic = "first-ack-" + Long.toHexString(System.nanoTime());
    try (Client client = new Client(broker.address())) {
      client.createTopic(topic, 1, Map.of());
      client.produceUntilTaken(Batches.frame(topic, 0, Batches.batch(FIRST, 1)), topic);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return List.of(
        Figure.cost("U1 start to first ack", "s", seconds, 0.3),
        Figure.cost("U1 start to first ack: CPU", "CPU-s", broker.stats().cpuSeconds()));
  }

  private static List<Figure> rest(Broker broker) throws InterruptedException {
    // The start's garbage is collected and its code compiled meanwhile, if the broker wants to.
    Thread.sleep(6_000);
    double cpu = broker.stats().cpuSeconds();
    double seconds = 8;
    Thread.sleep((long) (seconds * 1000));
    cpu = broker.stats().cpuSeconds() - cpu;
    return List.of(
        Figure.cost("M1 memory idle", "MiB", broker.stats().rssMib(), 0.35),
        Figure.cost("Idle CPU", "% of a core", cpu / seconds * 100, 0.1));
  }

  /// Kills a broker under 20 segments that nobody has flushed, and waits until the topic takes the
  /// next record. Whatever was acknowledged must still be there.
  private static List<Figure> restart(Broker broker) throws IOException, InterruptedException {
    Topic topic = Topic.of(broker, 20, Map.of());
    List<ByteBuffer> frames = topic.frames(ProduceCases.KIB, 1);
    long requests = ProduceCases.gib(2.5) / frames.getFirst().remaining() / 20 * 20;
    ProduceLoad.closed(
        broker.address(), 4, ProduceLoad.IN_FLIGHT, frames, topic.errorCodeAt(), requests);
    broker.kill9();
    long start = System.nanoTime();
    broker.launch();
    broker.awaitReady();
    topic.awaitLeaders(0, 1);
    double seconds = (System.nanoTime() - start) / 1e9;
    topic.awaitLeaders(1, 20);
    long expected = requests * ProduceCases.KIB.records() + 2 * 20;
    long found;
    try (Client client = new Client(broker.address())) {
      found = client.endOffsets(topic.name(), 20);
    }
    if (found < expected) {
      throw new IOException("acknowledged records are gone: " + found + " of " + expected);
    }
    topic.close();
    return List.of(
        Figure.cost(
            "U2 kill -9 under 20 segments of 128 MiB, restart to first ack", "s", seconds, 0.2));
  }
}
