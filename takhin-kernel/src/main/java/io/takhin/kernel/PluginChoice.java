package io.takhin.kernel;

import io.takhin.kernel.config.Problems;
import io.takhin.kernel.lifecycle.ExtensionPoint;
import io.takhin.kernel.lifecycle.Plugin;
import io.takhin.kernel.lifecycle.Plugin.Part;
import java.util.ArrayList;
import java.util.List;

/// Which of the plugins that are there will run: not those that are disabled, and one alone where
/// an extension point has room for one.
///
/// Threads: the main thread.
final class PluginChoice {
  /// A part that runs, with the plugin that it is of.
  record Running(Plugin plugin, Part part) {}

  private final List<Plugin> plugins;
  private final KernelConfig wanted;
  private final Problems problems;

  /// A choice.
  ///
  /// @param problems takes what is wrong with the wishes
  PluginChoice(List<Plugin> plugins, KernelConfig wanted, Problems problems) {
    this.plugins = plugins;
    this.wanted = wanted;
    this.problems = problems;
  }

  /// The parts that will run, in the order of the extension points.
  List<Running> choose() {
    for (String name : wanted.disabled()) {
      if (plugins.stream().noneMatch(plugin -> plugin.name().equals(name))) {
        problems.add("plugins.disabled: no plugin present is named " + name);
      }
    }
    List<Running> chosen = new ArrayList<>();
    for (ExtensionPoint<?> point : ExtensionPoints.ALL) {
      List<Running> candidates = new ArrayList<>();
      for (Plugin plugin : plugins) {
        if (!wanted.disabled().contains(plugin.name())) {
          plugin.parts().stream()
              .filter(part -> part.point() == point)
              .forEach(part -> candidates.add(new Running(plugin, part)));
        }
      }
      chosen.addAll(point.one() ? one(point, candidates) : candidates);
    }
    return chosen;
  }

  private List<Running> one(ExtensionPoint<?> point, List<Running> candidates) {
    List<String> names =
        candidates.stream().map(candidate -> candidate.part().provider().name()).toList();
    String choice = wanted.choice(point.name());
    if (!choice.isEmpty()) {
      List<Running> chosen =
          candidates.stream()
              .filter(candidate -> candidate.part().provider().name().equals(choice))
              .toList();
      if (chosen.isEmpty()) {
        problems.add(
            point.choiceKey() + ": no plugin present provides '" + choice + "'; present: " + names);
      }
      return chosen;
    }
    if (candidates.size() > 1) {
      problems.add(point.choiceKey() + " must choose, because several are present: " + names);
      return List.of();
    }
    return candidates;
  }
}
