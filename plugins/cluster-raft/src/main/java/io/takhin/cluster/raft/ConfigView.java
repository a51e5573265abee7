package io.takhin.cluster.raft;

import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigEntry.Source;
import io.takhin.api.cluster.ConfigEntry.Synonym;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Which value of a config is in force, and where it comes from (T17, T70).
///
/// ```
/// of a topic:  the topic's own > this broker's > all brokers' > the configuration's > the default
/// of a broker:                   this broker's > all brokers' > the configuration's > the default
/// of a group or subscription:                    its own                            > the default
/// ```
record ConfigView(int nodeId, StaticConfigs statics) {
  private static final ConfigResource ALL_BROKERS =
      new ConfigResource(ConfigResource.Type.BROKER, "");

  /// All topic keys with the values in force.
  Map<String, String> topicConfig(MetadataImage image, String topic) {
    Map<String, String> values = new TreeMap<>(statics.topics());
    overlay(values, image.config(ALL_BROKERS));
    overlay(values, image.config(broker(nodeId)));
    values.putAll(image.config(new ConfigResource(ConfigResource.Type.TOPIC, topic)));
    return values;
  }

  private static void overlay(Map<String, String> values, Map<String, String> brokerConfigs) {
    brokerConfigs.forEach(
        (brokerKey, value) -> {
          ConfigKey key = ConfigTables.TOPIC_BY_BROKER_KEY.get(brokerKey);
          if (key != null) {
            values.put(key.name(), value);
          }
        });
  }

  private static ConfigResource broker(int id) {
    return new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(id));
  }

  /// Null if there is no such resource.
  @Nullable List<ConfigEntry> describe(
      MetadataImage image, ConfigResource resource, @Nullable List<String> keys) {
    return switch (resource.type()) {
      case TOPIC ->
          image.topic(resource.name()) == null ? null : topic(image, image.config(resource), keys);
      case BROKER -> brokers(image, resource, keys);
      case GROUP ->
          resource.name().isEmpty()
              ? null
              : own(ConfigTables.GROUP, image.config(resource), Source.GROUP_CONFIG, keys);
      case CLIENT_METRICS -> {
        Map<String, String> set = image.config(resource);
        yield set.isEmpty()
            ? List.of()
            : own(ConfigTables.CLIENT_METRICS, set, Source.CLIENT_METRICS_CONFIG, keys);
      }
      case BROKER_LOGGER -> null;
    };
  }

  /// The configs of a topic that has these of its own.
  List<ConfigEntry> topic(
      MetadataImage image, Map<String, String> own, @Nullable List<String> keys) {
    List<ConfigEntry> entries = new ArrayList<>();
    for (ConfigKey key : named(ConfigTables.TOPIC, keys)) {
      List<Synonym> synonyms = new ArrayList<>();
      add(synonyms, key.name(), own.get(key.name()), Source.DYNAMIC_TOPIC_CONFIG);
      String brokerKey = key.related();
      boolean related = !brokerKey.equals("-");
      if (related) {
        dynamic(synonyms, image, brokerKey);
      }
      String name = related ? brokerKey : key.name();
      String configured = statics.topics().get(key.name());
      if (configured != null && !configured.equals(key.defaultValue())) {
        add(synonyms, name, configured, Source.STATIC_BROKER_CONFIG);
      }
      add(synonyms, name, key.defaultValue(), Source.DEFAULT_CONFIG);
      entries.add(entry(key, synonyms, false));
    }
    return entries;
  }

  private void dynamic(List<Synonym> synonyms, MetadataImage image, String brokerKey) {
    add(
        synonyms,
        brokerKey,
        image.config(broker(nodeId)).get(brokerKey),
        Source.DYNAMIC_BROKER_CONFIG);
    add(
        synonyms,
        brokerKey,
        image.config(ALL_BROKERS).get(brokerKey),
        Source.DYNAMIC_DEFAULT_BROKER_CONFIG);
  }

  private @Nullable List<ConfigEntry> brokers(
      MetadataImage image, ConfigResource resource, @Nullable List<String> keys) {
    if (resource.name().isEmpty()) {
      List<ConfigEntry> entries = new ArrayList<>();
      Map<String, String> set = image.config(resource);
      for (ConfigKey key : named(ConfigTables.BROKER, keys)) {
        if (set.containsKey(key.name())) {
          List<Synonym> synonyms = new ArrayList<>();
          add(synonyms, key.name(), set.get(key.name()), Source.DYNAMIC_DEFAULT_BROKER_CONFIG);
          entries.add(entry(key, synonyms, false));
        }
      }
      return entries;
    }
    Integer id = ConfigDecisions.brokerId(resource.name());
    if (id == null || !image.brokers().containsKey(id)) {
      return null;
    }
    List<ConfigEntry> entries = new ArrayList<>();
    for (ConfigKey key : named(ConfigTables.BROKER, keys)) {
      List<Synonym> synonyms = new ArrayList<>();
      add(
          synonyms,
          key.name(),
          image.config(resource).get(key.name()),
          Source.DYNAMIC_BROKER_CONFIG);
      add(
          synonyms,
          key.name(),
          image.config(ALL_BROKERS).get(key.name()),
          Source.DYNAMIC_DEFAULT_BROKER_CONFIG);
      add(synonyms, key.name(), statics.values().get(key.name()), Source.STATIC_BROKER_CONFIG);
      add(synonyms, key.name(), key.defaultValue(), Source.DEFAULT_CONFIG);
      entries.add(entry(key, synonyms, !ConfigDecisions.takesEffect(key.name())));
    }
    return entries;
  }

  private static List<ConfigEntry> own(
      Map<String, ConfigKey> table,
      Map<String, String> set,
      Source source,
      @Nullable List<String> keys) {
    List<ConfigEntry> entries = new ArrayList<>();
    for (ConfigKey key : named(table, keys)) {
      List<Synonym> synonyms = new ArrayList<>();
      add(synonyms, key.name(), set.get(key.name()), source);
      add(synonyms, key.name(), key.defaultValue(), Source.DEFAULT_CONFIG);
      entries.add(entry(key, synonyms, false));
    }
    return entries;
  }

  private static List<ConfigKey> named(Map<String, ConfigKey> table, @Nullable List<String> keys) {
    if (keys == null) {
      return List.copyOf(table.values());
    }
    List<ConfigKey> named = new ArrayList<>();
    for (String name : new TreeSet<>(keys)) {
      ConfigKey key = table.get(name);
      if (key != null) {
        named.add(key);
      }
    }
    return named;
  }

  private static void add(
      List<Synonym> synonyms, String name, @Nullable String value, Source source) {
    if (value != null) {
      synonyms.add(new Synonym(name, value, source));
    }
  }

  private static ConfigEntry entry(ConfigKey key, List<Synonym> synonyms, boolean readOnly) {
    boolean secret = key.type() == ConfigEntry.Type.PASSWORD;
    String value = synonyms.isEmpty() ? null : synonyms.getFirst().value();
    Source source = synonyms.isEmpty() ? Source.DEFAULT_CONFIG : synonyms.getFirst().source();
    List<Synonym> shown =
        secret
            ? synonyms.stream().map(s -> new Synonym(s.name(), null, s.source())).toList()
            : List.copyOf(synonyms);
    return new ConfigEntry(
        key.name(),
        secret ? null : value,
        source,
        secret,
        readOnly,
        key.type(),
        key.documentation(),
        shown);
  }
}
