package io.takhin.protocol.kafka;

import java.net.InetAddress;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/// One request and the slot for its answer. Answers leave the connection in the order of the
/// requests, whatever order they are given in (T7).
interface Exchange {
  /// Which API.
  ApiKeys api();

  /// The request's version.
  short version();

  /// As the client named itself; null if it did not.
  @Nullable String clientId();

  /// Where the client is.
  InetAddress clientAddress();

  /// The listener by which it came, such as `PLAINTEXT`: which advertised addresses it is shown
  /// (T11).
  String listener();

  /// Whether the connection is gone: an answer would reach nobody. For work that waits.
  boolean closed();

  /// Gives the answer, once. Threading: any thread.
  void respond(ApiMessage response);

  /// Gives the API's error response for a failure, instead of [#respond]. Threading: any thread.
  void fail(Throwable failure);

  /// Runs what blocks on a worker; a failure there becomes [#fail].
  void blocking(Runnable work);
}
