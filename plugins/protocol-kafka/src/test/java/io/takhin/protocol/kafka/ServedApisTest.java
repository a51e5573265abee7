package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.testkit.partition.InMemoryPartitionService;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every API that is served, in every version of it, with a request that has every field filled
/// and one that has every field null that may be: there is an answer that the client's classes can
/// write and read in that version, and no defect.
class ServedApisTest {
  static Stream<MessageApi<?>> served() {
    InMemoryPartitionService partitions = new InMemoryPartitionService();
    partitions.start();
    partitions.createTopic("text-1", 2);
    partitions.createTopic("__consumer_offsets", 1);
    return apis(partitions).stream();
  }

  /// As [ServedApis] collects them.
  static List<MessageApi<?>> apis(InMemoryPartitionService partitions) {
    return ServedApis.all(
        TestBroker.DEFAULTS.config(),
        partitions.context(),
        partitions.cluster(),
        partitions,
        new ScriptedGroups());
  }

  @ParameterizedTest
  @MethodSource("served")
  void everyVersionAnswersWhateverIsAsked(MessageApi<?> api) {
    ApiKeys key = api.key();
    assertEquals(key.oldestVersion(), api.minVersion());
    Set<Short> versions = new HashSet<>();
    for (short version = api.minVersion(); version <= api.maxVersion(); version++) {
      var schema = key.messageType.requestSchemas()[version];
      for (var request :
          List.of(
              PopulatedMessage.full(key.messageType.newRequest(), schema),
              PopulatedMessage.nulls(key.messageType.newRequest(), schema),
              key.messageType.newRequest())) {
        RecordingExchange exchange = new RecordingExchange(key, version).ask(List.of(api), request);
        assertTrue(exchange.answered(), key + " v" + version);
        // A refusal of the whole request is an answer too; a defect is an AssertionError.
        exchange.refusal();
        versions.add(version);
      }
    }
    assertEquals(api.maxVersion() - api.minVersion() + 1, versions.size());
  }
}
