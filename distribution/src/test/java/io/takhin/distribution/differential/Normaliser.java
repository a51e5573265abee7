package io.takhin.distribution.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.ApiKeys;

/// Replaces in an answer what differs between two brokers by nature, by the rules below and by
/// nothing else; everything that no rule names is compared as it is.
///
/// - Names of the run lose their prefix: `~a` is the topic, group or transactional id `a`.
/// - Ids that an answer taught the run become what they stand for: `<id of ~a#0>`, `<producer p>`,
///   `<member m>`. The zero id and the id -1 stay.
/// - The uuid at the end of a member id of somebody else becomes `<uuid>`.
/// - A time within a day of now becomes `<now>`.
/// - Texts for people become `<text>`; that there is none stays, an empty one is none.
/// - In which partition a group's offsets are, that is in a transaction, is `<of the group>`: it
///   follows from the group's name and from how many partitions the topic has.
/// - ListGroups shows the groups of the run alone.
/// - What [#BY_NATURE] names: ports, the cluster's id, sizes of disks, offsets of the metadata log.
/// - The order of arrays of objects does not count, except where [#ORDERED] says so.
/// - In an answer to Fetch the partitions of a topic stand together, though Kafka begins the topic
///   anew where it tells of partitions that do not exist.
final class Normaliser {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final long DAY_MS = 86_400_000;
  private static final Pattern MEMBER =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$");

  /// Of the fields below the one for which 0 is a value like others.
  private static final String FROM_ZERO = "coordinatorEpoch";

  /// Fields whose values belong to one broker, with what is shown for a value that is set: by name,
  /// or by API and name.
  private static final Map<String, String> BY_NATURE =
      Map.ofEntries(
          Map.entry("clusterId", "<cluster>"),
          Map.entry("port", "<port>"),
          Map.entry("finalizedFeaturesEpoch", "<metadata offset>"),
          Map.entry("logDir", "<directory>"),
          Map.entry("sessionId", "<session>"),
          Map.entry("totalBytes", "<bytes>"),
          Map.entry("usableBytes", "<bytes>"),
          Map.entry("DescribeQuorum.highWatermark", "<metadata offset>"),
          Map.entry("DescribeQuorum.logEndOffset", "<metadata offset>"),
          Map.entry("DescribeQuorum.leaderEpoch", "<metadata epoch>"),
          Map.entry("DescribeQuorum.replicaDirectoryId", "<uuid>"),
          // Which coordinator wrote a marker: counted for each partition of its topic.
          Map.entry(FROM_ZERO, "<epoch>"));

  private static final Set<String> TEXTS =
      Set.of("errorMessage", "batchIndexErrorMessage", "documentation");

  /// Arrays of objects whose order clients see.
  private static final Set<String> ORDERED = Set.of("records", "batches", "recordErrors");

  private static final List<String> KEYS =
      List.of(
          "name",
          "topicName",
          "topic",
          "topicId",
          "groupId",
          "key",
          "transactionalId",
          "host",
          "partitionIndex",
          "partition",
          "index",
          "configKey",
          "apiKey",
          "feature",
          "memberId",
          "groupInstanceId",
          "clientId",
          "nodeId",
          "brokerId",
          "replicaId",
          "resourceType",
          "resourceName",
          "producerId",
          "securityProtocol",
          "errorCode");

  private final State state;
  private final ApiKeys api;
  private final long nowMs = System.currentTimeMillis();

  Normaliser(State state, ApiKeys api) {
    this.state = state;
    this.api = api;
  }

  JsonNode normalise(JsonNode answer) {
    return node("", answer);
  }

  private JsonNode node(String field, JsonNode node) {
    if (node.isObject()) {
      ObjectNode object = JSON.objectNode();
      node.properties()
          .forEach(member -> object.set(member.getKey(), node(member.getKey(), member.getValue())));
      if (api == ApiKeys.DESCRIBE_TRANSACTIONS
          && node.path("topic").asText().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
        object.set("partitions", TextNode.valueOf("<of the group>"));
      }
      return object;
    }
    if (node.isArray()) {
      return array(field, (ArrayNode) node);
    }
    return value(field, node);
  }

  private JsonNode array(String field, ArrayNode array) {
    List<JsonNode> elements = new ArrayList<>();
    boolean fetched = api == ApiKeys.FETCH && field.equals("responses");
    for (JsonNode element : fetched ? together(array) : array) {
      boolean others =
          api == ApiKeys.LIST_GROUPS
              && !element.path("groupId").asText(state.prefix()).startsWith(state.prefix());
      if (!others) {
        elements.add(node(field, element));
      }
    }
    if (!ORDERED.contains(field) && !elements.isEmpty() && elements.getFirst().isObject()) {
      elements.sort(Comparator.comparing(Normaliser::key));
    }
    ArrayNode sorted = JSON.arrayNode();
    elements.forEach(sorted::add);
    return sorted;
  }

  private static Iterable<JsonNode> together(ArrayNode topics) {
    Map<String, JsonNode> all = new LinkedHashMap<>();
    for (JsonNode topic : topics) {
      String name = topic.path("topic").asText() + "/" + topic.path("topicId").asText();
      JsonNode begun = all.putIfAbsent(name, topic.deepCopy());
      if (begun != null && begun.get("partitions") instanceof ArrayNode partitions) {
        topic.path("partitions").forEach(partitions::add);
      }
    }
    return all.values();
  }

  /// What arrays are sorted by.
  static String key(JsonNode element) {
    StringBuilder key = new StringBuilder();
    for (String name : KEYS) {
      JsonNode value = element.get(name);
      if (value != null && value.isNumber()) {
        key.append(String.format(Locale.ROOT, "%020d", value.asLong()));
      } else if (value != null && value.isValueNode()) {
        key.append(value.asText());
      }
      key.append('|');
    }
    return key.toString();
  }

  private JsonNode value(String field, JsonNode value) {
    String nature = BY_NATURE.getOrDefault(field, BY_NATURE.get(api.name + "." + field));
    if (nature != null && (set(value) || (field.equals(FROM_ZERO) && value.asInt() == 0))) {
      return TextNode.valueOf(nature);
    }
    if (TEXTS.contains(field) && value.isTextual()) {
      return value.asText().isEmpty() ? JSON.nullNode() : TextNode.valueOf("<text>");
    }
    if (field.equals("producerId") && value.asLong() >= 0) {
      return TextNode.valueOf(state.producerOf(value.asLong()));
    }
    if (field.equals("topicId") && value.isTextual()) {
      Uuid id = Uuid.fromString(value.asText());
      return id.equals(Uuid.ZERO_UUID) ? value : text(state.topicOf(id));
    }
    if (value.isIntegralNumber() && Math.abs(value.asLong() - nowMs) < DAY_MS) {
      return TextNode.valueOf("<now>");
    }
    return value.isTextual() ? text(value.asText()) : value;
  }

  private static boolean set(JsonNode value) {
    return value.isTextual() ? !value.asText().isEmpty() : value.isNumber() && value.asLong() > 0;
  }

  private JsonNode text(String given) {
    String text = given;
    for (Map.Entry<String, String> member : state.membersOfIds().entrySet()) {
      if (text.equals(member.getKey())) {
        Matcher uuid = MEMBER.matcher(text);
        text = uuid.find() ? uuid.replaceFirst("<member " + member.getValue() + ">") : text;
      }
    }
    text = MEMBER.matcher(text).replaceFirst("<uuid>");
    return TextNode.valueOf(text.replace(state.prefix(), "~"));
  }
}
