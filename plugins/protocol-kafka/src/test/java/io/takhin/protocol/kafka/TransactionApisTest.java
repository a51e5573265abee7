package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import io.takhin.api.transaction.TransactionCoordinator.ListedTransaction;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.testkit.partition.InMemoryPartitionService;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnResult;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnTopicResult;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarkerTopic;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the APIs of transactions make of requests and of the coordinators' answers.
class TransactionApisTest {
  private final InMemoryPartitionService partitions = new InMemoryPartitionService();
  private final ScriptedGroups groups = new ScriptedGroups();
  private final ScriptedTransactions transactions = new ScriptedTransactions();
  private final List<MessageApi<?>> apis = new ArrayList<>();

  @BeforeEach
  void setUp() {
    partitions.start();
    partitions.createTopic("orders", 2);
    partitions.createTopic("__consumer_offsets", 1);
    partitions.createTopic("__transaction_state", 1);
    apis.addAll(
        ServedApis.all(
            TestBroker.DEFAULTS.config(),
            partitions.context(),
            partitions.cluster(),
            partitions,
            groups,
            transactions));
  }

  private <R extends ApiMessage> R ask(ApiKeys key, int version, ApiMessage request) {
    return new RecordingExchange(key, version).ask(apis, request).response();
  }

  private static AddPartitionsToTxnTopicCollection topics(String name, Integer... indexes) {
    var topics = new AddPartitionsToTxnTopicCollection();
    topics.add(new AddPartitionsToTxnTopic().setName(name).setPartitions(List.of(indexes)));
    return topics;
  }

  private static AddPartitionsToTxnRequestData addOrders(Integer... indexes) {
    return new AddPartitionsToTxnRequestData()
        .setV3AndBelowTransactionalId("t")
        .setV3AndBelowProducerId(7)
        .setV3AndBelowProducerEpoch((short) 3)
        .setV3AndBelowTopics(topics("orders", indexes));
  }

  private static List<Short> codes(Iterable<AddPartitionsToTxnTopicResult> results) {
    List<Short> codes = new ArrayList<>();
    for (AddPartitionsToTxnTopicResult topic : results) {
      topic.resultsByPartition().forEach(each -> codes.add(each.partitionErrorCode()));
    }
    return codes;
  }

  private List<Short> added(int version, Integer... indexes) {
    AddPartitionsToTxnResponseData response =
        ask(ApiKeys.ADD_PARTITIONS_TO_TXN, version, addOrders(indexes));
    return codes(response.resultsByTopicV3AndBelow());
  }

  @Test
  void partitionsAreAddedUnderTheProducersIdentity() {
    assertEquals(List.of((short) 0, (short) 0), added(3, 0, 1));
    assertEquals(
        new ScriptedTransactions.Partitions(
            "t", 7, false, List.of(new TxnPartition("orders", 0), new TxnPartition("orders", 1))),
        transactions.lastAsked());
  }

  @Test
  void t49OneUnknownPartitionStopsAll() {
    assertEquals(
        List.of(
            ErrorCode.OPERATION_NOT_ATTEMPTED.code(), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.code()),
        added(3, 1, 2));
    assertTrue(transactions.asked.isEmpty(), "the coordinator is not asked");
  }

  @Test
  void t49BatchesAddAndVerifyByTransaction() {
    AddPartitionsToTxnRequestData request = new AddPartitionsToTxnRequestData();
    request
        .transactions()
        .add(
            new AddPartitionsToTxnTransaction()
                .setTransactionalId("a")
                .setProducerId(1)
                .setTopics(topics("orders", 0)));
    request
        .transactions()
        .add(
            new AddPartitionsToTxnTransaction()
                .setTransactionalId("b")
                .setProducerId(2)
                .setVerifyOnly(true)
                .setTopics(topics("orders", 1)));
    transactions.answer = ErrorCode.TRANSACTION_ABORTABLE;
    AddPartitionsToTxnResponseData response = ask(ApiKeys.ADD_PARTITIONS_TO_TXN, 5, request);
    List<String> ids = new ArrayList<>();
    for (AddPartitionsToTxnResult each : response.resultsByTransaction()) {
      ids.add(each.transactionalId());
      assertEquals(List.of(ErrorCode.TRANSACTION_ABORTABLE.code()), codes(each.topicResults()));
    }
    assertEquals(List.of("a", "b"), ids);
    assertEquals(
        List.of(
            new ScriptedTransactions.Partitions(
                "a", 1, false, List.of(new TxnPartition("orders", 0))),
            new ScriptedTransactions.Partitions(
                "b", 2, true, List.of(new TxnPartition("orders", 1)))),
        transactions.asked);
  }

