package io.takhin.distribution.simulation;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/// What the world has been told about a group, and whether its coordinator stands by it.
final class GroupLedger {
  private final Map<Integer, Map<String, String>> ownersByGeneration = new HashMap<>();
  private final Map<String, Long> committed = new HashMap<>();
  private int generation;

  /// A member was told what it owns.
  void owns(int of, String member, Set<String> partitions) {
    generation = Math.max(generation, of);
    Map<String, String> owners = ownersByGeneration.computeIfAbsent(of, g -> new HashMap<>());
    for (String partition : partitions) {
      String other = owners.putIfAbsent(partition, member);
      if (other != null && !other.equals(member)) {
        throw new AssertionError(
            partition + " belongs to " + other + " and " + member + " in generation " + of);
      }
    }
  }

  /// The generation that members are known to be in.
  int generation() {
    return generation;
  }

  /// A commit was acknowledged that was sent when `known` was the generation.
  void committed(int of, int known, String partition, long offset) {
    if (of < known) {
      throw new AssertionError(
          "a commit of generation " + of + " counts in generation " + known + ": " + partition);
    }
    committed.merge(partition, offset, Math::max);
  }

  /// A committed offset was shown.
  void fetched(String partition, long offset) {
    long before = committed.getOrDefault(partition, -1L);
    if (offset < before) {
      throw new AssertionError(
          partition + ": the committed offset went back from " + before + " to " + offset);
    }
    committed.put(partition, offset);
  }

  /// What was acknowledged, for an audit.
  Map<String, Long> committed() {
    return Map.copyOf(committed);
  }

  /// Records were lost that could be lost.
  void forget() {
    ownersByGeneration.clear();
    committed.clear();
    generation = 0;
  }
}
