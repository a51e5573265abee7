package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.testkit.partition.InMemoryPartitionService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// `docs/protocol-coverage.md` is the table that the code makes; `-Dtakhin.docs.regenerate=true`
/// writes it anew.
class ProtocolCoverageTest {
  private static final Path PAGE = Path.of("../../docs/protocol-coverage.md");

  private static final Map<ApiKeys, String> REASONS = new EnumMap<>(ApiKeys.class);

  private static void reason(String why, ApiKeys... keys) {
    for (ApiKeys key : keys) {
      REASONS.put(key, why);
    }
  }

  static {
    reason(
        "the new group protocol does not exist yet",
        ApiKeys.CONSUMER_GROUP_HEARTBEAT,
        ApiKeys.CONSUMER_GROUP_DESCRIBE);
    reason("there is one log directory", ApiKeys.ALTER_REPLICA_LOG_DIRS);
  }

  private static String why(ApiKeys key) {
    String why = REASONS.get(key);
    if (why != null) {
      return why;
    }
    if (key.name.contains("Share")) {
      return "share groups do not exist yet";
    }
    if (key.name.contains("Streams")) {
      return "streams groups do not exist yet";
    }
    if (key.name.contains("Acl")
        || key.name.contains("Sasl")
        || key.name.contains("Scram")
        || key.name.contains("Token")) {
      return "security comes with its own plugins";
    }
    if (key.name.contains("Quota")) {
      return "quotas do not exist yet";
    }
    if (key.name.contains("Telemetry")) {
      return "client metrics are not taken yet";
    }
    return key.inScope(ListenerType.BROKER)
        ? "between Kafka's own brokers"
        : "between Kafka's own controllers";
  }

  static String page() {
    InMemoryPartitionService partitions = new InMemoryPartitionService();
    Map<ApiKeys, String> served = new EnumMap<>(ApiKeys.class);
    for (MessageApi<?> api : ServedApisTest.apis(partitions)) {
      served.put(api.key(), api.minVersion() + " to " + api.maxVersion());
    }
    // The hot ones have readers and writers of their own, for all versions.
    for (ApiKeys hot : ServedApis.IN_PLACE) {
      served.put(hot, hot.oldestVersion() + " to " + hot.latestVersion());
    }
    ApiKeys versions = ApiKeys.API_VERSIONS;
    served.put(versions, versions.oldestVersion() + " to " + versions.latestVersion());
    StringBuilder page =
        new StringBuilder(
            """
            # Protocol coverage

            Which of Kafka's APIs Takhin serves, in which versions, beside what the newest client \
            knows. What is not served is not advertised either, so that clients know what to leave \
            alone. Made from the code by `ProtocolCoverageTest`; do not edit.

            | key | API | client knows | served | why not |
            |---|---|---|---|---|
            """);
    Arrays.stream(ApiKeys.values())
        .filter(ApiKeys::hasValidVersion)
        .sorted(Comparator.comparingInt(key -> key.id))
        .forEach(key -> page.append(row(key, served.get(key))));
    page.append(
        """

        - Produce is advertised from version 0, because librdkafka switches features off otherwise; \
        versions 0 to 2 are refused.
        - InitProducerId 6 is marked unstable in Kafka's schema (KIP-939), and Kafka does not offer \
        it either. FindCoordinator refuses the key type share with INVALID_REQUEST.
        - AddPartitionsToTxn from version 4 is how brokers ask each other, as in Kafka; clients stay \
        at 3. Produce 12, TxnOffsetCommit 5 and EndTxn 5 are those of `transaction.version=2`.
        - ElectLeaders and AlterPartitionReassignments answer for one broker: its replicas are the \
        preferred ones, and there is nowhere to move them to.
        - An auto-created topic is in the answer of the Metadata request that made it; Kafka answers \
        UNKNOWN_TOPIC_OR_PARTITION once.
        - Bytes after a request end the connection, but for 3 after a Metadata request (9 and later) \
        for all topics: librdkafka writes its null in 4 bytes of 0 \
        ([ADR 120](adr/0120-bytes-after-metadata.md)).
        """);
    return page.toString();
  }

  private static String row(ApiKeys key, @Nullable String versions) {
    return "| "
        + key.id
        + " | "
        + key.name
        + " | "
        + key.oldestVersion()
        + " to "
        + key.latestVersion()
        + " | "
        + (versions == null ? "-" : versions)
        + " | "
        + (versions == null ? why(key) : "")
        + " |\n";
  }

  @Test
  void thePageSaysWhatTheCodeServes() throws IOException {
    if (Boolean.getBoolean("takhin.docs.regenerate")) {
      Files.writeString(PAGE, page());
    }
    assertEquals(page(), Files.readString(PAGE), "run with -Dtakhin.docs.regenerate=true");
  }
}
