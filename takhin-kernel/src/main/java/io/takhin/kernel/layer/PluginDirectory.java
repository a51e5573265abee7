package io.takhin.kernel.layer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The directory `plugins/`: a sub-directory of jars for each plugin, or a single jar.
public final class PluginDirectory {
  private PluginDirectory() {}

  /// What was found.
  ///
  /// @param plugins in the order of their names
  /// @param refusals of those that cannot be loaded
  public record Found(List<Loaded> plugins, List<Refusal> refusals) {}

  /// A plugin whose layer stands; none of its code has run.
  public record Loaded(PluginDescriptor descriptor, Path location, PluginLayer layer) {}

  private record Candidate(PluginDescriptor descriptor, Path location, List<Path> jars) {}

  /// Reads the directory and builds the layers. A directory that is not there has no plugins.
  ///
  /// @param open takes the jars that were opened
  public static Found load(Path directory, OpenJars open) throws IOException {
    List<Refusal> refusals = new ArrayList<>();
    Map<String, List<Candidate>> byName = new TreeMap<>();
    for (Path location : locations(directory)) {
      String fallbackName = location.getFileName().toString();
      try {
        List<Path> jars = PluginLayer.jars(location);
        PluginDescriptor descriptor = PluginLayer.descriptor(jars, open);
        byName
            .computeIfAbsent(descriptor.name(), name -> new ArrayList<>())
            .add(new Candidate(descriptor, location, jars));
      } catch (RefusedException e) {
        refusals.add(new Refusal(fallbackName, location, e.reason(), e.remedy()));
      }
    }
    List<Outcome> outcomes = inTwoThreads(List.copyOf(byName.entrySet()));
    List<Loaded> plugins = new ArrayList<>();
    for (Outcome outcome : outcomes) {
      plugins.addAll(outcome.plugins());
      refusals.addAll(outcome.refusals());
    }
    return new Found(List.copyOf(plugins), List.copyOf(refusals));
  }

  /// Of the plugins of one name.
  private record Outcome(List<Loaded> plugins, List<Refusal> refusals) {
    Outcome() {
      this(new ArrayList<>(), new ArrayList<>());
    }
  }

  /// Builds the layers on this thread and a second one: reading and resolving the jars of all
  /// plugins is an eighth of a start. Those with the most jars come first, so that neither thread
  /// begins a long one when the other has ended.
  private static List<Outcome> inTwoThreads(List<Map.Entry<String, List<Candidate>>> all) {
    List<Outcome> outcomes = all.stream().map(_ -> new Outcome()).toList();
    Queue<Integer> left =
        IntStream.range(0, all.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> -all.get(i).getValue().getFirst().jars().size()))
            .collect(Collectors.toCollection(ConcurrentLinkedQueue::new));
    AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();
    Thread second =
        Thread.ofPlatform()
            .name("takhin-layers")
            .uncaughtExceptionHandler((_, thrown) -> failed.set(thrown))
            .start(() -> build(left, all, outcomes));
    build(left, all, outcomes);
    boolean interrupted = false;
    while (second.isAlive()) {
      try {
        second.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Throwable thrown = failed.get();
    if (thrown != null) {
      throw new IllegalStateException("the plugins could not be read", thrown);
    }
    return outcomes;
  }

  private static void build(
      Queue<Integer> left, List<Map.Entry<String, List<Candidate>>> all, List<Outcome> outcomes) {
    for (Integer i = left.poll(); i != null; i = left.poll()) {
      Outcome outcome = outcomes.get(i);
      loadOne(all.get(i).getKey(), all.get(i).getValue(), outcome.plugins(), outcome.refusals());
    }
  }

  private static void loadOne(
      String name, List<Candidate> candidates, List<Loaded> plugins, List<Refusal> refusals) {
    if (candidates.size() > 1) {
      // Neither is chosen: whichever it were, half of the people would have meant the other.
      for (Candidate candidate : candidates) {
        List<Path> others =
            candidates.stream()
                .filter(other -> other != candidate)
                .map(Candidate::location)
                .toList();
        refusals.add(
            new Refusal(
                name,
                candidate.location(),
                "another plugin has the same name: " + others.getFirst(),
                "Remove the one that you do not want"));
      }
      return;
    }
    Candidate candidate = candidates.getFirst();
    try {
      candidate.descriptor().checkApi();
      PluginLayer layer = PluginLayer.build(candidate.descriptor(), candidate.jars());
      plugins.add(new Loaded(candidate.descriptor(), candidate.location(), layer));
    } catch (RefusedException e) {
      refusals.add(new Refusal(name, candidate.location(), e.reason(), e.remedy()));
    }
  }

  private static List<Path> locations(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> !entry.getFileName().toString().startsWith("."))
          .filter(
              entry -> Files.isDirectory(entry) || entry.getFileName().toString().endsWith(".jar"))
          .sorted()
          .toList();
    }
  }
}
