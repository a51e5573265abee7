package io.takhin.distribution.differential;

import java.net.InetSocketAddress;

/// A running broker.
///
/// @param name for reports
/// @param address where it listens
/// @param lags whether what an answer says may not hold at once for the next request: Kafka applies
///     metadata after it has answered
public record Broker(String name, InetSocketAddress address, boolean lags) {
  /// Apache Kafka.
  static Broker kafka(String host, int port) {
    return new Broker("Kafka", new InetSocketAddress(host, port), true);
  }

  /// Takhin.
  public static Broker takhin(String host, int port) {
    return new Broker("Takhin", new InetSocketAddress(host, port), false);
  }
}
