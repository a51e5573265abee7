package io.takhin.kernel.metrics;

import io.takhin.api.metrics.MetricVisitor;
import io.takhin.api.metrics.MetricVisitor.Kind;
import io.takhin.api.metrics.MetricVisitor.Labels;
import io.takhin.api.metrics.Metrics;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All metrics, and who registered them. [#of] gives each owner its view; [#drop] removes what an
/// owner had, unless another owner has it too.
public final class MetricRegistry {
  private static final Logger log = LoggerFactory.getLogger(MetricRegistry.class);
  private static final Pattern NAME = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");
  private static final Comparator<Map.Entry<Labels, Entry>> BY_LABELS =
      Comparator.comparing(entry -> String.join("\0", entry.getKey().namesAndValues()));

  private final Map<String, Family> families = new ConcurrentSkipListMap<>();
  private final Set<String> failedSources = ConcurrentHashMap.newKeySet();

  /// No metrics yet.
  public MetricRegistry() {}

  private static final class Family {
    private final String help;
    private final Kind kind;
    private final Map<Labels, Entry> entries = new ConcurrentHashMap<>();
    private final List<Source> sources = new CopyOnWriteArrayList<>();

    Family(String help, Kind kind) {
      this.help = help;
      this.kind = kind;
    }
  }

  private record Entry(Object metric, Set<String> owners) {}

  private record Source(String owner, Consumer<Metrics.GaugeSink> values) {}

  /// The registry as one owner sees it.
  public Metrics of(String owner) {
    return new Owned(owner);
  }

  /// Removes what an owner registered.
  public synchronized void drop(String owner) {
    families
        .values()
        .removeIf(
            family -> {
              family.sources.removeIf(source -> source.owner().equals(owner));
              family
                  .entries
                  .values()
                  .removeIf(entry -> entry.owners().remove(owner) && entry.owners().isEmpty());
              return family.sources.isEmpty() && family.entries.isEmpty();
            });
    failedSources.removeIf(source -> source.startsWith(owner + " "));
  }

  /// Walks all metrics in the order of their names.
  public void visit(MetricVisitor visitor) {
    families.forEach(
        (name, family) -> {
          visitor.family(name, family.help, family.kind);
          family.entries.entrySet().stream()
              .sorted(BY_LABELS)
              .forEach(
                  entry -> {
                    switch (entry.getValue().metric()) {
                      case Counter counter -> visitor.value(entry.getKey(), counter.value());
                      case StripedHistogram histogram ->
                          visitor.histogram(entry.getKey(), histogram);
                      default -> throw new IllegalStateException(name);
                    }
                  });
          family.sources.forEach(source -> visit(name, source, visitor));
        });
  }

  private void visit(String name, Source source, MetricVisitor visitor) {
    try {
      source.values().accept((value, labels) -> visitor.value(checked(labels), value));
    } catch (RuntimeException | LinkageError e) {
      if (failedSources.add(source.owner() + " " + name)) {
        log.error(
            "plugin {} cannot tell the values of {}; they are missing from metrics, and this is"
                + " logged once",
            source.owner(),
            name,
            e);
      }
    }
  }

  // Registration and removal exclude each other, so that a family cannot vanish between being found
  // and getting its first entry. Counting takes no lock.
  private synchronized <M> M register(
      String owner, String name, String help, Kind kind, String[] labels, M fresh, Class<M> type) {
    Labels key = checked(labels); // first, so that a bad label leaves no empty family behind
    Entry entry =
        family(name, help, kind)
            .entries
            .computeIfAbsent(key, absent -> new Entry(fresh, ConcurrentHashMap.newKeySet()));
    entry.owners().add(owner);
    return type.cast(entry.metric());
  }

  private synchronized void addSource(
      String owner, String name, String help, Kind kind, Consumer<Metrics.GaugeSink> source) {
    family(name, help, kind).sources.add(new Source(owner, source));
  }

  private Family family(String name, String help, Kind kind) {
    checkName(name);
    Family family = families.computeIfAbsent(name, key -> new Family(help, kind));
    if (family.kind != kind) {
      throw new IllegalArgumentException(
          "metric " + name + " is registered as " + family.kind + ", not as " + kind);
    }
    return family;
  }

  private static Labels checked(String[] labels) {
    for (int i = 0; i < labels.length; i += 2) {
      checkName(labels[i]);
    }
    return new Labels(Arrays.asList(labels));
  }

  private static void checkName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("'" + name + "' is not a metric or label name");
    }
  }

  private static final class Counter implements Metrics.Counter {
    private final LongAdder sum = new LongAdder();

    @Override
    public void add(long n) {
      sum.add(n);
    }

    @Override
    public long value() {
      return sum.sum();
    }
  }

  private final class Owned implements Metrics {
    private final String owner;

    Owned(String owner) {
      this.owner = owner;
    }

    @Override
    public Metrics.Counter counter(String name, String help, String... labels) {
      return register(
          owner,
          name,
          help,
          Kind.COUNTER,
          labels,
          new MetricRegistry.Counter(),
          MetricRegistry.Counter.class);
    }

    @Override
    public Metrics.Histogram histogram(String name, String help, String... labels) {
      return register(
          owner,
          name,
          help,
          Kind.HISTOGRAM,
          labels,
          new StripedHistogram(),
          StripedHistogram.class);
    }

    @Override
    public void gauges(String name, String help, Consumer<GaugeSink> source) {
      addSource(owner, name, help, Kind.GAUGE, source);
    }

    @Override
    public void counters(String name, String help, Consumer<GaugeSink> source) {
      addSource(owner, name, help, Kind.COUNTER, source);
    }

    @Override
    public void visit(MetricVisitor visitor) {
      MetricRegistry.this.visit(visitor);
    }
  }
}