  @ParameterizedTest
  @CsvSource({
    "INIT_PRODUCER_ID, 4, 5",
    "ADD_PARTITIONS_TO_TXN, 2, 5",
    "ADD_OFFSETS_TO_TXN, 2, 4",
    "END_TXN, 2, 4"
  })
  void t46ErrorsAreThoseThatTheVersionKnows(ApiKeys key, int knowsFenced, int knowsAbortable) {
    int latest = key == ApiKeys.INIT_PRODUCER_ID ? 5 : key.latestVersion();
    for (int version = 0; version <= latest; version++) {
      transactions.answer = ErrorCode.PRODUCER_FENCED;
      assertEquals(
          version < knowsFenced ? ErrorCode.INVALID_PRODUCER_EPOCH : ErrorCode.PRODUCER_FENCED,
          error(key, version),
          key + " v" + version);
      transactions.answer = ErrorCode.TRANSACTION_ABORTABLE;
      assertEquals(
          version < knowsAbortable ? ErrorCode.INVALID_TXN_STATE : ErrorCode.TRANSACTION_ABORTABLE,
          error(key, version),
          key + " v" + version);
    }
  }

  private ErrorCode error(ApiKeys key, int version) {
    short code =
        switch (key) {
          case INIT_PRODUCER_ID -> init(version).errorCode();
          case ADD_PARTITIONS_TO_TXN -> {
            if (version < 4) {
              yield added(version, 0).getFirst();
            }
            AddPartitionsToTxnRequestData batch = new AddPartitionsToTxnRequestData();
            batch
                .transactions()
                .add(
                    new AddPartitionsToTxnTransaction()
                        .setTransactionalId("t")
                        .setTopics(topics("orders", 0)));
            AddPartitionsToTxnResponseData response = ask(key, version, batch);
            yield codes(response.resultsByTransaction().iterator().next().topicResults())
                .getFirst();
          }
          case ADD_OFFSETS_TO_TXN ->
              this.<AddOffsetsToTxnResponseData>ask(
                      key,
                      version,
                      new AddOffsetsToTxnRequestData().setTransactionalId("t").setGroupId("g"))
                  .errorCode();
          case END_TXN -> end(version).errorCode();
          default -> throw new IllegalArgumentException(key.name);
        };
    return ErrorCode.of(code);
  }

  private InitProducerIdResponseData init(int version) {
    return ask(
        ApiKeys.INIT_PRODUCER_ID,
        version,
        new InitProducerIdRequestData().setTransactionalId("t").setTransactionTimeoutMs(60_000));
  }

  private EndTxnResponseData end(int version) {
    return ask(
        ApiKeys.END_TXN,
        version,
        new EndTxnRequestData()
            .setTransactionalId("t")
            .setProducerId(7)
            .setProducerEpoch((short) 3)
            .setCommitted(true));
  }

  @Test
  void aTransactionalProducerGetsItsIdFromTheCoordinator() {
    InitProducerIdResponseData answer = init(5);
    assertEquals(7, answer.producerId());
    assertEquals(3, answer.producerEpoch());
    assertEquals(
        new ScriptedTransactions.Init("t", 60_000, -1, (short) -1), transactions.lastAsked());
    transactions.answer = ErrorCode.INVALID_TRANSACTION_TIMEOUT;
    assertEquals(ErrorCode.INVALID_TRANSACTION_TIMEOUT.code(), init(2).errorCode());
    assertEquals(-1, init(2).producerId());
  }

