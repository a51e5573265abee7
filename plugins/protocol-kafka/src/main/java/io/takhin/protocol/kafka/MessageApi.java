package io.takhin.protocol.kafka;

import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// An API that is served by message classes, and of which versions: exactly what ApiVersions
/// advertises (T4).
///
/// @param minVersion lowest version served
/// @param maxVersion highest version served, all of whose fields are honoured
record MessageApi<Q extends ApiMessage>(
    ApiKeys key, short minVersion, short maxVersion, MessageHandler<Q> handler) {

  /// All versions that kafka-clients knows.
  static <Q extends ApiMessage> MessageApi<Q> all(ApiKeys key, MessageHandler<Q> handler) {
    return new MessageApi<>(key, key.oldestVersion(), key.latestVersion(), handler);
  }

  /// All versions up to one.
  static <Q extends ApiMessage> MessageApi<Q> upTo(
      ApiKeys key, int maxVersion, MessageHandler<Q> handler) {
    return new MessageApi<>(key, key.oldestVersion(), (short) maxVersion, handler);
  }
}
