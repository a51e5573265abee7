package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.Assignment;
import io.takhin.api.group.GroupCoordinator.GroupDescription;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.LeaveResult;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.ListedGroup;
import io.takhin.api.group.GroupCoordinator.ListedGroups;
import io.takhin.api.group.GroupCoordinator.MemberDescription;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.api.group.GroupCoordinator.SyncRequest;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import io.takhin.api.transaction.TransactionCoordinator;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroupMember;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupResponseData.MemberResponse;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// The classic group protocol: FindCoordinator, JoinGroup, SyncGroup, LeaveGroup, and
/// DescribeGroups, ListGroups, DeleteGroups. What members tell each other stays opaque (T66).
final class GroupApis {
  private static final byte KEY_GROUP = 0;
  private static final byte KEY_TRANSACTION = 1;
  private static final byte KEY_SHARE = 2;

  private final Cluster cluster;
  private final GroupCoordinator groups;

  private final @Nullable TransactionCoordinator transactions;

  /// APIs of groups, and the search for coordinators.
  ///
  /// @param transactions null in a broker without that coordinator
  GroupApis(
      Cluster cluster, GroupCoordinator groups, @Nullable TransactionCoordinator transactions) {
    this.cluster = cluster;
    this.groups = groups;
    this.transactions = transactions;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.FIND_COORDINATOR, this::findCoordinator),
        MessageApi.all(ApiKeys.JOIN_GROUP, this::join),
        MessageApi.all(ApiKeys.SYNC_GROUP, this::sync),
        MessageApi.all(ApiKeys.LEAVE_GROUP, this::leave),
        MessageApi.all(ApiKeys.DESCRIBE_GROUPS, this::describe),
        MessageApi.all(ApiKeys.LIST_GROUPS, this::list),
        MessageApi.all(ApiKeys.DELETE_GROUPS, this::delete));
  }

  private void findCoordinator(Exchange exchange, FindCoordinatorRequestData request) {
    List<String> keys = exchange.version() < 4 ? List.of(request.key()) : request.coordinatorKeys();
    List<CompletableFuture<Coordinator>> found = new ArrayList<>(keys.size());
    for (String key : keys) {
      found.add(coordinator(request.keyType(), key, exchange.listener()));
    }
    Conversions.answer(
        exchange,
        CompletableFuture.allOf(found.toArray(CompletableFuture[]::new)),
        done -> {
          FindCoordinatorResponseData response = new FindCoordinatorResponseData();
          if (exchange.version() >= 4) {
            found.forEach(future -> response.coordinators().add(future.join()));
            return response;
          }
          Coordinator only = found.getFirst().join();
          return response
              .setErrorCode(only.errorCode())
              .setErrorMessage(only.errorMessage())
              .setNodeId(only.nodeId())
              .setHost(only.host())
              .setPort(only.port());
        });
  }

  /// A partition of the topic in which a coordinator keeps its state.
  private record Place(String topic, ErrorCode error, int partition) {}

  private CompletableFuture<Coordinator> coordinator(byte keyType, String key, String listener) {
    TransactionCoordinator ofTransactions = transactions;
    CompletableFuture<Place> place;
    if (keyType == KEY_GROUP) {
      place =
          groups
              .partitionFor(key)
              .thenApply(
                  found ->
                      new Place(Topic.GROUP_METADATA_TOPIC_NAME, found.error(), found.partition()));
    } else if (keyType == KEY_TRANSACTION && ofTransactions != null) {
      place =
          ofTransactions
              .partitionFor(key)
              .thenApply(
                  found ->
                      new Place(
                          Topic.TRANSACTION_STATE_TOPIC_NAME, found.error(), found.partition()));
    } else {
      // What Kafka answers for a kind of coordinator that it does not run. A retriable code such
      // as COORDINATOR_NOT_AVAILABLE would keep clients asking until they time out.
      return CompletableFuture.completedFuture(
          none(
              key,
              ErrorCode.INVALID_REQUEST,
              switch (keyType) {
                case KEY_TRANSACTION -> "This broker has no transaction coordinator.";
                case KEY_SHARE -> "This broker has no share coordinator.";
                default -> "Unknown coordinator key type " + keyType;
              }));
    }
    return place.handle(
        (found, failure) ->
            failure != null
                ? none(key, ErrorCode.COORDINATOR_NOT_AVAILABLE, null)
                : coordinator(found, key, listener));
  }

  private Coordinator coordinator(Place place, String key, String listener) {
    if (place.error() != ErrorCode.NONE) {
      return none(key, place.error(), null);
    }
    MetadataImage image = cluster.image();
    TopicImage topic = image.topic(place.topic());
    if (topic == null || place.partition() >= topic.partitions().size()) {
      return none(key, ErrorCode.COORDINATOR_NOT_AVAILABLE, null);
    }
    int leader = topic.partitions().get(place.partition()).leader();
    Endpoint endpoint = Conversions.endpoints(image, listener).get(leader);
    if (endpoint == null) {
      return none(key, ErrorCode.COORDINATOR_NOT_AVAILABLE, null);
    }
    return new Coordinator()
        .setKey(key)
        .setNodeId(leader)
        .setHost(endpoint.host())
        .setPort(endpoint.port());
  }

  private static Coordinator none(String key, ErrorCode error, @Nullable String message) {
    return new Coordinator()
        .setKey(key)
        .setNodeId(-1)
        .setHost("")
        .setPort(-1)
        .setErrorCode(error.code())
        .setErrorMessage(Conversions.message(error, message));
  }

  private void join(Exchange exchange, JoinGroupRequestData request) {
    short version = exchange.version();
    List<Protocol> protocols = new ArrayList<>(request.protocols().size());
    for (JoinGroupRequestProtocol protocol : request.protocols()) {
      protocols.add(new Protocol(protocol.name(), protocol.metadata()));
    }
    JoinRequest join =
        new JoinRequest(
            request.groupId(),
            request.memberId(),
            request.groupInstanceId(),
            Objects.requireNonNullElse(exchange.clientId(), ""),
            "/" + exchange.clientAddress().getHostAddress(),
            request.protocolType(),
            protocols,
            request.sessionTimeoutMs(),
            // Version 0 had one timeout for both.
            version == 0 ? request.sessionTimeoutMs() : request.rebalanceTimeoutMs(),
            version >= 4,
            version >= 9,
            request.reason());
    Conversions.answer(exchange, groups.join(join), result -> joined(version, result));
  }

  private static JoinGroupResponseData joined(short version, JoinResult result) {
    List<JoinGroupResponseMember> members = new ArrayList<>(result.members().size());
    for (JoinedMember member : result.members()) {
      members.add(
          new JoinGroupResponseMember()
              .setMemberId(member.memberId())
              .setGroupInstanceId(member.instanceId())
              .setMetadata(member.metadata()));
    }
    String protocol = result.protocolName();
    return new JoinGroupResponseData()
        .setErrorCode(result.error().code())
        .setGenerationId(result.generation())
        .setProtocolType(result.protocolType())
        .setProtocolName(protocol == null && version < 7 ? "" : protocol)
        .setLeader(result.leader())
        // A member of an older version is never told to skip: it did not say that it can.
        .setSkipAssignment(version >= 9 && result.skipAssignment())
        .setMemberId(result.memberId())
        .setMembers(members);
  }

  private void sync(Exchange exchange, SyncGroupRequestData request) {
    List<Assignment> assignments = new ArrayList<>(request.assignments().size());
    for (SyncGroupRequestAssignment assignment : request.assignments()) {
      assignments.add(new Assignment(assignment.memberId(), assignment.assignment()));
    }
    boolean namesProtocol = request.protocolType() != null && request.protocolName() != null;
    if (exchange.version() >= 5 && !namesProtocol) {
      // Mandatory since KIP-559.
      exchange.respond(
          new SyncGroupResponseData()
              .setErrorCode(ErrorCode.INCONSISTENT_GROUP_PROTOCOL.code())
              .setAssignment(new byte[0]));
      return;
    }
    SyncRequest sync =
        new SyncRequest(
            request.groupId(),
            request.generationId(),
            request.memberId(),
            request.groupInstanceId(),
            request.protocolType(),
            request.protocolName(),
            assignments);
    Conversions.answer(exchange, groups.sync(sync), GroupApis::synced);
  }

  private static SyncGroupResponseData synced(SyncResult result) {
    return new SyncGroupResponseData()
        .setErrorCode(result.error().code())
        .setProtocolType(result.protocolType())
        .setProtocolName(result.protocolName())
        .setAssignment(result.assignment());
  }

  private void leave(Exchange exchange, LeaveGroupRequestData request) {
    boolean batch = exchange.version() >= 3;
    List<LeavingMember> members = new ArrayList<>();
    if (batch) {
      for (MemberIdentity member : request.members()) {
        members.add(
            new LeavingMember(member.memberId(), member.groupInstanceId(), member.reason()));
      }
    } else {
      members.add(new LeavingMember(request.memberId(), null, null));
    }
    Conversions.answer(
        exchange,
        groups.leave(request.groupId(), members),
        result -> batch ? left(members, result) : left(result));
  }

  /// Before version 3 one member left, and its error was the answer's.
  private static LeaveGroupResponseData left(LeaveResult result) {
    ErrorCode error = result.error();
    if (error == ErrorCode.NONE && !result.members().isEmpty()) {
      error = result.members().getFirst();
    }
    return new LeaveGroupResponseData().setErrorCode(error.code());
  }

  private static LeaveGroupResponseData left(List<LeavingMember> members, LeaveResult result) {
    LeaveGroupResponseData response =
        new LeaveGroupResponseData().setErrorCode(result.error().code());
    if (result.error() != ErrorCode.NONE) {
      return response;
    }
    for (int i = 0; i < members.size(); i++) {
      response
          .members()
          .add(
              new MemberResponse()
                  .setMemberId(members.get(i).memberId())
                  .setGroupInstanceId(members.get(i).instanceId())
                  .setErrorCode(result.members().get(i).code()));
    }
    return response;
  }

  private void describe(Exchange exchange, DescribeGroupsRequestData request) {
    short version = exchange.version();
    boolean operations = version >= 3 && request.includeAuthorizedOperations();
    // Once however often it is asked for: a group's members say much more than its name.
    Conversions.answer(
        exchange,
        groups.describe(List.copyOf(new LinkedHashSet<>(request.groups()))),
        descriptions -> {
          List<DescribedGroup> described = new ArrayList<>(descriptions.size());
          descriptions.forEach(group -> described.add(described(version, operations, group)));
          return new DescribeGroupsResponseData().setGroups(described);
        });
  }

  private static DescribedGroup described(
      short version, boolean operations, GroupDescription group) {
    ErrorCode error = group.error();
    DescribedGroup described =
        new DescribedGroup()
            .setGroupId(group.groupId())
            .setGroupState(group.state())
            .setProtocolType(group.protocolType())
            .setProtocolData(group.protocol());
    if (version >= 6) {
      described.setErrorMessage(Conversions.message(error, group.message()));
    } else if (error == ErrorCode.GROUP_ID_NOT_FOUND) {
      // Older clients know a missing group as one that is dead, without an error (T41).
      error = ErrorCode.NONE;
    }
    if (operations && error == ErrorCode.NONE) {
      described.setAuthorizedOperations(AuthorizedOperations.GROUP);
    }
    for (MemberDescription member : group.members()) {
      described
          .members()
          .add(
              new DescribedGroupMember()
                  .setMemberId(member.memberId())
                  .setGroupInstanceId(member.instanceId())
                  .setClientId(member.clientId())
                  .setClientHost(member.clientHost())
                  .setMemberMetadata(member.metadata())
                  .setMemberAssignment(member.assignment()));
    }
    return described.setErrorCode(error.code());
  }

  private void list(Exchange exchange, ListGroupsRequestData request) {
    ListedGroups listed =
        groups.list(new HashSet<>(request.statesFilter()), new HashSet<>(request.typesFilter()));
    List<ListGroupsResponseData.ListedGroup> answer = new ArrayList<>(listed.groups().size());
    for (ListedGroup group : listed.groups()) {
      answer.add(
          new ListGroupsResponseData.ListedGroup()
              .setGroupId(group.groupId())
              .setProtocolType(group.protocolType())
              .setGroupState(group.state())
              .setGroupType(group.type()));
    }
    exchange.respond(
        new ListGroupsResponseData().setErrorCode(listed.error().code()).setGroups(answer));
  }

  private void delete(Exchange exchange, DeleteGroupsRequestData request) {
    List<String> names = List.copyOf(new LinkedHashSet<>(request.groupsNames()));
    Conversions.answer(
        exchange,
        groups.deleteGroups(names),
        errors -> {
          DeleteGroupsResponseData response = new DeleteGroupsResponseData();
          for (int i = 0; i < names.size(); i++) {
            ErrorCode error = errors.get(i);
            response
                .results()
                .add(
                    new InOrder.DeletedGroup(i)
                        .setGroupId(names.get(i))
                        .setErrorCode(error.code())
                        .setErrorMessage(Conversions.message(error, (String) null)));
          }
          return response;
        });
  }
}
