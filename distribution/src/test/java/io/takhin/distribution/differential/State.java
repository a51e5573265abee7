package io.takhin.distribution.differential;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;

/// What one run of a script has learnt from the answers so far, and the names it uses on this
/// broker. Scripts say `topic("a")` and get a name that no other run has.
///
/// Threading: one thread.
public final class State {
  /// A producer as the broker last told of it.
  public record Producer(long id, short epoch) {}

  /// The generation of a group that no answer told of yet.
  public static final int NO_GENERATION = -1;

  private final String prefix;
  private final List<String> topics = new ArrayList<>();
  private final Map<String, Uuid> topicIds = new HashMap<>();
  private final Map<Uuid, String> topicsOfIds = new HashMap<>();
  private final Map<String, Producer> producers = new HashMap<>();
  private final Map<Long, String> producersOfIds = new HashMap<>();
  private final Map<String, String> members = new HashMap<>();
  private final Map<String, String> membersOfIds = new HashMap<>();
  private final Map<String, Integer> generations = new HashMap<>();
  private final Map<Integer, Integer> sessions = new HashMap<>();

  State(String prefix) {
    this.prefix = prefix;
  }

  /// What all names of this run begin with.
  String prefix() {
    return prefix;
  }

  /// The name of a topic, group or transactional id of this run. What begins with `!` is taken as
  /// it is: names that all runs share, or that no broker takes.
  public String name(String shorthand) {
    return shorthand.startsWith("!") ? shorthand.substring(1) : prefix + shorthand;
  }

  /// The id of a topic, or one that no topic has.
  public Uuid topicId(String shorthand) {
    return topicIds.getOrDefault(name(shorthand), new Uuid(0x5555_5555L, 77));
  }

  /// The producer that an answer gave to a slot of the script, or one that nobody got.
  public Producer producer(String slot) {
    return producers.getOrDefault(slot, new Producer(987_654_321L, (short) 0));
  }

  /// The member id that an answer gave to a slot, or none.
  public String member(String slot) {
    return members.getOrDefault(slot, "");
  }

  /// The generation of a group in the last answer that had one.
  public int generation(String group) {
    return generations.getOrDefault(name(group), NO_GENERATION);
  }

  /// The fetch session of a connection, or none.
  public int session(int connection) {
    return sessions.getOrDefault(connection, 0);
  }

  // ---- for the runner

  List<String> topics() {
    return topics;
  }

  void topicMade(String name) {
    if (!topics.contains(name)) {
      topics.add(name);
    }
  }

  void topicId(String name, Uuid id) {
    if (id.equals(Uuid.ZERO_UUID) || id.equals(topicIds.put(name, id))) {
      return;
    }
    long earlier = topicsOfIds.values().stream().filter(of -> of.startsWith(name + "#")).count();
    topicsOfIds.put(id, name + "#" + earlier);
  }

  void producer(String slot, long id, short epoch) {
    producers.put(slot, new Producer(id, epoch));
    producersOfIds.putIfAbsent(id, slot);
  }

  void member(String slot, String id) {
    members.put(slot, id);
    membersOfIds.putIfAbsent(id, slot);
  }

  void generation(String group, int generation) {
    generations.put(group, generation);
  }

  void session(int connection, int id) {
    sessions.put(connection, id);
  }

  // ---- for the normaliser: what an id stands for

  String topicOf(Uuid id) {
    return "<id of " + topicsOfIds.getOrDefault(id, "some topic") + ">";
  }

  String producerOf(long id) {
    return "<producer " + producersOfIds.getOrDefault(id, "of some id") + ">";
  }

  boolean knowsProducer(long id) {
    return producersOfIds.containsKey(id);
  }

  Map<String, String> membersOfIds() {
    return membersOfIds;
  }
}
