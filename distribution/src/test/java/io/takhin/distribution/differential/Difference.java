package io.takhin.distribution.differential;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// A place where two answers to the same request differ.
///
/// @param step which request
/// @param path the field, elements of arrays by what tells them apart: `topics[~a].errorCode`
/// @param kafka what Kafka says there, as JSON; `(absent)` for nothing
/// @param takhin what Takhin says there
record Difference(Step step, String path, String kafka, String takhin) {
  private static final String ABSENT = "(absent)";

  /// All places where the answers to a step differ.
  static List<Difference> between(Step step, JsonNode kafka, JsonNode takhin) {
    List<Difference> found = new ArrayList<>();
    compare(step, "", kafka, takhin, found);
    return found;
  }

  private static void compare(
      Step step, String path, JsonNode kafka, JsonNode takhin, List<Difference> found) {
    if (kafka.equals(takhin)) {
      return;
    }
    if (kafka.isObject() && takhin.isObject()) {
      members(step, path, named(kafka), named(takhin), ".", found);
    } else if (kafka.isArray() && takhin.isArray()) {
      members(step, path, elements(kafka), elements(takhin), "", found);
    } else if (!kafka.toString().equals(takhin.toString())) {
      found.add(new Difference(step, path, kafka.toString(), takhin.toString()));
    }
  }

  private static void members(
      Step step,
      String path,
      Map<String, JsonNode> kafka,
      Map<String, JsonNode> takhin,
      String separator,
      List<Difference> found) {
    TreeSet<String> names = new TreeSet<>(kafka.keySet());
    names.addAll(takhin.keySet());
    for (String name : names) {
      JsonNode ofKafka = kafka.get(name);
      JsonNode ofTakhin = takhin.get(name);
      String place = path.isEmpty() ? name : path + separator + name;
      if (ofKafka == null || ofTakhin == null) {
        found.add(
            new Difference(
                step,
                place,
                ofKafka == null ? ABSENT : ofKafka.toString(),
                ofTakhin == null ? ABSENT : ofTakhin.toString()));
      } else {
        compare(step, place, ofKafka, ofTakhin, found);
      }
    }
  }

  private static Map<String, JsonNode> named(JsonNode object) {
    Map<String, JsonNode> members = new HashMap<>();
    object.properties().forEach(member -> members.put(member.getKey(), member.getValue()));
    return members;
  }

  private static Map<String, JsonNode> elements(JsonNode array) {
    Map<String, JsonNode> members = new HashMap<>();
    Map<String, Integer> seen = new HashMap<>();
    for (JsonNode element : array) {
      String label = label(element);
      int before = seen.merge(label, 1, Integer::sum) - 1;
      members.put("[" + label + (before == 0 ? "" : "#" + before) + "]", element);
    }
    return members;
  }

  /// What an element is called in paths.
  private static String label(JsonNode element) {
    for (String field :
        List.of(
            "name",
            "topicName",
            "topic",
            "groupId",
            "key",
            "transactionalId",
            "partitionIndex",
            "partition",
            "index",
            "apiKey",
            "feature",
            "offset",
            "baseOffset",
            "memberId",
            "nodeId",
            "brokerId",
            "replicaId",
            "resourceName",
            "topicId",
            "producerId")) {
      JsonNode value = element.get(field);
      if (value != null && value.isValueNode() && !value.isNull()) {
        return value.asText();
      }
    }
    return element.isValueNode() ? element.asText() : "";
  }

  /// What it has in common with others: API, field and values, without names.
  String kind() {
    return step.api().name
        + " "
        + path.replaceAll("\\[[^\\]]*\\]", "[]")
        + " "
        + kafka
        + " / "
        + takhin;
  }

  @Override
  public String toString() {
    return step.title() + ": " + path + " is " + kafka + " in Kafka and " + takhin + " in Takhin";
  }
}
