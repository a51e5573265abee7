package io.takhin.distribution;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// B8, B9, B13, B14, B21 against the process that users run, in a small heap.
/// `-Dtakhin.hostile.clients` makes more clients of each kind, so many a second with
/// `-Dtakhin.hostile.per.second`; `-Dtakhin.hostile.p99` says how many times its own p99 a healthy
/// client's may become, and `-Dtakhin.hostile.sessions` makes more fetch sessions.
class HostileIT {
  private static final int CLIENTS = Integer.getInteger("takhin.hostile.clients", 150);
  private static final int PER_SECOND = Integer.getInteger("takhin.hostile.per.second", 0);
  private static final int MOST_P99 = Integer.getInteger("takhin.hostile.p99", 0);
  private static final int WARM_UP_CLIENTS = 300;
  private static final int REQUESTS = MOST_P99 > 0 ? 20_000 : 2_000;
  private static final int SESSIONS = Integer.getInteger("takhin.hostile.sessions", 20_000);
  private static final long MAX_GROWTH_KIB =
      Integer.getInteger("takhin.hostile.growth.mib", 300) * 1024L;
  private static Broker broker;
  private static Path around;
  private static Set<String> before;

  @BeforeAll
  static void start() throws IOException {
    broker = new Broker();
    broker
        .with("TAKHIN_HEAP", "256m")
        .with("TAKHIN_KAFKA_MAX_CONNECTIONS", Integer.toString(6 * CLIENTS + 200))
        .start();
    broker.createTopic("sound", 1, Map.of());
    around = broker.dataDirectory().getParent();
    before = names(around, 1);
  }

  @AfterAll
  static void stop() throws IOException {
    assertFalse(broker.output().contains("defect"), broker::output);
    assertFalse(broker.output().contains("OutOfMemory"), broker::output);
    broker.close();
  }

