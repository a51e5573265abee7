package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// Between the values of Takhin's API and those of the message classes.
final class Conversions {
  private Conversions() {}

  static Uuid uuid(@Nullable UUID id) {
    return id == null
        ? Uuid.ZERO_UUID
        : new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits());
  }

  static UUID uuid(Uuid id) {
    return new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits());
  }

  /// What people read beside a code: the one given, else Kafka's own words for the code; null for
  /// success.
  static @Nullable String message(ErrorCode error, @Nullable String message) {
    if (error == ErrorCode.NONE) {
      return null;
    }
    return message == null ? Errors.forCode(error.code()).message() : message;
  }

  static @Nullable String message(Result result) {
    return message(result.error(), result.message());
  }

  static Result error(ErrorCode error) {
    return new Result(error, null);
  }

  static Result error(ErrorCode error, String message) {
    return new Result(error, message);
  }

  /// What is wrong with a topic's name in Kafka's words, or null.
  static @Nullable String invalidTopicName(String name) {
    String[] reason = new String[1];
    Topic.validate(name, "Topic name", message -> reason[0] = message);
    return reason[0];
  }

  /// The brokers that can be reached through a listener, by id (T11).
  static Map<Integer, Endpoint> endpoints(MetadataImage image, String listener) {
    Map<Integer, Endpoint> endpoints = new TreeMap<>();
    for (Broker broker : image.brokers().values()) {
      for (Endpoint endpoint : broker.endpoints()) {
        if (endpoint.listener().equals(listener)) {
          endpoints.put(broker.id(), endpoint);
          break;
        }
      }
    }
    return endpoints;
  }

  /// Answers when the future is done. A future that fails, or an answer that cannot be built, is
  /// the exchange's failure: a request is never left without an answer.
  static <T> void answer(
      Exchange exchange, CompletableFuture<T> future, Function<T, ApiMessage> response) {
    future.whenComplete(
        (value, failure) -> {
          if (failure != null) {
            exchange.fail(cause(failure));
            return;
          }
          ApiMessage message;
          try {
            message = response.apply(value);
          } catch (RuntimeException defect) {
            exchange.fail(defect);
            return;
          }
          exchange.respond(message);
        });
  }

  /// What failed a future.
  static Throwable cause(Throwable failure) {
    Throwable cause = failure.getCause();
    return failure instanceof CompletionException && cause != null ? cause : failure;
  }

  /// The code that stands for a failure.
  static ErrorCode code(Throwable failure) {
    return cause(failure) instanceof TakhinException known
        ? known.code()
        : ErrorCode.UNKNOWN_SERVER_ERROR;
  }

  static TakhinException invalid(String message) {
    return new TakhinException(ErrorCode.INVALID_REQUEST, message);
  }
}
