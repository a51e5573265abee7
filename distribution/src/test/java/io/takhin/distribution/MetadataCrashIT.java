package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// R10 of the metadata: a life that makes a cluster, creates, configures and deletes topics and
/// takes snapshots is ended at its changes to the disk, one after the other, by the end of the
/// process or of the power. Afterwards what was acknowledged is there, and the rest whole or not.
///
/// The log of the metadata and its snapshots are Ratis' to write: the changes are met below the
/// JVM, at the calls to the system.
class MetadataCrashIT {
  /// How many of the points are taken; all of them with 0.
  private static final int POINTS = Integer.getInteger("takhin.faults.points", 2);

  private static final long SEED = Long.getLong("takhin.faults.seed", 1L);

  private static final Set<String> COMMON_POINTS =
      Set.of(
          "create log_inprogress_N",
          "write log_inprogress_N",
          "sync log_inprogress_N",
          "create snapshot.N_N.tmp",
          "write snapshot.N_N.tmp",
          "sync snapshot.N_N.tmp",
          "rename snapshot.N_N",
          "rename snapshot.N_N.mdN");

  private static final Set<String> FIRST_POINTS =
      Set.of("mkdir current", "rename raft-meta", "rename node.properties");

  private static final Set<String> LATER_POINTS =
      Set.of("rename log_N-N", "delete log_N-N", "delete snapshot.N_N");

  /// A data directory with a cluster in it, whose broker was killed, and what it was told.
  private static Path prepared;

  private static final Life FIRST = new Life("first");

  private static Broker broker() {
    return new Broker().with("TAKHIN_RAFT_SNAPSHOT_THRESHOLD", "3");
  }

  @BeforeAll
  static void prepare() {
    try (Broker broker = broker()) {
      assertTrue(FIRST.live(broker));
      broker.kill();
      prepared = broker.dataDirectory();
    }
  }

  /// What one life was told.
  private static final class Life {
    final Set<String> created = new TreeSet<>();
    final Set<String> deleted = new TreeSet<>();
    final Set<String> configured = new TreeSet<>();
    String trying = "";
    private final String prefix;

    Life(String prefix) {
      this.prefix = prefix;
    }

    /// Whether it came to its end.
    boolean live(Broker broker) {
      try {
        broker.start();
      } catch (AssertionError died) {
        assertTrue(!broker.isAlive(), died::toString);
        return false;
      }
      try (Admin admin = admin(broker)) {
        for (int i = 0; i < 4; i++) {
          trying = prefix + "-" + i;
          await(admin.createTopics(List.of(new NewTopic(trying, 2, (short) 1))).all());
          created.add(trying);
          ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, trying);
          AlterConfigOp set =
              new AlterConfigOp(
                  new ConfigEntry("retention.ms", "77777777"), AlterConfigOp.OpType.SET);
          await(admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all());
          configured.add(trying);
          if (i % 2 == 1) {
            await(admin.deleteTopics(List.of(trying)).all());
            deleted.add(trying);
          }
        }
      } catch (ExecutionException | java.util.concurrent.TimeoutException died) {
        Await.until(
            java.time.Duration.ofSeconds(20),
            () -> died + ", of " + died.getCause() + "\n" + broker.output(),
            () -> !broker.isAlive());
        return false;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
      return true;
    }

    private static Admin admin(Broker broker) {
      return Admin.create(
          broker.client(
              Map.of(
                  AdminClientConfig.RETRIES_CONFIG, "0",
                  AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000",
                  AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "5000")));
    }

    private static void await(org.apache.kafka.common.KafkaFuture<Void> done)
        throws ExecutionException, InterruptedException, java.util.concurrent.TimeoutException {
      done.get(30, TimeUnit.SECONDS);
    }

    void verify(Broker broker, String where) throws Exception {
      try (Admin admin = broker.admin()) {
        Set<String> found = new TreeSet<>(admin.listTopics().names().get(30, TimeUnit.SECONDS));
        for (String topic : created) {
          boolean gone = deleted.contains(topic);
          if (!topic.equals(trying) || gone) {
            assertEquals(!gone, found.contains(topic), where + ": " + topic + " in " + found);
          } else if (!found.contains(topic)) { // it was being deleted
            assertTrue(configured.contains(topic), where + ": " + topic + " is lost");
          }
        }
        found.removeIf(topic -> !topic.startsWith(prefix));
        found.removeAll(created);
        found.remove(trying);
        assertEquals(Set.of(), found, where + ": topics that nobody asked for");
        for (String topic : configured) {
          if (!topic.equals(trying) && !deleted.contains(topic)) {
            assertEquals("77777777", retention(admin, topic), where + ": " + topic);
          }
        }
      }
    }

    private static String retention(Admin admin, String topic) throws Exception {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      return admin
          .describeConfigs(List.of(resource))
          .all()
          .get(30, TimeUnit.SECONDS)
          .get(resource)
          .get("retention.ms")
          .value();
    }
  }

  /// The name of a crash point: the operation and the kind of file.
  private static String name(String change) {
    int space = change.indexOf(' ');
    String file = Path.of(change.substring(space + 1)).getFileName().toString();
    return change.substring(0, space + 1) + file.replaceAll("[0-9a-f]{8}-[-0-9a-f]*|[0-9]+", "N");
  }

  /// In an empty directory, and in one with a cluster and its log.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eachChangeOfTheMetadataMayBeTheLast(boolean second) throws Exception {
    List<String> changes;
    try (Broker broker = broker()) {
      Faults faults = new Faults(broker, false);
      faults.traced(broker);
      fill(broker, second);
      assertTrue(new Life("this").live(broker));
      changes =
          faults.changes().stream().filter(change -> change.contains("/__metadata/")).toList();
    }
    Set<String> names = new TreeSet<>();
    changes.forEach(change -> names.add(name(change)));
    Set<String> needed = new TreeSet<>(COMMON_POINTS);
    needed.addAll(second ? LATER_POINTS : FIRST_POINTS);
    needed.removeAll(names);
    assertEquals(Set.of(), needed, () -> "are not among " + names);
    int step = POINTS == 0 ? 1 : Math.max(1, changes.size() / POINTS);
    int taken = 0;
    for (int at = (int) (SEED % step); at < changes.size(); at += step) {
      crash(at, changes.get(at), taken++ % 3, second);
    }
    System.out.println(taken + " of " + changes.size() + " crash points, of the kinds " + names);
  }

  private static void fill(Broker broker, boolean second) {
    if (second) {
      Command.run("cp", "-a", prepared + "/.", broker.dataDirectory().toString()).succeeded();
    }
  }

  /// @param end 0: the process ends before the change; 1: halfway through it; 2: the power too
  private static void crash(int at, String change, int end, boolean second) throws Exception {
    String where = "crash " + end + " at change " + at + ", like " + name(change);
    try (Broker broker = broker()) {
      Faults faults = new Faults(broker, end == 2);
      fill(broker, second);
      int how = end == 1 ? Faults.KILLED_HALFWAY : Faults.KILLED;
      faults.set(Faults.rule("any", how, 0, at, 1, "/__metadata/"));
      Life life = new Life("this");
      if (life.live(broker)) {
        broker.kill(); // snapshots are taken beside: not every life has all of the changes
      }
      if (end == 2) {
        faults.cutPower(new Random(at), 0);
      }
      faults.heal();
      try {
        broker.start();
        life.verify(broker, where);
        if (second) {
          FIRST.verify(broker, where);
        }
        broker.createTopic("afterwards", 2, Map.of());
      } catch (AssertionError e) {
        throw new AssertionError(where + "\n" + broker.output(), e);
      }
    }
  }
}
