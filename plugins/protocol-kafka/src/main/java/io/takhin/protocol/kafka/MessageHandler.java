package io.takhin.protocol.kafka;

import org.apache.kafka.common.protocol.ApiMessage;

/// Answers the requests of one API, decoded by the message classes of kafka-clients.
///
/// Threading: the loop of the connection; one handler object serves all loops, so it holds no state
/// of a request. Blocking: never; what blocks goes through [Exchange#blocking]. Errors: a
/// [io.takhin.api.TakhinException] becomes the API's error response with its code; anything else
/// UNKNOWN_SERVER_ERROR, logged once per kind and counted.
///
/// @param <Q> the request's data class
@FunctionalInterface
interface MessageHandler<Q extends ApiMessage> {
  /// Handles a request; answers with [Exchange#respond], now or later.
  void handle(Exchange exchange, Q request);
}
