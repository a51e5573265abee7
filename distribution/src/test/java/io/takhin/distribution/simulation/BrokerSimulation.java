package io.takhin.distribution.simulation;

import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.partition.Partition;
import io.takhin.distribution.simulation.TransactionalClient.Seat;
import io.takhin.testkit.simulation.SimulatedDisk;
import io.takhin.testkit.simulation.SimulatedProcess;
import io.takhin.testkit.simulation.Simulation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A broker, its clients and its misfortunes, from a seed. [#run] throws what did not hold.
///
/// ```
/// clients  --ask-->  SimulatedBroker (the plugins as they ship)  -->  SimulatedDisk
///    |                          ^                                        ^
///    |        kill, stop, start |          power cut, EIO, ENOSPC, crash point
///    +--> ledgers               +---------------- Nemesis ---------------+
///            ^
///            +---- checked after every event, and in full after every start and at the end
/// ```
final class BrokerSimulation {
  private static final String GROUP = "readers";
  private static final long LATENCY_NANOS = 300_000;
  private static final long CLIENT_TIMEOUT_NANOS = 4_000_000_000L;
  private static final int PROBE_EVERY = 7;

  private final Simulation simulation;
  private final SimulationSettings settings;
  private final SimulatedDisk disk;
  private final SimulatedProcess clients;
  private final List<MetadataRecord> metadata = new ArrayList<>();
  private final Map<String, UUID> topics = new LinkedHashMap<>();
  private final Map<String, PartitionLedger> ledgers = new TreeMap<>();
  private final Map<PartitionLedger, PartitionPlace> places = new LinkedHashMap<>();
  private final List<PartitionLedger> byTurn = new ArrayList<>();
  private final GroupLedger groupLedger = new GroupLedger();
  private final TransactionLedger transactions = new TransactionLedger();
  private final List<String> transactionalIds = new ArrayList<>();
  private final Map<String, Long> arrivals = new TreeMap<>();
  private final Nemesis nemesis;
  private @Nullable SimulatedBroker broker;
  private long producerIds = 1_000_000; // far from those that the cluster gives
  private long losses;
  private long events;
  private boolean over;
  private boolean finished;

  /// Where a ledger's partition is.
  record PartitionPlace(UUID topic, int index) {}

  BrokerSimulation(long seed) {
    simulation = new Simulation(seed);
    settings = SimulationSettings.draw(simulation.random());
    disk = new SimulatedDisk(simulation);
    clients = simulation.process("clients");
    nemesis = new Nemesis(this, simulation, disk, metadata, settings);
  }

  Simulation simulation() {
    return simulation;
  }

  /// Runs to the end.
  void run() {
    simulation.note("settings " + settings);
    simulation.start(clients, "director", this::direct);
    simulation.run(() -> finished, this::check);
  }

  /// Starts everything, lets it run for the events of the settings, then looks at it all.
  private void direct() {
    nemesis.startBroker();
    createTopic(SimulationSettings.DURABLE, 2, Map.of("flush.messages", "1"));
    createTopic(SimulationSettings.CACHED, 2, Map.of());
    createTopic(SimulationSettings.FADING, 2, settings.retention());
    topics.forEach(
        (topic, id) -> {
          for (int i = 0; i < 2; i++) {
            String partition = topic + "-" + i;
            PartitionLedger ledger =
                new PartitionLedger(
                    simulation,
                    transactions,
                    partition,
                    settings.durable(topic),
                    settings.retentionMs(topic),
                    settings.retentionBytes());
            ledgers.put(partition, ledger);
            places.put(ledger, new PartitionPlace(id, i));
            byTurn.add(ledger);
            String name = "p" + ledgers.size();
            ProducerClient producer = new ProducerClient(this, name, id, i, ledger);
            simulation.start(clients, name, producer::run);
          }
        });
    for (int i = 0; i < settings.consumers(); i++) {
      ConsumerClient consumer =
          new ConsumerClient(this, "c" + i, GROUP, groupLedger, settings.staticMember(i));
      simulation.start(clients, "c" + i, consumer::run);
    }
    for (int i = 0; i < settings.transactionalIds(); i++) {
      Seat seat = new Seat("t" + i);
      transactionalIds.add(seat.id);
      start(seat.id, new TransactionalClient(this, seat, settings.secondGeneration(i))::run);
    }
    start("committed", new CommittedReader(this)::run);
    start("admin", new AdminClient(this)::run);
    while (simulation.trace().events() < settings.steps()) {
      nemesis.strike();
    }
    over = true;
    nemesis.end();
    finished = true;
  }

  private void createTopic(String name, int partitions, Map<String, @Nullable String> configs) {
    TopicResult made = null;
    while (made == null) {
      made =
          ask(
              "metadata",
              (b, to) ->
                  b.cluster()
                      .createTopics(
                          List.of(new NewTopic(name, partitions, (short) 1, Map.of(), configs)),
                          false)
                      .thenAccept(results -> to.accept(results.getFirst())));
    }
    UUID id = made.id();
    if (id == null) {
      throw new AssertionError("no topic: " + made);
    }
    topics.put(name, id);
  }

  // Invariants.

  private void check() {
    SimulatedBroker now = broker;
    if (now == null || !now.ready() || byTurn.isEmpty()) {
      return;
    }
    events++;
    PartitionLedger ledger = byTurn.get((int) (events % byTurn.size()));
    PartitionPlace place = places.get(ledger);
    Partition partition = place == null ? null : now.partition(place.topic, place.index);
    if (partition != null) {
      ledger.watch(partition);
      if (events % PROBE_EVERY == 0) {
        ledger.probe(partition);
      }
    }
  }

  /// Each ledger with its partition.
  void forEachPartition(SimulatedBroker of, BiConsumer<PartitionLedger, Partition> action) {
    places.forEach(
        (ledger, place) -> {
          Partition partition = of.partition(place.topic, place.index);
          if (partition == null) {
            throw new AssertionError(place + " is not there");
          }
          action.accept(ledger, partition);
        });
  }

  GroupLedger groupLedger() {
    return groupLedger;
  }

  String group() {
    return GROUP;
  }

  TransactionLedger transactions() {
    return transactions;
  }

  List<String> transactionalIds() {
    return transactionalIds;
  }

  /// Records were lost that could be lost.
  void lost() {
    losses++;
    if (!settings.durable("__consumer_offsets")) {
      groupLedger.forget();
      transactions.suspend();
    }
  }

  // For the clients.

  void broker(SimulatedBroker next) {
    broker = next;
  }

  @Nullable SimulatedBroker broker() {
    return broker;
  }

  boolean over() {
    return over;
  }

  boolean chance(double probability) {
    return simulation.chance(probability);
  }

  Random random() {
    return simulation.random();
  }

  void note(String event) {
    simulation.note(event);
  }

  void sleepMs(long ms) {
    simulation.pause(ms * 1_000_000);
  }

  /// Starts a client.
  void start(String name, Runnable client) {
    simulation.start(clients, name, client);
  }

  /// Has something done later that does not wait.
  void after(int ms, Runnable action) {
    simulation.after(clients, ms * 1_000_000L, action);
  }

  long wallMs() {
    return simulation.wallMs();
  }

  long nanoTime() {
    return simulation.nanoTime();
  }

  long newProducerId() {
    return producerIds++;
  }

  long lossCount() {
    return losses;
  }

  boolean topicExists(UUID id) {
    return topics.containsValue(id);
  }

  PartitionLedger ledger(String partition) {
    PartitionLedger ledger = ledgers.get(partition);
    if (ledger == null) {
      throw new AssertionError("nobody knows " + partition);
    }
    return ledger;
  }

  List<String> stablePartitions() {
    return List.copyOf(ledgers.keySet());
  }

  static OffsetKey key(String partition) {
    int dash = partition.lastIndexOf('-');
    return new OffsetKey(
        partition.substring(0, dash), Integer.parseInt(partition.substring(dash + 1)));
  }

  @Nullable Partition partition(SimulatedBroker of, String partition) {
    PartitionPlace place = places.get(ledger(partition));
    return place == null ? null : of.partition(place.topic, place.index);
  }

  /// Asks the broker and waits; null if nothing is known of the outcome.
  <T> @Nullable T ask(String connection, BiConsumer<SimulatedBroker, Consumer<T>> request) {
    CompletableFuture<@Nullable T> answer = new CompletableFuture<>();
    ask(connection, answer, request);
    return answer.join();
  }

  /// Asks the broker; null completes if nothing is known of the outcome.
  <T> void ask(
      String connection,
      CompletableFuture<@Nullable T> answer,
      BiConsumer<SimulatedBroker, Consumer<T>> request) {
    SimulatedBroker to = broker;
    if (to == null || !to.ready()) {
      simulation.after(clients, LATENCY_NANOS * 100, () -> answer.complete(null));
      return;
    }
    to.process().afterDeath(() -> answer.complete(null));
    simulation.after(clients, CLIENT_TIMEOUT_NANOS, () -> answer.complete(null));
    // A connection keeps the order of its requests.
    long arrival =
        Math.max(
            simulation.nanoTime() + random().nextInt((int) LATENCY_NANOS),
            arrivals.getOrDefault(connection, 0L));
    arrivals.put(connection, arrival);
    simulation.after(
        to.process(),
        arrival - simulation.nanoTime(),
        () ->
            to.serve(
                connection,
                () ->
                    request.accept(
                        to,
                        value ->
                            simulation.after(
                                clients,
                                random().nextInt((int) LATENCY_NANOS),
                                () -> answer.complete(value)))));
  }
}
