package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigChanges.Change;
import io.takhin.api.cluster.ConfigChanges.Op;
import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigEntry.Synonym;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/// DescribeConfigs, IncrementalAlterConfigs, AlterConfigs, ListConfigResources. Keys and values are
/// the cluster's business; which resource a request may speak of, and how, is decided here.
final class ConfigApis {
  private final Cluster cluster;

  ConfigApis(Cluster cluster) {
    this.cluster = cluster;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.DESCRIBE_CONFIGS, this::describe),
        MessageApi.all(ApiKeys.INCREMENTAL_ALTER_CONFIGS, this::alterEach),
        MessageApi.all(ApiKeys.ALTER_CONFIGS, this::replaceAll),
        MessageApi.all(ApiKeys.LIST_CONFIG_RESOURCES, this::list));
  }

  private static ConfigResource.@Nullable Type type(byte id) {
    for (ConfigResource.Type type : ConfigResource.Type.values()) {
      if (type.id() == id) {
        return type;
      }
    }
    return null;
  }

  private void describe(Exchange exchange, DescribeConfigsRequestData request) {
    for (DescribeConfigsResource resource : request.resources()) {
      if (type(resource.resourceType()) == null) {
        // Kafka refuses the whole request.
        throw Conversions.invalid(
            "Unexpected resource type "
                + resource.resourceType()
                + " for resource "
                + resource.resourceName());
      }
    }
    List<DescribeConfigsResult> results = new ArrayList<>();
    // Answered once however often it is asked for: the answer is ten thousand times as long.
    Set<ConfigResource> once = new HashSet<>();
    for (DescribeConfigsResource resource : request.resources()) {
      ConfigResource.Type type = Objects.requireNonNull(type(resource.resourceType()));
      if (!once.add(new ConfigResource(type, resource.resourceName()))) {
        continue;
      }
      DescribeConfigsResult result;
      try {
        result = described(request, resource);
      } catch (TakhinException refusal) {
        result = failed(refusal.code(), refusal.getMessage());
      }
      results.add(
          result.setResourceType(resource.resourceType()).setResourceName(resource.resourceName()));
    }
    exchange.respond(new DescribeConfigsResponseData().setResults(results));
  }

  private static DescribeConfigsResult failed(ErrorCode error, @Nullable String message) {
    return new DescribeConfigsResult()
        .setErrorCode(error.code())
        .setErrorMessage(Conversions.message(error, message))
        .setConfigs(List.of());
  }

  private DescribeConfigsResult described(
      DescribeConfigsRequestData request, DescribeConfigsResource asked) {
    ConfigResource.Type type = Objects.requireNonNull(type(asked.resourceType()));
    String name = asked.resourceName();
    checkName(type, name);
    List<String> keys = asked.configurationKeys();
    // Kafka takes an empty list for all keys too.
    List<ConfigEntry> entries =
        cluster.describeConfigs(
            new ConfigResource(type, name), keys == null || keys.isEmpty() ? null : keys);
    if (entries == null) {
      return switch (type) {
        case TOPIC -> failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null);
        case BROKER_LOGGER ->
            failed(ErrorCode.INVALID_REQUEST, "This broker does not show its loggers as configs.");
        case BROKER -> failed(ErrorCode.INVALID_REQUEST, "There is no broker '" + name + "' here.");
        // Nothing set is no error for what exists by its configs alone.
        case CLIENT_METRICS, GROUP -> new DescribeConfigsResult().setErrorMessage(null);
      };
    }
    List<DescribeConfigsResourceResult> configs = new ArrayList<>(entries.size());
    for (ConfigEntry entry : entries) {
      configs.add(entry(request, entry));
    }
    return new DescribeConfigsResult().setErrorMessage(null).setConfigs(configs);
  }

  /// Errors: INVALID_REQUEST or INVALID_TOPIC_EXCEPTION with Kafka's words.
  private void checkName(ConfigResource.Type type, String name) {
    switch (type) {
      case TOPIC -> {
        String invalid = Conversions.invalidTopicName(name);
        if (invalid != null) {
          throw new TakhinException(ErrorCode.INVALID_TOPIC_EXCEPTION, invalid);
        }
      }
      case BROKER -> {
        if (!name.isEmpty()) {
          checkBroker(name, " or empty string");
        }
      }
      case BROKER_LOGGER -> {
        if (name.isEmpty()) {
          throw Conversions.invalid("Broker id must not be empty");
        }
        checkBroker(name, "");
      }
      case CLIENT_METRICS -> {
        if (name.isEmpty()) {
          throw Conversions.invalid("Client metrics subscription name must not be empty");
        }
      }
      case GROUP -> {
        if (name.isEmpty()) {
          throw Conversions.invalid("Group name must not be empty");
        }
      }
    }
  }

  private void checkBroker(String name, String orElse) {
    int id;
    try {
      id = Integer.parseInt(name);
    } catch (NumberFormatException notANumber) {
      throw Conversions.invalid("Broker id must be an integer, but it is: " + name);
    }
    if (id != cluster.nodeId()) {
      throw Conversions.invalid(
          "Unexpected broker id, expected " + cluster.nodeId() + orElse + ", but received " + name);
    }
  }

  private static DescribeConfigsResourceResult entry(
      DescribeConfigsRequestData request, ConfigEntry entry) {
    List<DescribeConfigsSynonym> synonyms = new ArrayList<>();
    if (request.includeSynonyms()) {
      for (Synonym synonym : entry.synonyms()) {
        synonyms.add(
            new DescribeConfigsSynonym()
                .setName(synonym.name())
                .setValue(entry.sensitive() ? null : synonym.value())
                .setSource(synonym.source().id()));
      }
    }
    return new DescribeConfigsResourceResult()
        .setName(entry.name())
        .setValue(entry.sensitive() ? null : entry.value())
        .setReadOnly(entry.readOnly())
        .setConfigSource(entry.source().id())
        .setIsSensitive(entry.sensitive())
        .setSynonyms(synonyms)
        .setConfigType(entry.type().id())
        .setDocumentation(request.includeDocumentation() ? entry.documentation() : null);
  }

  /// A resource that a request wants to change, in either API's clothes.
  ///
  /// @param op Kafka's number; SET for the old API
  private record Wanted(byte type, String name, List<WantedChange> changes) {}

  private record WantedChange(String key, byte op, @Nullable String value) {}

  private void alterEach(Exchange exchange, IncrementalAlterConfigsRequestData request) {
    List<Wanted> wanted = new ArrayList<>(request.resources().size());
    for (var resource : request.resources()) {
      List<WantedChange> changes = new ArrayList<>(resource.configs().size());
      for (var config : resource.configs()) {
        changes.add(new WantedChange(config.name(), config.configOperation(), config.value()));
      }
      wanted.add(new Wanted(resource.resourceType(), resource.resourceName(), changes));
    }
    alter(
        exchange,
        wanted,
        request.validateOnly(),
        false,
        results -> {
          var response = new IncrementalAlterConfigsResponseData();
          each(
              wanted,
              results,
              (resource, result) ->
                  response
                      .responses()
                      .add(
                          new IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse()
                              .setResourceType(resource.type())
                              .setResourceName(resource.name())
                              .setErrorCode(result.error().code())
                              .setErrorMessage(Conversions.message(result))));
          return response;
        });
  }

  private void replaceAll(Exchange exchange, AlterConfigsRequestData request) {
    List<Wanted> wanted = new ArrayList<>(request.resources().size());
    for (var resource : request.resources()) {
      List<WantedChange> changes = new ArrayList<>(resource.configs().size());
      for (var config : resource.configs()) {
        changes.add(new WantedChange(config.name(), (byte) Op.SET.ordinal(), config.value()));
      }
      wanted.add(new Wanted(resource.resourceType(), resource.resourceName(), changes));
    }
    alter(
        exchange,
        wanted,
        request.validateOnly(),
        true,
        results -> {
          var response = new AlterConfigsResponseData();
          each(
              wanted,
              results,
              (resource, result) ->
                  response
                      .responses()
                      .add(
                          new AlterConfigsResponseData.AlterConfigsResourceResponse()
                              .setResourceType(resource.type())
                              .setResourceName(resource.name())
                              .setErrorCode(result.error().code())
                              .setErrorMessage(Conversions.message(result))));
          return response;
        });
  }

  private static void each(
      List<Wanted> wanted, List<Result> results, BiConsumer<Wanted, Result> add) {
    for (int i = 0; i < wanted.size(); i++) {
      add.accept(wanted.get(i), results.get(i));
    }
  }

  private void alter(
      Exchange exchange,
      List<Wanted> wanted,
      boolean validateOnly,
      boolean replaceAll,
      Function<List<Result>, ApiMessage> response) {
    Set<ConfigResource> seen = new HashSet<>();
    Set<ConfigResource> duplicates = new HashSet<>();
    for (Wanted resource : wanted) {
      ConfigResource.Type type = type(resource.type());
      if (type != null && !seen.add(new ConfigResource(type, resource.name()))) {
        duplicates.add(new ConfigResource(type, resource.name()));
      }
    }
    List<Result> results = new ArrayList<>(wanted.size());
    List<ConfigChanges> accepted = new ArrayList<>(wanted.size());
    List<Integer> positions = new ArrayList<>(wanted.size());
    for (int i = 0; i < wanted.size(); i++) {
      results.add(Result.OK);
      try {
        accepted.add(changes(wanted.get(i), duplicates, replaceAll));
        positions.add(i);
      } catch (TakhinException refusal) {
        results.set(i, new Result(refusal.code(), refusal.getMessage()));
      }
    }
    if (accepted.isEmpty()) {
      exchange.respond(response.apply(results));
      return;
    }
    Conversions.answer(
        exchange,
        cluster.alterConfigs(accepted, validateOnly),
        done -> {
          for (int i = 0; i < positions.size(); i++) {
            results.set(positions.get(i), done.get(i));
          }
          return response.apply(results);
        });
  }

  /// Errors: INVALID_REQUEST with Kafka's words.
  private ConfigChanges changes(Wanted wanted, Set<ConfigResource> duplicates, boolean replaceAll) {
    ConfigResource.Type type = type(wanted.type());
    if (type == null || (replaceAll && type == ConfigResource.Type.BROKER_LOGGER)) {
      throw Conversions.invalid("Unknown resource type " + wanted.type());
    }
    ConfigResource resource = new ConfigResource(type, wanted.name());
    if (duplicates.contains(resource)) {
      throw Conversions.invalid("Each resource must appear at most once.");
    }
    Set<String> keys = new HashSet<>();
    List<String> nulls = new ArrayList<>();
    List<Change> changes = new ArrayList<>(wanted.changes().size());
    Op[] ops = Op.values();
    for (WantedChange change : wanted.changes()) {
      if (!keys.add(change.key())) {
        throw Conversions.invalid("Error due to duplicate config keys");
      }
      if (change.op() < 0 || change.op() >= ops.length) {
        throw Conversions.invalid("Unknown operations type " + change.op());
      }
      Op op = ops[change.op()];
      if (op != Op.DELETE && change.value() == null) {
        nulls.add(change.key());
      }
      changes.add(new Change(change.key(), op, op == Op.DELETE ? null : change.value()));
    }
    if (!nulls.isEmpty()) {
      throw Conversions.invalid("Null value not supported for : " + String.join(", ", nulls));
    }
    if (type == ConfigResource.Type.TOPIC && wanted.name().isEmpty()) {
      throw Conversions.invalid("Default topic resources are not allowed.");
    }
    checkName(type, wanted.name());
    return new ConfigChanges(resource, changes, replaceAll);
  }

  private void list(Exchange exchange, ListConfigResourcesRequestData request) {
    Set<Byte> wanted = new LinkedHashSet<>(request.resourceTypes());
    if (exchange.version() == 0) {
      // It was ListClientMetricsResources.
      wanted = Set.of(ConfigResource.Type.CLIENT_METRICS.id());
    } else if (wanted.isEmpty()) {
      for (ConfigResource.Type type : ConfigResource.Type.values()) {
        wanted.add(type.id());
      }
    }
    MetadataImage image = cluster.image();
    ListConfigResourcesResponseData response = new ListConfigResourcesResponseData();
    for (byte id : wanted) {
      ConfigResource.Type type = type(id);
      if (type == null) {
        throw new TakhinException(
            ErrorCode.UNSUPPORTED_VERSION, "Resources of type " + id + " cannot be listed.");
      }
      for (String name : names(image, type)) {
        response
            .configResources()
            .add(
                new ListConfigResourcesResponseData.ConfigResource()
                    .setResourceType(id)
                    .setResourceName(name));
      }
    }
    exchange.respond(response);
  }

  private static Set<String> names(MetadataImage image, ConfigResource.Type type) {
    Set<String> names = new TreeSet<>();
    switch (type) {
      case TOPIC -> names.addAll(image.topicsByName().keySet());
      case BROKER, BROKER_LOGGER ->
          image.brokers().keySet().forEach(id -> names.add(Integer.toString(id)));
      case CLIENT_METRICS, GROUP ->
          image.configs().keySet().stream()
              .filter(resource -> resource.type() == type)
              .forEach(resource -> names.add(resource.name()));
    }
    return names;
  }
}
