package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.Requests.ask;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Requests to groups. A member is a slot: what JoinGroup tells of its id goes there.
final class GroupRequests {
  private GroupRequests() {}

  /// Who asks: the group, the slot whose member id is used, the instance id, the generation.
  record As(String group, String slot, @Nullable String instance, ToIntFunction<State> generation) {
    static As member(String group, String slot) {
      return new As(group, slot, null, s -> s.generation(group));
    }

    As instance(String id) {
      return new As(group, slot, id, generation);
    }

    As generation(int number) {
      return new As(group, slot, instance, _ -> number);
    }

    String id(State s) {
      return slot.startsWith("!") ? slot.substring(1) : s.member(slot);
    }
  }

  /// What a JoinGroup says beside who asks.
  record Terms(String type, int sessionMs, int rebalanceMs, List<String> protocols) {
    static final Terms CONSUMER = new Terms("consumer", 30_000, 30_000, List.of("range"));

    Terms supporting(String... names) {
      return new Terms(type, sessionMs, rebalanceMs, List.of(names));
    }

    Terms type(String name) {
      return new Terms(name, sessionMs, rebalanceMs, protocols);
    }

    Terms session(int ms) {
      return new Terms(type, ms, rebalanceMs, protocols);
    }
  }

  static Step join(int version, As as, Terms terms) {
    return ask(
            ApiKeys.JOIN_GROUP,
            version,
            s -> {
              JoinGroupRequestData request =
                  new JoinGroupRequestData()
                      .setGroupId(s.name(as.group()))
                      .setMemberId(as.id(s))
                      .setProtocolType(terms.type())
                      .setSessionTimeoutMs(terms.sessionMs());
              if (version >= 1) {
                request.setRebalanceTimeoutMs(terms.rebalanceMs());
              }
              if (version >= 5) {
                request.setGroupInstanceId(as.instance());
              }
              for (String name : terms.protocols()) {
                request
                    .protocols()
                    .mustAdd(
                        new JoinGroupRequestData.JoinGroupRequestProtocol()
                            .setName(name)
                            .setMetadata(subscription(s)));
              }
              return request;
            })
        .as(as.slot());
  }

  private static byte[] subscription(State s) {
    ByteBuffer bytes =
        ConsumerProtocol.serializeSubscription(
            new ConsumerPartitionAssignor.Subscription(List.of("t" + s.prefix().length())),
            (short) 0);
    byte[] array = new byte[bytes.remaining()];
    bytes.get(array);
    return array;
  }

  /// Joins as a client does: with the id that the first answer of version 4 and later gives.
  static List<Step> joined(int version, As as, Terms terms) {
    Step join = join(version, as, terms);
    return version >= 4 && as.instance() == null ? List.of(join, join) : List.of(join);
  }

  static Step sync(int version, As as, String... membersAndAssignments) {
    return syncAs(version, as, "consumer", "range", membersAndAssignments);
  }

  static Step syncAs(
      int version,
      As as,
      @Nullable String type,
      @Nullable String protocol,
      String... membersAndAssignments) {
    return ask(
        ApiKeys.SYNC_GROUP,
        version,
        s -> {
          SyncGroupRequestData request =
              new SyncGroupRequestData()
                  .setGroupId(s.name(as.group()))
                  .setMemberId(as.id(s))
                  .setGenerationId(as.generation().applyAsInt(s));
          if (version >= 3) {
            request.setGroupInstanceId(as.instance());
          }
          if (version >= 5) {
            request.setProtocolType(type).setProtocolName(protocol);
          }
          for (int i = 0; i < membersAndAssignments.length; i += 2) {
            request
                .assignments()
                .add(
                    new SyncGroupRequestData.SyncGroupRequestAssignment()
                        .setMemberId(s.member(membersAndAssignments[i]))
                        .setAssignment(
                            membersAndAssignments[i + 1].getBytes(StandardCharsets.UTF_8)));
          }
          return request;
        });
  }

  static Step heartbeat(int version, As as) {
    return ask(
        ApiKeys.HEARTBEAT,
        version,
        s -> {
          HeartbeatRequestData request =
              new HeartbeatRequestData()
                  .setGroupId(s.name(as.group()))
                  .setMemberId(as.id(s))
                  .setGenerationId(as.generation().applyAsInt(s));
          return version >= 3 ? request.setGroupInstanceId(as.instance()) : request;
        });
  }

  static Step leave(int version, As... members) {
    return ask(
        ApiKeys.LEAVE_GROUP,
        version,
        s -> {
          LeaveGroupRequestData request =
              new LeaveGroupRequestData().setGroupId(s.name(members[0].group()));
          if (version < 3) {
            return request.setMemberId(members[0].id(s));
          }
          for (As member : members) {
            request
                .members()
                .add(
                    new LeaveGroupRequestData.MemberIdentity()
                        .setMemberId(member.id(s))
                        .setGroupInstanceId(member.instance()));
          }
          return request;
        });
  }

