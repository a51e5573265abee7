package io.takhin.protocol.kafka;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.protocol.kafka.net.TransportMetrics;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKey;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// ApiVersions: exactly what this broker serves (T4), and the cluster's features.
final class ApiVersionsApi {
  private static final String TRANSACTION_VERSION = "transaction.version";
  private static final int MAX_SOFTWARE_NAME = 255;
  private static final Pattern SOFTWARE =
      Pattern.compile("[a-zA-Z0-9](?:[a-zA-Z0-9\\-.]*[a-zA-Z0-9])?");

  private final Cluster cluster;
  private final TransportMetrics metrics;
  private final List<ApiVersion> versions;

  /// Whether transactions are served: without them their feature is nobody's business.
  private final boolean transactions;

  ApiVersionsApi(Cluster cluster, List<MessageApi<?>> served, TransportMetrics metrics) {
    this.cluster = cluster;
    this.metrics = metrics;
    List<ApiVersion> all = new ArrayList<>();
    // librdkafka switches features off unless Produce begins at 0, though 0 to 2 are refused.
    for (ApiKeys key : ServedApis.IN_PLACE) {
      short oldest = key == ApiKeys.PRODUCE ? 0 : key.oldestVersion();
      all.add(version(key, oldest, key.latestVersion()));
    }
    for (MessageApi<?> api : served) {
      all.add(version(api.key(), api.minVersion(), api.maxVersion()));
    }
    ApiKeys own = ApiKeys.API_VERSIONS;
    all.add(version(own, own.oldestVersion(), own.latestVersion()));
    all.sort(Comparator.comparingInt(ApiVersion::apiKey));
    versions = List.copyOf(all);
    transactions = served.stream().anyMatch(api -> api.key() == ApiKeys.END_TXN);
  }

  private static ApiVersion version(ApiKeys key, short min, short max) {
    return new ApiVersion().setApiKey(key.id).setMinVersion(min).setMaxVersion(max);
  }

  List<MessageApi<?>> apis() {
    return List.of(MessageApi.all(ApiKeys.API_VERSIONS, this::handle));
  }

  private void handle(Exchange exchange, ApiVersionsRequestData request) {
    if (exchange.version() >= 3
        && !(valid(request.clientSoftwareName()) && valid(request.clientSoftwareVersion()))) {
      exchange.respond(new ApiVersionsResponseData().setErrorCode(Errors.INVALID_REQUEST.code()));
      return;
    }
    String clusterId = request.clusterId();
    if (exchange.version() >= 5
        && clusterId != null
        && request.nodeId() >= 0
        && !(clusterId.equals(cluster.clusterId()) && request.nodeId() == cluster.nodeId())) {
      exchange.respond(
          new ApiVersionsResponseData().setErrorCode(Errors.REBOOTSTRAP_REQUIRED.code()));
      return;
    }
    ApiVersionsResponseData response = table();
    if (exchange.version() >= 3) {
      metrics.clientSoftware(request.clientSoftwareName(), request.clientSoftwareVersion());
      features(response, exchange.version());
    }
    exchange.respond(response);
  }

  private static boolean valid(String name) {
    return name.length() <= MAX_SOFTWARE_NAME && SOFTWARE.matcher(name).matches();
  }

  /// The answer in version 0 to a client that asked in a version from the future: how it may ask
  /// again, and nothing else (T1, KIP-511).
  ApiVersionsResponseData unsupportedVersion() {
    ApiKeys own = ApiKeys.API_VERSIONS;
    var keys = new ApiVersionsResponseData.ApiVersionCollection();
    keys.add(version(own, own.oldestVersion(), own.latestVersion()));
    return new ApiVersionsResponseData()
        .setApiKeys(keys)
        .setErrorCode(Errors.UNSUPPORTED_VERSION.code());
  }

  private ApiVersionsResponseData table() {
    ApiVersionsResponseData.ApiVersionCollection keys =
        new ApiVersionsResponseData.ApiVersionCollection(versions.size());
    for (ApiVersion version : versions) {
      keys.add(version.duplicate());
    }
    return new ApiVersionsResponseData().setApiKeys(keys);
  }

  private void features(ApiVersionsResponseData response, short version) {
    MetadataImage image = cluster.image();
    var finalized = new ApiVersionsResponseData.FinalizedFeatureKeyCollection();
    var supported = new ApiVersionsResponseData.SupportedFeatureKeyCollection();
    Cluster.SUPPORTED_FEATURES.forEach(
        (name, highest) -> {
          if (name.equals(TRANSACTION_VERSION) && !transactions) {
            return;
          }
          short level = image.feature(name);
          if (level > 0) {
            finalized.add(
                new FinalizedFeatureKey()
                    .setName(name)
                    .setMinVersionLevel(level)
                    .setMaxVersionLevel(level));
          }
          // Up to version 3 clients cannot take a minimum of 0 (KAFKA-17011).
          if (version >= 4) {
            supported.add(
                new SupportedFeatureKey()
                    .setName(name)
                    .setMinVersion((short) 0)
                    .setMaxVersion(highest));
          }
        });
    response.setFinalizedFeatures(finalized);
    response.setSupportedFeatures(supported);
    response.setFinalizedFeaturesEpoch(image.offset());
  }
}
