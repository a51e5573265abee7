package io.takhin.distribution.differential;

import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/// One request of a script.
///
/// @param connection which of the script's connections it goes over; each is opened when it is
///     first used, and again after the broker closed it
/// @param api the request's API
/// @param version its version
/// @param request its body, made from what the run has learnt until then
/// @param slot where to keep what the answer tells of a producer or member
/// @param awaited how its answer is waited for
/// @param raw for requests that are no requests: what is sent after the length, in place of header
///     and body
/// @param until for questions that are asked again until this holds of the answer, or ten seconds
///     are over
public record Step(
    int connection,
    ApiKeys api,
    short version,
    Function<State, ApiMessage> request,
    String slot,
    Wait awaited,
    byte @Nullable [] raw,
    @Nullable Predicate<ApiMessage> until) {
  /// How an answer is waited for.
  public enum Wait {
    /// Before the next step.
    NOW,
    /// Before the next step on this connection or at the end: what waits for others, as JoinGroup.
    LATER,
    /// There is none if all goes well: whether the connection lives tells.
    NONE
  }

  Step on(int other) {
    return new Step(other, api, version, request, slot, awaited, raw, until);
  }

  Step as(String other) {
    return new Step(connection, api, version, request, other, awaited, raw, until);
  }

  Step waiting(Wait other) {
    return new Step(connection, api, version, request, slot, other, raw, until);
  }

  /// Whether it waits for others.
  Step awaited(boolean others) {
    return waiting(others ? Wait.LATER : Wait.NOW);
  }

  @SuppressWarnings("unchecked") // whoever asks this API gets this answer
  <R extends ApiMessage> Step until(Predicate<R> condition) {
    return new Step(
        connection, api, version, request, slot, awaited, raw, (Predicate<ApiMessage>) condition);
  }

  /// For people: the API, its version and the connection.
  String title() {
    return api.name + " v" + version + (connection == 0 ? "" : " on " + connection);
  }
}