  @Test
  void t48EndTxnBumpsTheEpochFromVersion5() {
    assertEquals(-1, end(4).producerEpoch());
    assertEquals(
        new ScriptedTransactions.End("t", 7, (short) 3, true, false), transactions.lastAsked());
    assertEquals(4, end(5).producerEpoch());
    assertEquals(7, end(5).producerId());
    assertEquals(
        new ScriptedTransactions.End("t", 7, (short) 3, true, true), transactions.lastAsked());
    transactions.answer = ErrorCode.INVALID_TXN_STATE;
    assertEquals(-1, end(5).producerEpoch());
  }

  private TxnOffsetCommitResponseData commit(int version, int... indexes) {
    TxnOffsetCommitRequestTopic topic =
        new TxnOffsetCommitRequestTopic()
            .setName("orders")
            .setTopicId(
                Conversions.uuid(
                    Objects.requireNonNull(partitions.cluster().image().topic("orders")).id()));
    for (int index : indexes) {
      topic
          .partitions()
          .add(
              new TxnOffsetCommitRequestPartition()
                  .setPartitionIndex(index)
                  .setCommittedOffset(42)
                  .setCommittedMetadata(null));
    }
    TxnOffsetCommitRequestData request =
        new TxnOffsetCommitRequestData()
            .setTransactionalId("t")
            .setGroupId("g")
            .setProducerId(7)
            .setProducerEpoch((short) 3)
            .setTopics(List.of(topic));
    if (version >= 3) {
      request.setGenerationIdOrMemberEpoch(5).setMemberId("m").setGroupInstanceId("i");
    }
    return ask(ApiKeys.TXN_OFFSET_COMMIT, version, request);
  }

  private static short code(TxnOffsetCommitResponseData response) {
    return response.topics().getFirst().partitions().getFirst().errorCode();
  }

  @Test
  void t48OffsetsJoinTheTransactionByThemselvesFromVersion5() {
    assertEquals(0, code(commit(5, 0)));
    assertEquals(new ScriptedTransactions.Group("t", 7, (short) 3, "g"), transactions.lastAsked());
    assertEquals(0, code(commit(4, 0)));
    assertEquals(
        new ScriptedTransactions.Partitions(
            "t", 7, true, List.of(new TxnPartition("__consumer_offsets", 0))),
        transactions.lastAsked(),
        "before that it is verified that they have");
    TxnCommitRequest asked = assertInstanceOf(TxnCommitRequest.class, groups.asked.getLast());
    assertEquals(5, asked.generation());
    assertEquals("m", asked.memberId());
    assertEquals("i", asked.instanceId());
    assertEquals(42, asked.offsets().getFirst().offset());
  }

  @Test
  void noOffsetIsPendingThatNoMarkerWillEnd() {
    for (int version = 0; version <= ApiKeys.TXN_OFFSET_COMMIT.latestVersion(); version++) {
      groups.asked.clear();
      transactions.answer = ErrorCode.TRANSACTION_ABORTABLE;
      assertEquals(
          version < 4 ? ErrorCode.INVALID_TXN_STATE.code() : ErrorCode.TRANSACTION_ABORTABLE.code(),
          code(commit(version, 0)));
      transactions.answer = ErrorCode.PRODUCER_FENCED;
      assertEquals(ErrorCode.INVALID_PRODUCER_EPOCH.code(), code(commit(version, 0)));
      transactions.answer = ErrorCode.NOT_COORDINATOR;
      assertEquals(
          version < 2
              ? ErrorCode.COORDINATOR_NOT_AVAILABLE.code()
              : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS.code(),
          code(commit(version, 0)));
      assertTrue(groups.asked.stream().noneMatch(TxnCommitRequest.class::isInstance));
    }
  }

  @Test
  void unknownPartitionsAreRefusedAndTheOthersCommitted() {
    for (int version : new int[] {2, 5, 6}) {
      TxnOffsetCommitResponseData response = commit(version, 5, 1);
      var answers = response.topics().getFirst().partitions();
      assertEquals(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.code(), answers.getFirst().errorCode());
      assertEquals(0, answers.get(1).errorCode());
      TxnCommitRequest asked = groups.lastAsked();
      assertEquals(1, asked.offsets().size());
      assertEquals("orders", asked.offsets().getFirst().topic());
    }
  }

