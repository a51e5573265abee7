package io.takhin.distribution.differential;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The scripts whose answers by Kafka are recorded, in families: a family is a file.
final class FixedScripts {
  private FixedScripts() {}

  /// All of them, by family; names of scripts are unique.
  static Map<String, List<Script>> families() {
    Map<String, List<Script>> families = new LinkedHashMap<>();
    families.put("framing", FramingScripts.all());
    families.put("topics", TopicScripts.all());
    families.put("produce", ProduceScripts.all());
    families.put("fetch", FetchScripts.all());
    families.put("offsets", OffsetScripts.all());
    families.put("groups", GroupScripts.all());
    families.put("transactions", TransactionScripts.all());
    families.put("configs", ConfigScripts.all());
    families.put("cluster", ClusterScripts.all());
    return families;
  }
}
