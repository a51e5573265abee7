package io.takhin.distribution.simulation;

import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.partition.Partition;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Makes and deletes topics under the same few names, writes to them in between, and deletes
/// records of the others.
final class AdminClient {
  private final BrokerSimulation world;

  AdminClient(BrokerSimulation world) {
    this.world = world;
  }

  void run() {
    for (int i = 0; !world.over(); i++) {
      world.sleepMs(world.random().nextInt(1_500));
      if (world.chance(0.3)) {
        deleteRecords();
      } else {
        passingTopic("scratch" + i % 2);
      }
    }
  }

  private void passingTopic(String name) {
    NewTopic topic = new NewTopic(name, 2, (short) 1, Map.of(), Map.of());
    TopicResult made =
        world.ask(
            "metadata",
            (b, to) ->
                b.cluster()
                    .createTopics(List.of(topic), false)
                    .thenAccept(results -> to.accept(results.getFirst())));
    world.note(name + " made: " + (made == null ? null : made.result()));
    world.sleepMs(world.random().nextInt(2_000));
    world.ask(
        "metadata",
        (b, to) -> {
          var image = b.cluster().image().topic(name);
          UUID id = image == null ? new UUID(0, 1) : image.id();
          b.cluster().deleteTopics(List.of(id)).thenAccept(to);
        });
  }

  private void deleteRecords() {
    List<String> all = world.stablePartitions();
    String name = all.get(world.random().nextInt(all.size()));
    world.<Long>ask(
        "admin",
        (b, to) -> {
          Partition partition = world.partition(b, name);
          if (partition != null && partition.highWatermark() > 0) {
            long offset = world.random().nextInt((int) partition.highWatermark()) / 2;
            world.ledger(name).deleting(offset);
            to.accept(partition.deleteRecords(offset).lowWatermark());
          } else {
            to.accept(-1L);
          }
        });
  }
}
