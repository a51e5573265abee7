package io.takhin.protocol.kafka.net;

import io.takhin.api.metrics.Metrics;
import io.takhin.api.metrics.Metrics.Counter;
import io.takhin.api.metrics.Metrics.Histogram;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// What the transport and the APIs count. Labels come from closed sets: APIs, error codes, reasons.
///
/// Threading: any thread; writes neither lock nor allocate, but for the first error of a kind.
public final class TransportMetrics {
  private static final int APIS = 256;
  private static final int MAX_SOFTWARE = 100;

  private final Metrics metrics;
  private final @Nullable Counter[] requests = new Counter[APIS];
  private final @Nullable Histogram[] durations = new Histogram[APIS];
  private final Counter bytesIn;
  private final Counter bytesOut;
  private final Set<String> software = ConcurrentHashMap.newKeySet();

  /// Registers them.
  public TransportMetrics(Metrics metrics) {
    this.metrics = metrics;
    for (ApiKeys api : ApiKeys.values()) {
      if (api.id < APIS && api.hasValidVersion()) {
        requests[api.id] =
            metrics.counter("takhin_kafka_requests_total", "Requests answered.", "api", api.name);
        durations[api.id] =
            metrics.histogram(
                "takhin_kafka_request_duration_seconds",
                "From the arrival of a request until its answer is handed to the socket.",
                "api",
                api.name);
      }
    }
    bytesIn = metrics.counter("takhin_kafka_received_bytes_total", "Bytes read from clients.");
    bytesOut = metrics.counter("takhin_kafka_sent_bytes_total", "Bytes written to clients.");
  }

  void received(int bytes) {
    bytesIn.add(bytes);
  }

  void sent(long bytes) {
    bytesOut.add(bytes);
  }

  void answered(short api, long nanos) {
    Counter counter = api >= 0 && api < APIS ? requests[api] : null;
    Histogram histogram = api >= 0 && api < APIS ? durations[api] : null;
    if (counter != null && histogram != null) {
      counter.increment();
      histogram.record(nanos);
    }
  }

  /// An error code in an answer.
  public void error(short api, short code) {
    metrics
        .counter(
            "takhin_kafka_request_errors_total",
            "Error codes in answers.",
            "api",
            ApiKeys.hasId(api) ? ApiKeys.forId(api).name : "unknown",
            "error",
            Errors.forCode(code).name())
        .increment();
  }

  /// A connection that said what software it is (T3). Clients choose these words, so only the first
  /// hundred pairs get labels of their own.
  ///
  /// @param name checked to be letters, digits, dots and dashes
  /// @param version likewise
  public void clientSoftware(String name, String version) {
    String pair = name + ' ' + version;
    boolean known =
        software.contains(pair) || (software.size() < MAX_SOFTWARE && software.add(pair));
    metrics
        .counter(
            "takhin_kafka_client_software_total",
            "Connections by the software that the client says it is.",
            "name",
            known ? name : "other",
            "version",
            known ? version : "other")
        .increment();
  }

  /// A connection that was refused or closed for a reason.
  public void closed(String reason) {
    metrics
        .counter(
            "takhin_kafka_connections_closed_total",
            "Connections that the broker refused or closed.",
            "reason",
            reason)
        .increment();
  }
}
