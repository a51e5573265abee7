package io.takhin.cluster.raft;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigChanges.Change;
import io.takhin.api.cluster.ConfigChanges.Op;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What changes of configs come to (T18): image and request in, records and results out. All of a
/// resource's changes are good, or none is made.
///
/// @param statics what lists grow from that nobody set yet
record ConfigDecisions(StaticConfigs statics) {

  /// Broker keys that do something when they change: they are what topics get that set nothing.
  static boolean takesEffect(String brokerKey) {
    ConfigKey key = ConfigTables.BROKER.get(brokerKey);
    return key != null
        && !key.related().equals("read-only")
        && ConfigTables.TOPIC_BY_BROKER_KEY.containsKey(brokerKey);
  }

  Decision<List<Result>> alter(
      MetadataImage image, List<ConfigChanges> requests, boolean validateOnly) {
    Map<ConfigResource, Integer> resources = new HashMap<>();
    requests.forEach(request -> resources.merge(request.resource(), 1, Integer::sum));
    List<MetadataRecord> records = new ArrayList<>();
    List<Result> results = new ArrayList<>();
    for (ConfigChanges request : requests) {
      if (resources.getOrDefault(request.resource(), 0) > 1) {
        results.add(
            new Result(
                ErrorCode.INVALID_REQUEST,
                "%s stands in the request more than once.".formatted(shown(request.resource()))));
        continue;
      }
      Result wrong = checkResource(image, request.resource());
      if (wrong != null && wrong.error() == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) {
        // As in Kafka: what no topic could have is wrong also for one that is not there.
        Result nowhere = applyTo(new TreeMap<>(), request);
        wrong = nowhere == null ? wrong : nowhere;
      }
      if (wrong == null) {
        Map<String, String> before = image.config(request.resource());
        Map<String, String> after = new TreeMap<>(request.replaceAll() ? Map.of() : before);
        wrong = applyTo(after, request);
        if (wrong == null && !validateOnly) {
          records.addAll(difference(request.resource(), before, after));
        }
      }
      results.add(wrong == null ? Result.OK : wrong);
    }
    return new Decision<>(records, results);
  }

  private static String shown(ConfigResource resource) {
    return resource.type() + " '" + resource.name() + "'";
  }

  private static @Nullable Result checkResource(MetadataImage image, ConfigResource resource) {
    String name = resource.name();
    return switch (resource.type()) {
      case TOPIC ->
          image.topic(name) != null
              ? null
              : new Result(
                  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "There is no topic '" + name + "'.");
      case BROKER -> {
        if (name.isEmpty()) {
          yield null;
        }
        Integer id = brokerId(name);
        if (id == null) {
          yield new Result(ErrorCode.INVALID_REQUEST, "'" + name + "' is not the id of a broker.");
        }
        yield image.brokers().containsKey(id)
            ? null
            : new Result(ErrorCode.BROKER_ID_NOT_REGISTERED, "There is no broker " + id + ".");
      }
      case GROUP -> checkName(name, ErrorCode.INVALID_GROUP_ID, "group");
      case CLIENT_METRICS -> checkName(name, ErrorCode.INVALID_REQUEST, "client metrics");
      case BROKER_LOGGER ->
          new Result(
              ErrorCode.INVALID_REQUEST,
              "Log levels are set by logging.level at start; they cannot be changed this way.");
    };
  }

  private static @Nullable Result checkName(String name, ErrorCode code, String what) {
    return name.isEmpty() || name.length() > 32_767
        ? new Result(code, "The name of a " + what + " resource must not be empty or huge.")
        : null;
  }

