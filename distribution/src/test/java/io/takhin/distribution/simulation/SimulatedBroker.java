package io.takhin.distribution.simulation;

import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.ClusterCreated;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.codec.Codecs;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.broker.partition.PartitionConfig;
import io.takhin.broker.partition.PartitionProvider;
import io.takhin.coordinator.group.ClassicGroupProvider;
import io.takhin.coordinator.group.GroupConfig;
import io.takhin.coordinator.transaction.TransactionConfig;
import io.takhin.coordinator.transaction.TransactionProvider;
import io.takhin.storage.local.LocalStorageConfig;
import io.takhin.storage.local.StorageOnSimulatedDisk;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.codec.GzipOnlyCodecs;
import io.takhin.testkit.simulation.SimulatedContext;
import io.takhin.testkit.simulation.SimulatedDisk;
import io.takhin.testkit.simulation.SimulatedProcess;
import io.takhin.testkit.simulation.Simulation;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One life of a broker: the plugins as they ship, from start to death. What outlives it is the
/// disk and the records of the metadata.
final class SimulatedBroker {
  private static final int NODE = 1;

  private final Simulation simulation;
  private final SimulatedProcess process;
  private final SimulatedContext context;
  private final InMemoryCluster cluster;
  private final LogStorage storage;
  private final PartitionService partitions;
  private final GroupCoordinator groups;
  private final TransactionCoordinator transactions;
  private final Map<String, Connection> connections = new LinkedHashMap<>();
  private boolean ready;
  private @Nullable TakhinException refusal;

  SimulatedBroker(
      Simulation simulation,
      SimulatedDisk disk,
      List<MetadataRecord> metadata,
      SimulationSettings settings,
      int life) {
    this.simulation = simulation;
    process = simulation.process("broker-" + life);
    disk.mount(process);
    context = new SimulatedContext(simulation, process);
    cluster =
        new InMemoryCluster(
            NODE,
            List.of(new Endpoint("PLAINTEXT", "localhost", 9092)),
            () -> new UUID(context.random().nextLong(), context.random().nextLong()));
    settings.topicDefaults().forEach(cluster::topicDefault);
    cluster.append(metadata.toArray(MetadataRecord[]::new));
    cluster.subscribe(
        (image, before, records) -> {
          if (process.alive()) {
            records.stream()
                .filter(r -> !(r instanceof ClusterCreated) && !(r instanceof BrokerRegistered))
                .forEach(metadata::add);
          }
        });
    context.provide(Codecs.class, new GzipOnlyCodecs());
    context.provide(Cluster.class, cluster);
    storage =
        StorageOnSimulatedDisk.create(
            new LocalStorageConfig(
                Path.of("/data"),
                settings.segmentBytes(),
                168,
                0,
                2_000,
                settings.flushMs(),
                settings.flushMessages(),
                true,
                settings.maxMessageBytes(),
                "relaxed",
                16,
                86_400_000),
            context,
            disk);
    context.provide(LogStorage.class, storage);
    partitions = new PartitionProvider().create(new PartitionConfig(), context);
    context.provide(PartitionService.class, partitions);
    groups =
        new ClassicGroupProvider()
            .create(
                new GroupConfig(2, 1, 10_080, 60_000, 4096, 100, 60_000, 200, 100, 1000), context);
    context.provide(GroupCoordinator.class, groups);
    transactions =
        new TransactionProvider()
            .create(
                new TransactionConfig(
                    900_000, 604_800_000, 3_600_000, 2, 1, 1, settings.segmentBytes()),
                context);
    context.provide(TransactionCoordinator.class, transactions);
  }

  /// Starts the plugins in the order of the kernel, on a thread of the process.
  ///
  /// @param recovered is told when the partitions are there, and no coordinator writes yet
  void start(Consumer<SimulatedBroker> recovered) {
    simulation.start(
        process,
        process.name() + " main",
        () -> {
          try {
            storage.start();
            partitions.start();
            recovered.accept(this);
            groups.start();
            transactions.start();
            ready = true;
            simulation.note(process.name() + " is ready");
          } catch (TakhinException e) {
            simulation.note(process.name() + " refuses to start: " + e.getMessage());
            refusal = e;
          }
        });
  }

  /// Stops the plugins as the kernel does, then ends the process.
  ///
  /// @return the thread that does so
  Thread stop() {
    Thread stopping =
        simulation.thread(
            process,
            process.name() + " main",
            () -> {
              ready = false;
              transactions.drain();
              groups.drain();
              partitions.drain();
              storage.drain();
              transactions.close();
              groups.close();
              partitions.close();
              storage.close();
              simulation.note(process.name() + " has stopped");
              process.kill();
            });
    stopping.start();
    return stopping;
  }

  boolean ready() {
    return ready && process.alive();
  }

  /// Why it did not start; null while that is not known.
  @Nullable TakhinException refusal() {
    return refusal;
  }

  SimulatedProcess process() {
    return process;
  }

  SimulatedContext context() {
    return context;
  }

  Cluster cluster() {
    return cluster;
  }

  LogStorage storage() {
    return storage;
  }

  PartitionService partitions() {
    return partitions;
  }

  GroupCoordinator groups() {
    return groups;
  }

  TransactionCoordinator transactions() {
    return transactions;
  }

  /// A partition, or null if it is not there.
  @Nullable Partition partition(UUID topic, int index) {
    PartitionService.Topic found = partitions.topic(topic);
    return found == null ? null : found.partition(index);
  }

  /// Has a request served by the connection's thread, after those that came before on it.
  void serve(String connection, Runnable request) {
    if (process.alive()) {
      connections.computeIfAbsent(connection, Connection::new).add(request);
    }
  }

  private final class Connection {
    private final String name;
    private final ArrayDeque<Runnable> requests = new ArrayDeque<>();
    private boolean running;

    Connection(String name) {
      this.name = name;
    }

    void add(Runnable request) {
      requests.add(request);
      if (!running) {
        running = true;
        simulation.start(process, name, this::work);
      }
    }

    private void work() {
      for (Runnable request = requests.poll(); request != null; request = requests.poll()) {
        request.run();
      }
      running = false;
    }
  }
}
