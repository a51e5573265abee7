package io.takhin.kernel.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.config.Key;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigTest {
  enum Auth {
    NONE,
    REQUEST_ONLY
  }

  record All(
      @Key(value = "server.port", defaultValue = "9092", min = 1, max = 65535, doc = "Port.")
          int port,
      @Key(value = "kafka.advertised.port", defaultValue = "${server.port}", doc = "Port.")
          int advertised,
      @Key(value = "storage.data.dir", defaultValue = "/tmp/takhin-data", doc = "Where.")
          Path dataDir,
      @Key(value = "storage.key.dir", defaultValue = "${storage.data.dir}/keys", doc = "Keys.")
          Path keyDir,
      @Key(value = "storage.log.retention.bytes", defaultValue = "0", min = 0, doc = "Bytes.")
          long retention,
      @Key(value = "storage.ratio", defaultValue = "0.5", min = 0, max = 1, doc = "Ratio.")
          double ratio,
      @Key(value = "server.tls.enabled", defaultValue = "false", doc = "TLS | yes.") boolean tls,
      @Key(value = "server.tls.client.auth", defaultValue = "none", doc = "Who.") Auth auth,
      @Key(
              value = "sasl.mechanisms",
              oneOf = {"PLAIN", "GSSAPI"},
              doc = "M.")
          List<String> mechanisms,
      @Key(value = "kafka.cluster.brokers", doc = "Ids.") List<Integer> brokers,
      @Key(
              value = "sasl.password",
              oneOf = "right",
              defaultValue = "right",
              secret = true,
              doc = "")
          String password) {
    All {
      if (tls && keyDir.toString().isEmpty()) {
        throw new IllegalArgumentException("server.tls.enabled needs storage.key.dir");
      }
    }
  }

  @TempDir Path home;

  private final Problems problems = new Problems();

  private @Nullable All bind(
      @Nullable String yaml, Map<String, String> env, Map<String, Config.Flag> flags)
      throws IOException {
    Path file = yaml == null ? null : Files.writeString(home.resolve("takhin.yaml"), yaml);
    Config config = Config.read(file, env, flags, home, problems);
    ConfigSchema schema = new ConfigSchema();
    schema.add("test", All.class);
    config.checkUnknown(schema);
    return config.bind("test", All.class, schema);
  }

  private All bound(@Nullable String yaml, Map<String, String> env, Map<String, Config.Flag> flags)
      throws IOException {
    All all = bind(yaml, env, flags);
    assertEquals(List.of(), problems.lines());
    return java.util.Objects.requireNonNull(all);
  }

  private List<String> problemsOf(String yaml) throws IOException {
    bind(yaml, Map.of(), Map.of());
    return problems.lines().stream().map(line -> line.replace(home + "/takhin.yaml", "f")).toList();
  }

  @Test
  void defaultsMayReferToOtherKeys() throws IOException {
    All all = bound(null, Map.of(), Map.of());
    assertEquals(9092, all.advertised());
    assertEquals(Path.of("/tmp/takhin-data/keys"), all.keyDir());
    assertEquals(List.of(), all.brokers());
    All other =
        bound(
            "server.port: 1234",
            Map.of("TAKHIN_STORAGE_DATA_DIR", "/d"),
            Map.of("server.port", new Config.Flag("-port", "77")));
    assertEquals(77, other.advertised());
    assertEquals(Path.of("/d/keys"), other.keyDir());
  }

  @Test
  void flagsWinOverTheEnvironmentWhichWinsOverYaml() throws IOException {
    String yaml = "server: {port: 1}\nstorage.ratio: 0.1";
    assertEquals(1, bound(yaml, Map.of(), Map.of()).port());
    assertEquals(2, bound(yaml, Map.of("TAKHIN_SERVER_PORT", "2"), Map.of()).port());
    All all =
        bound(
            yaml,
            Map.of("TAKHIN_SERVER_PORT", "2"),
            Map.of("server.port", new Config.Flag("-port", "3")));
    assertEquals(3, all.port());
    assertEquals(0.1, all.ratio());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          storage: {data: {dir: /x}}
          storage: {data.dir: /x}
          storage.data.dir: /x
          {"storage": {"data": {"dir": "/x"}}}
          """)
  void nestedAndDottedKeysMeanTheSame(String yaml) throws IOException {
    assertEquals(Path.of("/x"), bound(yaml, Map.of(), Map.of()).dataDir());
  }

  @Test
  void everyKeyHasItsVariableListsIncluded() throws IOException {
    All all =
        bound(
            "sasl: {mechanisms: [PLAIN]}\nkafka.cluster.brokers: [1, 2]",
            Map.of(
                "TAKHIN_SASL_MECHANISMS", "PLAIN, GSSAPI",
                "TAKHIN_SERVER_TLS_CLIENT_AUTH", "request-only",
                "TAKHIN_SERVER_TLS_ENABLED", "true"),
            Map.of());
    assertEquals(List.of("PLAIN", "GSSAPI"), all.mechanisms());
    assertEquals(List.of(1, 2), all.brokers());
    assertEquals(Auth.REQUEST_ONLY, all.auth());
    assertTrue(all.tls());
  }

  @Test
  void whatTheStartScriptAndKubernetesSetIsNoConfiguration() throws IOException {
    bound(
        null,
        Map.of(
            "TAKHIN_HOME", "/opt",
            "TAKHIN_JVM_OPTS", "-Xmx1g",
            "TAKHIN_JAVA_HOME", "/j",
            "TAKHIN_PID_FILE", "p",
            "TAKHIN_PORT", "tcp://10.0.0.1:9092",
            "TAKHIN_SERVICE_HOST", "10.0.0.1",
            "TAKHIN_PORT_9092_TCP_ADDR", "10.0.0.1"),
        Map.of());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          server.port: 0                 | f:1: server.port: '0' is below 1
          server.port: 65536             | f:1: server.port: '65536' is above 65535
          server.port: 1e3               | f:1: server.port: '1e3' is not a whole number
          server.port: [1]               | f:1: server.port: takes one value, not a list
          server.port: ''                | f:1: server.port: an empty value is not a whole number
          server.prot: 1                 | f:1: server.prot is not a key of the kernel or of a plugin present; did you mean server.port?
          server: 1                      | f:1: server takes no value; it is a group of keys such as server.port, server.tls.enabled, server.tls.client.auth
          {server.port: {a: 1}}          | f:1: server.port.a is not a key of the kernel or of a plugin present; did you mean server.port?
          storage.ratio: 2               | f:1: storage.ratio: '2' is above 1
          storage.ratio: .nan            | f:1: storage.ratio: '.nan' is not a number
          server.tls.enabled: yes        | f:1: server.tls.enabled: 'yes' is not true or false
          server.tls.client.auth: nome   | f:1: server.tls.client.auth: 'nome' is not one of none, request-only; did you mean none?
          sasl.mechanisms: [PLAN]        | f:1: sasl.mechanisms: 'PLAN' is not one of PLAIN, GSSAPI; did you mean PLAIN?
          kafka.cluster.brokers: [1, x]  | f:1: kafka.cluster.brokers: 'x' is not a whole number
          kafka.cluster.brokers: [[1]]   | f:1: kafka.cluster.brokers must be a list of plain values
          sasl.password: wrong           | f:1: sasl.password: the value (hidden) is not one of right
          [a]                            | f:1: the file must hold keys, such as 'server:'
          """)
  void aBadValueIsToldWithItsPlace(String yaml, String problem) throws IOException {
    assertEquals(List.of(problem), problemsOf(yaml));
  }

  @Test
  void badCombinationsAreReportedBesideEverythingElse() throws IOException {
    assertEquals(
        List.of(
            "f:3: sasl.x is not a key of the kernel or of a plugin present",
            "config of test: server.tls.enabled needs storage.key.dir"),
        problemsOf("server.tls.enabled: true\nstorage.key.dir: ''\nsasl.x: 1"));
  }

  @Test
  void aKeyWithoutValueIsItsDefault() throws IOException {
    assertEquals(9092, bound("server:\n  port:\n", Map.of(), Map.of()).port());
    assertEquals(9092, bound("", Map.of(), Map.of()).port());
    assertEquals(9092, bound("# nothing\n---\n", Map.of(), Map.of()).port());
  }

  @Test
  void whatIsNotYamlIsToldWithItsLine() throws IOException {
    List<String> told = problemsOf("server:\n  port: [1\n");
    assertEquals(1, told.size());
    assertTrue(told.getFirst().startsWith("f:3: is not YAML: "), told.getFirst());
  }

  @ParameterizedTest
  @CsvSource({"18, more than 10000 values", "24, more than 10000 values", "40, exceeds"})
  void aFewLinesOfAliasesDoNotUnfoldIntoGigabytes(int lines, String problem) throws IOException {
    StringBuilder bomb = new StringBuilder("a0: &a0 {k: v}\n");
    for (int i = 1; i < lines; i++) {
      bomb.append("a%d: &a%d {x: *a%d , y: *a%d }\n".formatted(i, i, i - 1, i - 1));
    }
    List<String> told = problemsOf(bomb.toString());
    assertEquals(1, told.size());
    assertTrue(told.getFirst().contains(problem), told.toString());
  }

  @Test
  void depthAndSizeAreBounded() throws IOException {
    assertTrue(
        problemsOf("a: ".repeat(1) + "{a: ".repeat(5_000) + "1" + "}".repeat(5_000))
            .getFirst()
            .contains("deeper than"));
    bind("a: " + "x".repeat(1 << 20), Map.of(), Map.of());
    assertTrue(problems.lines().getLast().contains("is larger than"), problems.lines().toString());
  }

  record Shared(@Key(value = "server.port", defaultValue = "9092", max = 9, doc = "P.") int port) {}

  record SameEnv(@Key(value = "server-port.x", doc = "P.") String x) {}

  record SameEnvToo(@Key(value = "server.port-x", doc = "P.") String x) {}

  record NoKey(int port) {}

  record BadDefault(@Key(value = "a.b", defaultValue = "x", doc = "P.") int port) {}

  record BadType(@Key(value = "a.b", doc = "P.") java.time.Duration time) {}

  record BadName(@Key(value = "Ab_c", doc = "P.") String name) {}

  @Test
  void recordsThatCannotBeBoundAreToldToTheirAuthor() {
    ConfigSchema schema = new ConfigSchema();
    schema.add("one", All.class);
    schema.add("two", SameEnv.class);
    assertEquals(
        "declares server.port with bounds '≤ 9' instead of '1 to 65535', as one does; declarations"
            + " of a shared key must agree",
        refusal(schema, Shared.class));
    assertTrue(refusal(schema, SameEnvToo.class).contains("environment variable of server-port.x"));
    assertTrue(refusal(schema, NoKey.class).contains("has no @Key"));
    assertTrue(refusal(schema, BadDefault.class).contains("'x' is not a whole number"));
    assertTrue(refusal(schema, BadType.class).contains("java.time.Duration"));
    assertTrue(refusal(schema, BadName.class).contains("Ab_c"));
    assertNull(schema.spec("a.b"));
  }

  private static String refusal(ConfigSchema schema, Class<? extends Record> type) {
    return String.valueOf(
        assertThrows(IllegalArgumentException.class, () -> schema.add("x", type)).getMessage());
  }

  record Lonely(@Key(value = "a.b", defaultValue = "${no.body}", doc = "A.") int a) {}

  record Required(@Key(value = "a.c", doc = "A.") int a) {}

  @Test
  void missingReferencesAndRequiredKeysAreProblems() {
    Config config = Config.read(null, Map.of(), Map.of(), home, problems);
    ConfigSchema schema = new ConfigSchema();
    schema.add("x", Lonely.class);
    schema.add("x", Required.class);
    assertNull(config.bind("x", Lonely.class, schema));
    assertNull(config.bind("x", Required.class, schema));
    assertTrue(problems.lines().get(0).contains("refers to no.body"));
    assertEquals(
        "config: a.c is required: set it in YAML or as TAKHIN_A_C", problems.lines().get(1));
  }

  @Test
  void theReferenceListsEachKeyOnceAndHidesNothing() {
    ConfigSchema schema = new ConfigSchema();
    schema.add("one", All.class);
    schema.add("two", All.class);
    String page = ConfigReference.markdown(schema);
    assertTrue(
        page.contains(
            "| `server.port` | `TAKHIN_SERVER_PORT` | int | `9092` | 1 to 65535 | Port. Also read"
                + " by two. |"),
        page);
    assertTrue(page.contains("TLS \\| yes."));
    assertFalse(page.contains("## two"));
    assertEquals(11, page.lines().filter(line -> line.startsWith("| `")).count());
  }

  @Test
  void secretsAreHiddenInTheLog() throws IOException {
    Config config =
        Config.read(
            null,
            Map.of("TAKHIN_SASL_PASSWORD", "right", "TAKHIN_SERVER_PORT", "1"),
            Map.of(),
            home,
            problems);
    ConfigSchema schema = new ConfigSchema();
    schema.add("one", All.class);
    assertEquals(
        "server.port=1 (environment TAKHIN_SERVER_PORT), sasl.password=(hidden) (environment"
            + " TAKHIN_SASL_PASSWORD)",
        config.describeSet(schema));
  }

  @Test
  void distanceCountsSwapsAsOne() {
    assertEquals(1, Suggestions.distance("prot", "port"));
    assertEquals(0, Suggestions.distance("a", "a"));
    assertEquals(3, Suggestions.distance("", "abc"));
    assertNull(Suggestions.nearest("completely.other", List.of("server.port")));
  }
}