  static @Nullable Integer brokerId(String name) {
    try {
      int id = Integer.parseInt(name);
      return id < 0 || !Integer.toString(id).equals(name) ? null : id;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private @Nullable Result applyTo(Map<String, String> configs, ConfigChanges request) {
    ConfigResource.Type type = request.resource().type();
    Set<String> seen = new HashSet<>();
    for (Change change : request.changes()) {
      if (!seen.add(change.key())) {
        return new Result(
            ErrorCode.INVALID_REQUEST, "Config " + change.key() + " stands there more than once.");
      }
      ConfigKey key = ConfigTables.of(type).get(change.key());
      // What this version does not know may go, also if it is not there, as in Kafka.
      if (key == null && change.op() != Op.DELETE) {
        return new Result(
            ErrorCode.INVALID_CONFIG,
            "Unknown %s config name: %s"
                .formatted(type.name().toLowerCase(Locale.ROOT).replace('_', ' '), change.key()));
      }
      if (type == ConfigResource.Type.BROKER && !takesEffect(change.key())) {
        return new Result(
            ErrorCode.INVALID_REQUEST,
            "Cannot update %s while the broker runs: set it in the configuration and restart."
                .formatted(change.key()));
      }
      Result wrong = key == null ? removed(configs, change) : applyTo(configs, change, key, type);
      if (wrong != null) {
        return wrong;
      }
    }
    String wrong = type == ConfigResource.Type.TOPIC ? checkTogether(configs) : null;
    return wrong == null ? null : new Result(ErrorCode.INVALID_CONFIG, wrong);
  }

  private static @Nullable Result removed(Map<String, String> configs, Change change) {
    configs.remove(change.key());
    return null;
  }

  private @Nullable Result applyTo(
      Map<String, String> configs, Change change, ConfigKey key, ConfigResource.Type type) {
    if (change.op() == Op.DELETE) {
      return removed(configs, change);
    }
    String value = change.value();
    if (value == null) {
      return new Result(ErrorCode.INVALID_REQUEST, "Null value for config " + change.key() + ".");
    }
    if (change.op() != Op.SET) {
      if (!key.isList()) {
        return new Result(
            ErrorCode.INVALID_CONFIG,
            "Config %s is not a list: it cannot be appended to or subtracted from."
                .formatted(change.key()));
      }
      String base = configs.getOrDefault(key.name(), unset(key, type));
      Set<String> elements = new LinkedHashSet<>(ConfigKey.elements(base));
      if (change.op() == Op.APPEND) {
        elements.addAll(ConfigKey.elements(value));
      } else {
        ConfigKey.elements(value).forEach(elements::remove);
      }
      value = String.join(",", elements);
    }
    String wrong = checkValue(key, type, value);
    if (wrong != null) {
      return new Result(ErrorCode.INVALID_CONFIG, wrong);
    }
    configs.put(key.name(), value.strip());
    return null;
  }

  private String unset(ConfigKey key, ConfigResource.Type type) {
    String own = key.defaultValue() == null ? "" : key.defaultValue();
    return switch (type) {
      case TOPIC -> statics.topics().getOrDefault(key.name(), own);
      case BROKER -> statics.values().getOrDefault(key.name(), own);
      default -> own;
    };
  }

  private static @Nullable String checkValue(
      ConfigKey key, ConfigResource.Type type, String value) {
    String wrong = key.check(value);
    ConfigKey topicKey =
        type == ConfigResource.Type.BROKER
            ? ConfigTables.TOPIC_BY_BROKER_KEY.get(key.name())
            : null;
    if (wrong == null && topicKey != null) {
      String forTopics = topicKey.check(value);
      // The message names the key that was sent.
      wrong = forTopics == null ? null : forTopics.replace(topicKey.name(), key.name());
    }
    return wrong;
  }

  /// What is wrong with the configs of a new topic, or null.
  static @Nullable String checkTopicConfigs(Map<String, String> configs) {
    for (Map.Entry<String, String> entry : configs.entrySet()) {
      ConfigKey key = ConfigTables.TOPIC.get(entry.getKey());
      if (key == null) {
        return "Unknown topic config name: " + entry.getKey();
      }
      String wrong = key.check(entry.getValue());
      if (wrong != null) {
        return wrong;
      }
    }
    return checkTogether(configs);
  }

  private static @Nullable String checkTogether(Map<String, String> configs) {
    if (Boolean.parseBoolean(configs.get("remote.storage.enable"))) {
      return "Tiered storage is not there on this broker: remote.storage.enable cannot be true.";
    }
    String min = configs.get("min.compaction.lag.ms");
    String max = configs.get("max.compaction.lag.ms");
    if (min != null && max != null && Long.parseLong(min) > Long.parseLong(max)) {
      return "min.compaction.lag.ms %s is above max.compaction.lag.ms %s".formatted(min, max);
    }
    return null;
  }

  private static List<MetadataRecord> difference(
      ConfigResource resource, Map<String, String> before, Map<String, String> after) {
    List<MetadataRecord> records = new ArrayList<>();
    before.forEach(
        (key, value) -> {
          if (!after.containsKey(key)) {
            records.add(new ConfigChanged(resource, key, null));
          }
        });
    after.forEach(
        (key, value) -> {
          if (!value.equals(before.get(key))) {
            records.add(new ConfigChanged(resource, key, value));
          }
        });
    return records;
  }
}
