package io.takhin.distribution.differential;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// What a run takes from answers for its later requests.
final class Learning {
  private Learning() {}

  static void learn(State state, Step step, @Nullable ApiMessage request, ApiMessage told) {
    switch (told) {
      case MetadataResponseData metadata ->
          metadata
              .topics()
              .forEach(
                  topic -> {
                    if (topic.name() != null && topic.errorCode() == 0) {
                      state.topicId(topic.name(), topic.topicId());
                    }
                  });
      case InitProducerIdResponseData producer -> {
        if (producer.errorCode() == 0) {
          state.producer(step.slot(), producer.producerId(), producer.producerEpoch());
        }
      }
      case EndTxnResponseData ended -> {
        if (ended.errorCode() == 0 && ended.producerId() >= 0) {
          state.producer(step.slot(), ended.producerId(), ended.producerEpoch());
        }
      }
      case JoinGroupResponseData joined -> {
        if (!joined.memberId().isEmpty() && !step.slot().isEmpty()) {
          state.member(step.slot(), joined.memberId());
        }
        if (joined.generationId() >= 0) {
          state.generation(groupOf(state, step, request), joined.generationId());
        }
      }
      case FetchResponseData fetched -> {
        if (fetched.errorCode() == 0) {
          state.session(step.connection(), fetched.sessionId());
        }
      }
      default -> {}
    }
  }

  private static String groupOf(State state, Step step, @Nullable ApiMessage request) {
    ApiMessage asked = request == null ? step.request().apply(state) : request;
    return ((JoinGroupRequestData) asked).groupId();
  }

  /// All error codes anywhere in an answer.
  static List<Errors> errors(ApiMessage told, short version) {
    List<Errors> errors = new ArrayList<>();
    if (told instanceof FetchResponseData) {
      return errors;
    }
    collect(Answers.json(told, version), errors);
    return errors;
  }

  private static void collect(JsonNode node, List<Errors> errors) {
    JsonNode code = node.get("errorCode");
    if (code != null && code.isNumber()) {
      errors.add(Errors.forCode((short) code.asInt()));
    }
    node.forEach(member -> collect(member, errors));
  }
}