  private static Set<String> names(Path directory, int depth) throws IOException {
    try (Stream<Path> all = Files.walk(directory, depth)) {
      return all.map(file -> directory.relativize(file).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static RawClient client() throws IOException {
    return new RawClient(broker.kafkaPort());
  }

  private static void assertServes() throws IOException {
    try (RawClient client = client()) {
      ApiVersionsRequestData request =
          new ApiVersionsRequestData().setClientSoftwareName("a").setClientSoftwareVersion("1");
      assertEquals(0, client.ask(3, request, new ApiVersionsResponseData()).errorCode());
    }
  }

  /// Memory of the process, in KiB.
  private static long residentKib() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + broker.pid() + "/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new AssertionError("no VmRSS");
  }

  // ---- B13

  private static List<String> hostileNames() {
    List<String> names =
        new ArrayList<>(
            List.of(
                "",
                ".",
                "..",
                "../x",
                "../../x",
                "/etc/x",
                "a/b",
                "a\\b",
                "a\0b",
                "\0",
                "a b",
                "a\nb",
                "a:b",
                "a*b",
                "a?b",
                "~",
                "$HOME",
                "`id`",
                "%2e%2e%2f",
                "..%2fx",
                "con",
                "\u202etopic",
                "t\u043epic",
                "\ud83d\ude00",
                "\ufeff",
                "a\u0301",
                "-",
                "--help",
                "__consumer_offsets/..",
                "x/../../y",
                "file:///etc/passwd",
                "a;b",
                "a|b",
                "<a>"));
    for (int length : new int[] {250, 255, 256, 4096, 30_000}) {
      names.add("x".repeat(length));
      names.add("../".repeat(length / 3));
    }
    return names;
  }

  private static CreateTopicsRequestData create(String... names) {
    CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
    for (String name : names) {
      request
          .topics()
          .add(
              new CreatableTopic()
                  .setName(name)
                  .setNumPartitions(1)
                  .setReplicationFactor((short) 1));
    }
    return request;
  }

  @Test
  void b13NamesMakeNoFileOutsideTheDataDirectory() throws IOException {
    int tried = 0;
    for (String name : hostileNames()) {
      try (RawClient client = client()) {
        var made = client.ask(5, create(name), new CreateTopicsResponseData());
        short code = made.topics().iterator().next().errorCode();
        boolean legal = name.matches("[a-zA-Z0-9._-]{1,249}") && !name.matches("\\.{1,2}");
        assertEquals(legal ? 0 : Errors.INVALID_TOPIC_EXCEPTION.code(), code, name);
        client.ask(
            9,
            new MetadataRequestData()
                .setTopics(List.of(new MetadataRequestTopic().setName(name)))
                .setAllowAutoTopicCreation(true),
            new org.apache.kafka.common.message.MetadataResponseData());
        var found =
            client.ask(
                3,
                new FindCoordinatorRequestData().setKey(name).setKeyType((byte) 0),
                new FindCoordinatorResponseData());
        assertTrue(found.errorCode() >= 0);
        join(client, name);
        client.ask(8, commit(name), new OffsetCommitResponseData());
        var init =
            client.ask(
                4,
                new InitProducerIdRequestData()
                    .setTransactionalId(name)
                    .setTransactionTimeoutMs(1000),
                new InitProducerIdResponseData());
        assertTrue(init.errorCode() >= 0);
        tried += 6;
        client.send(RawClient.frame(3, 9, name, new ApiVersionsRequestData()));
        client.receive();
      }
    }
    // "a.b" and "a_b" would be one metric, as in Kafka.
    try (RawClient client = client()) {
      client.ask(5, create("clash.a"), new CreateTopicsResponseData());
      var clash = client.ask(5, create("clash_a"), new CreateTopicsResponseData());
      assertEquals(
          Errors.INVALID_TOPIC_EXCEPTION.code(), clash.topics().iterator().next().errorCode());
      var internal = client.ask(5, create("__cluster_metadata"), new CreateTopicsResponseData());
      assertTrue(internal.topics().iterator().next().errorCode() != 0);
    }
    assertTrue(tried > 250, tried + " names");
    Set<String> now = names(around, 1);
    now.removeIf(name -> name.endsWith(".log"));
    Set<String> then = new TreeSet<>(before);
    then.removeIf(name -> name.endsWith(".log"));
    assertEquals(then, now);
    for (String name : names(broker.dataDirectory(), 9)) {
      assertTrue(name.matches("[a-zA-Z0-9._/-]*"), name);
    }
    assertServes();
  }

  private static JoinGroupResponseData join(RawClient client, String group) throws IOException {
    JoinGroupRequestData request =
        new JoinGroupRequestData()
            .setGroupId(group)
            .setSessionTimeoutMs(6_000)
            .setRebalanceTimeoutMs(1_000)
            .setProtocolType("consumer");
    request.protocols().add(new JoinGroupRequestProtocol().setName("range"));
    return client.ask(5, request, new JoinGroupResponseData());
  }

  private static OffsetCommitRequestData commit(String group) {
    return new OffsetCommitRequestData()
        .setGroupId(group)
        .setGenerationIdOrMemberEpoch(-1)
        .setTopics(
            List.of(
                new OffsetCommitRequestTopic()
                    .setName("sound")
                    .setPartitions(
                        List.of(new OffsetCommitRequestPartition().setCommittedOffset(1)))));
  }

  // ---- B14

  private static void refusedQuickly(String what, int version, ApiMessage request)
      throws IOException {
    byte[] frame = RawClient.frame(version, 1, "raw", request);
    try (RawClient client = client()) {
      long from = System.nanoTime();
      try {
        client.send(frame);
      } catch (IOException closed) {
        // It was refused before all of it was there.
      }
      assertTrue(client.closedByBroker(), what);
      long ms = (System.nanoTime() - from) / 1_000_000;
      assertTrue(ms < 5_000, what + " took " + ms + " ms");
    }
  }

  @Test
  void b14OneRequestWithAMillionOfAnything() throws IOException {
    List<MetadataRequestTopic> topics = new ArrayList<>();
    List<String> groups = new ArrayList<>();
    CreateTopicsRequestData many = new CreateTopicsRequestData().setTimeoutMs(1000);
    for (int i = 0; i < 1_000_000; i++) {
      topics.add(new MetadataRequestTopic().setName("t" + i));
      groups.add("g" + i);
    }
    refusedQuickly("metadata", 9, new MetadataRequestData().setTopics(topics));
    refusedQuickly("groups described", 5, new DescribeGroupsRequestData().setGroups(groups));
    refusedQuickly("groups deleted", 2, new DeleteGroupsRequestData().setGroupsNames(groups));
    CreatableTopic one = new CreatableTopic().setName("t").setReplicationFactor((short) 1);
    for (int i = 0; i < 5_000; i++) {
      many.topics().mustAdd(one.duplicate().setName("q" + i));
    }
    byte[] same = RawClient.frame(5, 1, "raw", many);
    byte[] text =
        new String(same, java.nio.charset.StandardCharsets.ISO_8859_1)
            .replaceAll("\u0006q[0-9]{4}", "\u0006qAAAA")
            .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
    try (RawClient client = client()) {
      long from = System.nanoTime();
      client.send(text);
      assertTrue(client.closedByBroker(), "topics that fall on each other");
      assertTrue(System.nanoTime() - from < 2_000_000_000L, "it hashed for long");
    }
    try (RawClient client = client()) {
      for (int partitions : new int[] {Integer.MAX_VALUE, 1_000_000, 10_001, 0, -2}) {
        CreateTopicsRequestData request = create("huge");
        request.topics().iterator().next().setNumPartitions(partitions);
        var answer = client.ask(5, request, new CreateTopicsResponseData());
        assertTrue(answer.topics().iterator().next().errorCode() != 0, partitions + " partitions");
        CreatePartitionsRequestData more = new CreatePartitionsRequestData().setTimeoutMs(1000);
        more.topics()
            .add(
                new CreatePartitionsTopic()
                    .setName("sound")
                    .setCount(partitions)
                    .setAssignments(null));
        var grown = client.ask(2, more, new CreatePartitionsResponseData());
        assertTrue(grown.results().getFirst().errorCode() != 0, partitions + " partitions more");
      }
    }
    assertServes();
  }

  // ---- B9

  @Test
  void b9FloodsOfClientsThatMeanNoGood() throws Exception {
    byte[] sound =
        RawClient.frame(
            3,
            1,
            "raw",
            new ApiVersionsRequestData().setClientSoftwareName("a").setClientSoftwareVersion("1"));
    // What both run is compiled now, here and there.
    latencies(sound, () -> false);
    List<RawClient> first = new ArrayList<>();
    flood(sound, first, Math.min(CLIENTS, WARM_UP_CLIENTS));
    for (RawClient client : first) {
      client.reset();
    }
    Latencies quiet = latencies(sound, () -> false);
    long residentBefore = residentKib();
    List<RawClient> held = new ArrayList<>();
    CompletableFuture<Void> flood =
        CompletableFuture.runAsync(() -> flood(sound, held, CLIENTS), Thread.ofPlatform()::start);
    Latencies during = latencies(sound, () -> !flood.isDone());
    flood.join();
    Latencies after = latencies(sound, () -> false);
    long growth = residentKib() - residentBefore;
    for (RawClient client : held) {
      client.reset();
    }
    System.out.printf(
        "%d clients of each of 6 kinds: resident memory grew by %d KiB; a healthy client's %s before,"
            + " %s while they came, %s with them%n",
        CLIENTS, growth, quiet, during, after);
    assertTrue(growth < MAX_GROWTH_KIB, "it grew by " + growth + " KiB");
    if (MOST_P99 > 0) { // where nothing else runs
      assertTrue(during.p99 <= MOST_P99 * quiet.p99, during + " while they came, before: " + quiet);
      assertTrue(after.p99 <= MOST_P99 * quiet.p99, after + " with them, before: " + quiet);
    }
    Await.until(
        Duration.ofSeconds(20),
        () -> "connections stay",
        () -> {
          String page = Broker.http(broker.metricsPort(), "/metrics").body();
          return page.lines()
              .filter(line -> line.startsWith("takhin_active_connections"))
              .anyMatch(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))) <= 3);
        });
    assertServes();
  }

  /// Opens so many connections of each of six kinds; those that stay go to `held`.
  private static void flood(byte[] sound, List<RawClient> held, int clients) {
    long began = System.nanoTime();
    try {
      for (int i = 0; i < clients; i++) {
        held.add(client()); // says nothing
        held.add(client().send(new byte[] {0})); // says one byte
        held.add(client().send(ByteBuffer.allocate(10).putInt(50 << 20).array())); // half a request
        RawClient greedy = client(); // never reads
        greedy.socket().setReceiveBufferSize(4096);
        for (int j = 0; j < 20; j++) {
          greedy.send(sound);
        }
        held.add(greedy);
        RawClient gone = client();
        gone.send(Arrays.copyOf(sound, sound.length / 2));
        gone.reset(); // mid-frame
        client().reset();
        while (PER_SECOND > 0 && 6L * (i + 1) > (System.nanoTime() - began) / 1e9 * PER_SECOND) {
          LockSupport.parkNanos(1_000_000);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A healthy client's requests, in microseconds.
  private record Latencies(int requests, long p50, long p99) {
    @Override
    public String toString() {
      return "p50 " + p50 + " and p99 " + p99 + " us of " + requests + " requests";
    }
  }

  private static Latencies latencies(byte[] request, BooleanSupplier more) throws IOException {
    List<Long> nanos = new ArrayList<>(REQUESTS);
    try (RawClient client = client()) {
      while (nanos.size() < REQUESTS || more.getAsBoolean()) {
        long from = System.nanoTime();
        client.send(request).receive();
        nanos.add(System.nanoTime() - from);
      }
    }
    Collections.sort(nanos);
    int count = nanos.size();
    return new Latencies(count, nanos.get(count / 2) / 1000, nanos.get(count * 99 / 100) / 1000);
  }

  // ---- B21

  @Test
  void b21StatesWithoutEnd() throws Exception {
    long residentBefore = residentKib();
    try (RawClient client = client()) {
      for (int i = 0; i < 10_000; i++) {
        JoinGroupResponseData joined = join(client, "crowd");
        assertEquals(Errors.MEMBER_ID_REQUIRED.code(), joined.errorCode());
      }
      for (int i = 0; i < SESSIONS; i++) {
        client.send(RawClient.frame(12, i, "raw", new FetchRequestData().setSessionEpoch(0)));
        client.receive();
      }
    }
    String page = Broker.http(broker.metricsPort(), "/metrics").body();
    double sessions =
        page.lines()
            .filter(line -> line.startsWith("takhin_kafka_fetch_sessions "))
            .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
            .sum();
    assertTrue(sessions <= 1000, sessions + " sessions");
    pipelineWithoutReading();
    long growth = residentKib() - residentBefore;
    System.out.println("states without end: resident memory grew by " + growth + " KiB");
    assertTrue(growth < MAX_GROWTH_KIB, "it grew by " + growth + " KiB");
    assertServes();
  }

  private static void pipelineWithoutReading() throws Exception {
    byte[] request = RawClient.frame(0, 1, "raw", new MetadataRequestData().setTopics(List.of()));
    ByteBuffer many = ByteBuffer.allocate(1000 * request.length);
    while (many.hasRemaining()) {
      many.put(request);
    }
    RawClient client = client();
    client.socket().setReceiveBufferSize(4096);
    java.util.concurrent.atomic.AtomicInteger sent =
        new java.util.concurrent.atomic.AtomicInteger();
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (int i = 0; i < 1000; i++) {
                      client.send(many.array());
                      sent.incrementAndGet();
                    }
                  } catch (IOException closed) {
                    // The test closes it.
                  }
                });
    int last = -1;
    while (last != sent.get() && writer.isAlive()) {
      last = sent.get();
      writer.join(500);
    }
    assertTrue(writer.isAlive(), "the broker took a million requests and kept the answers");
    client.reset();
    writer.join();
  }

  // ---- B8

  @Test
  void b8BytesOfOneClientDoNotReachAnother() throws Exception {
    String canary = "CANARY-7f3a9c-";
    byte[] wanted = canary.getBytes(UTF_8);
    byte[] fill = canary.repeat(4_000).getBytes(UTF_8);
    for (int round = 0; round < 200; round++) {
      try (RawClient hostile = client()) {
        // Fills receive buffers, half of the time with a frame that is never whole.
        ByteBuffer frame = ByteBuffer.allocate(12 + fill.length);
        frame.putInt(round % 2 == 0 ? 8 + fill.length : 1 << 20);
        frame.putShort((short) 3).putShort((short) (round % 4 == 0 ? 99 : 9)).putInt(1).put(fill);
        hostile.send(frame.array());
        // And response buffers: names that come back in answers.
        try (RawClient named = client()) {
          named.send(
              RawClient.frame(
                  9,
                  1,
                  canary.repeat(100),
                  new MetadataRequestData()
                      .setAllowAutoTopicCreation(false)
                      .setTopics(
                          List.of(new MetadataRequestTopic().setName(canary.repeat(1_000))))));
          named.receive();
        }
        if (round % 2 == 0) {
          hostile.closedByBroker();
        }
        hostile.reset();
      } catch (IOException closed) {
        continue;
      }
      try (RawClient sound = client()) {
        List<byte[]> answers = new ArrayList<>();
        for (ApiMessage request :
            List.of(
                new MetadataRequestData().setTopics(null),
                new FetchRequestData().setMaxWaitMs(0),
                new DescribeGroupsRequestData().setGroups(List.of("g" + round)),
                commit("canary-free-" + round % 10),
                create("canaryfree." + round % 5))) {
          int version = request instanceof MetadataRequestData ? 9 : 5;
          answers.add(sound.send(RawClient.frame(version, 1, "raw", request)).receive());
        }
        for (byte[] answer : answers) {
          assertFalse(holds(answer, wanted), "an answer of round " + round + " has the canary");
        }
      }
    }
    try (Stream<Path> files = Files.walk(broker.dataDirectory())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertFalse(holds(Files.readAllBytes(file), wanted), file + " has the canary");
      }
    }
  }

  private static boolean holds(byte[] all, byte[] wanted) {
    for (int i = 0; i + wanted.length <= all.length; i++) {
      if (all[i] == wanted[0]
          && Arrays.equals(all, i, i + wanted.length, wanted, 0, wanted.length)) {
        return true;
      }
    }
    return false;
  }
}