  // ---- offsets

  static Step commit(
      int version, As as, String topic, int partition, long offset, @Nullable String metadata) {
    return ask(
        ApiKeys.OFFSET_COMMIT,
        version,
        s -> {
          var of = new OffsetCommitRequestData.OffsetCommitRequestTopic();
          if (version >= 10) {
            of.setTopicId(s.topicId(topic));
          } else {
            of.setName(s.name(topic));
          }
          var at =
              new OffsetCommitRequestData.OffsetCommitRequestPartition()
                  .setPartitionIndex(partition)
                  .setCommittedOffset(offset)
                  .setCommittedMetadata(metadata);
          if (version >= 6) {
            at.setCommittedLeaderEpoch(0);
          }
          of.setPartitions(List.of(at));
          OffsetCommitRequestData request =
              new OffsetCommitRequestData()
                  .setGroupId(s.name(as.group()))
                  .setMemberId(as.id(s))
                  .setGenerationIdOrMemberEpoch(as.generation().applyAsInt(s))
                  .setTopics(List.of(of));
          return version >= 7 ? request.setGroupInstanceId(as.instance()) : request;
        });
  }

  /// Offsets of partitions 0 and 1 of topics; of everything when no topics are named.
  static Step offsets(int version, String group, boolean stable, String... topics) {
    return ask(
        ApiKeys.OFFSET_FETCH,
        version,
        s -> {
          OffsetFetchRequestData request = new OffsetFetchRequestData();
          if (version >= 7) {
            request.setRequireStable(stable);
          }
          if (version >= 8) {
            var of = new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(s.name(group));
            List<OffsetFetchRequestData.OffsetFetchRequestTopics> asked = new ArrayList<>();
            for (String topic : topics) {
              var one =
                  new OffsetFetchRequestData.OffsetFetchRequestTopics()
                      .setPartitionIndexes(List.of(0, 1));
              asked.add(
                  version >= 10 ? one.setTopicId(s.topicId(topic)) : one.setName(s.name(topic)));
            }
            of.setTopics(topics.length == 0 ? null : asked);
            return request.setGroups(List.of(of));
          }
          request.setGroupId(s.name(group));
          if (topics.length == 0) {
            return version >= 2 ? request.setTopics(null) : request;
          }
          for (String topic : topics) {
            request
                .topics()
                .add(
                    new OffsetFetchRequestData.OffsetFetchRequestTopic()
                        .setName(s.name(topic))
                        .setPartitionIndexes(List.of(0, 1)));
          }
          return request;
        });
  }

  static Step deleteOffsets(String group, String topic, int partition) {
    return ask(
        ApiKeys.OFFSET_DELETE,
        0,
        s -> {
          var topics = new OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection();
          topics.add(
              new OffsetDeleteRequestData.OffsetDeleteRequestTopic()
                  .setName(s.name(topic))
                  .setPartitions(
                      List.of(
                          new OffsetDeleteRequestData.OffsetDeleteRequestPartition()
                              .setPartitionIndex(partition))));
          return new OffsetDeleteRequestData().setGroupId(s.name(group)).setTopics(topics);
        });
  }

  // ---- administration

  static Step describe(int version, String... groups) {
    return ask(
        ApiKeys.DESCRIBE_GROUPS,
        version,
        s -> {
          DescribeGroupsRequestData request = new DescribeGroupsRequestData();
          for (String group : groups) {
            request.groups().add(s.name(group));
          }
          return version >= 3 ? request.setIncludeAuthorizedOperations(true) : request;
        });
  }

  /// Asks until a group is in a state.
  static Step untilState(String group, String state) {
    return describe(5, group)
        .on(9)
        .until(
            (DescribeGroupsResponseData told) ->
                told.groups().getFirst().groupState().equals(state));
  }

  static Step delete(int version, String... groups) {
    return ask(
        ApiKeys.DELETE_GROUPS,
        version,
        s -> {
          DeleteGroupsRequestData request = new DeleteGroupsRequestData();
          for (String group : groups) {
            request.groupsNames().add(s.name(group));
          }
          return request;
        });
  }

  static Step list(int version, List<String> states, List<String> types) {
    return ask(
        ApiKeys.LIST_GROUPS,
        version,
        _ -> {
          ListGroupsRequestData request = new ListGroupsRequestData();
          if (version >= 4) {
            request.setStatesFilter(states);
          }
          return version >= 5 ? request.setTypesFilter(types) : request;
        });
  }

  static Step coordinator(int version, int type, String... keys) {
    return ask(
        ApiKeys.FIND_COORDINATOR,
        version,
        s -> {
          FindCoordinatorRequestData request = new FindCoordinatorRequestData();
          if (version >= 1) {
            request.setKeyType((byte) type);
          }
          if (version >= 4) {
            for (String key : keys) {
              request.coordinatorKeys().add(s.name(key));
            }
            return request;
          }
          return request.setKey(s.name(keys[0]));
        });
  }
}