  @Test
  void t50MarkersForUnknownPartitionsDoNotHoldUpTheOthers() {
    WritableTxnMarker marker =
        new WritableTxnMarker()
            .setProducerId(7)
            .setProducerEpoch((short) 4)
            .setTransactionResult(true)
            .setTransactionVersion((byte) 2)
            .setTopics(
                List.of(
                    new WritableTxnMarkerTopic().setName("gone").setPartitionIndexes(List.of(0)),
                    new WritableTxnMarkerTopic()
                        .setName("__consumer_offsets")
                        .setPartitionIndexes(List.of(0, 9))));
    WriteTxnMarkersResponseData response =
        ask(
            ApiKeys.WRITE_TXN_MARKERS,
            2,
            new WriteTxnMarkersRequestData().setMarkers(List.of(marker)));
    var result = response.markers().getFirst();
    assertEquals(7, result.producerId());
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.code(),
        result.topics().get(0).partitions().getFirst().errorCode());
    assertEquals(0, result.topics().get(1).partitions().get(0).errorCode());
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.code(),
        result.topics().get(1).partitions().get(1).errorCode());
    assertEquals(new ScriptedGroups.Marker(0, 7, (short) 4, true, 2), groups.<Object>lastAsked());
    groups.marked = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    response =
        ask(
            ApiKeys.WRITE_TXN_MARKERS,
            1,
            new WriteTxnMarkersRequestData().setMarkers(List.of(marker)));
    assertEquals(
        ErrorCode.NOT_LEADER_OR_FOLLOWER.code(),
        response.markers().getFirst().topics().get(1).partitions().getFirst().errorCode());
  }

  @Test
  void transactionsAreListedByFiltersAndDescribed() {
    transactions.listed = List.of(new ListedTransaction("t", 7, "Ongoing"));
    ListTransactionsResponseData listed =
        ask(
            ApiKeys.LIST_TRANSACTIONS,
            2,
            new ListTransactionsRequestData()
                .setStateFilters(List.of("Ongoing"))
                .setProducerIdFilters(List.of(7L))
                .setDurationFilter(1_000)
                .setTransactionalIdPattern("t.*"));
    assertEquals(
        new ScriptedTransactions.Filters(Set.of("Ongoing"), Set.of(7L), 1_000, "t.*"),
        transactions.lastAsked());
    assertEquals("Ongoing", listed.transactionStates().getFirst().transactionState());
    assertEquals(List.of("Odd"), listed.unknownStateFilters());
    ask(ApiKeys.LIST_TRANSACTIONS, 0, new ListTransactionsRequestData());
    assertEquals(
        new ScriptedTransactions.Filters(Set.of(), Set.of(), -1, null), transactions.lastAsked());

    transactions.described = List.of(new TxnPartition("orders", 1), new TxnPartition("orders", 0));
    DescribeTransactionsResponseData described =
        ask(
            ApiKeys.DESCRIBE_TRANSACTIONS,
            0,
            new DescribeTransactionsRequestData().setTransactionalIds(List.of("t")));
    var state = described.transactionStates().getFirst();
    assertEquals(5, state.transactionStartTimeMs());
    assertEquals(List.of(1, 0), state.topics().iterator().next().partitions());
    transactions.answer = ErrorCode.TRANSACTIONAL_ID_NOT_FOUND;
    described =
        ask(
            ApiKeys.DESCRIBE_TRANSACTIONS,
            0,
            new DescribeTransactionsRequestData().setTransactionalIds(List.of("t")));
    assertEquals(
        ErrorCode.TRANSACTIONAL_ID_NOT_FOUND.code(),
        described.transactionStates().getFirst().errorCode());
    assertEquals("t", described.transactionStates().getFirst().transactionalId());
  }

  @Test
  void theCoordinatorOfAnIdLeadsItsPartition() {
    for (int version : new int[] {1, 6}) {
      FindCoordinatorRequestData request = new FindCoordinatorRequestData().setKeyType((byte) 1);
      if (version < 4) {
        request.setKey("t");
      } else {
        request.setCoordinatorKeys(List.of("t"));
      }
      FindCoordinatorResponseData found = ask(ApiKeys.FIND_COORDINATOR, version, request);
      assertEquals(
          partitions.cluster().nodeId(),
          version < 4 ? found.nodeId() : found.coordinators().getFirst().nodeId());
      assertEquals("t", transactions.lastAsked());
    }
  }
}
