package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.FeatureUpdate;
import io.takhin.api.cluster.Cluster.Result;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData.UpdatableFeatureResult;
import org.apache.kafka.common.protocol.ApiKeys;

/// UpdateFeatures (KIP-584, KIP-1022). What is supported and finalized is in ApiVersions.
final class FeatureApis {
  private static final byte UPGRADE = 1;
  private static final byte UNSAFE_DOWNGRADE = 3;

  private final Cluster cluster;

  FeatureApis(Cluster cluster) {
    this.cluster = cluster;
  }

  List<MessageApi<?>> apis() {
    return List.of(MessageApi.all(ApiKeys.UPDATE_FEATURES, this::update));
  }

  private void update(Exchange exchange, UpdateFeaturesRequestData request) {
    short version = exchange.version();
    List<FeatureUpdate> updates = new ArrayList<>();
    for (FeatureUpdateKey each : request.featureUpdates()) {
      byte type = each.upgradeType();
      if (type < UPGRADE || type > UNSAFE_DOWNGRADE) {
        throw Conversions.invalid(each.feature() + " has no upgrade type " + type);
      }
      boolean downgrade = version == 0 ? each.allowDowngrade() : type > UPGRADE;
      updates.add(new FeatureUpdate(each.feature(), each.maxVersionLevel(), downgrade));
    }
    Conversions.answer(
        exchange,
        cluster.updateFeatures(updates, request.validateOnly()),
        results -> response(version, updates, results));
  }

  private static UpdateFeaturesResponseData response(
      short version, List<FeatureUpdate> updates, List<Result> results) {
    UpdateFeaturesResponseData response = new UpdateFeaturesResponseData().setErrorMessage(null);
    for (int i = 0; i < updates.size(); i++) {
      Result result = results.get(i);
      if (result.error() != ErrorCode.NONE) {
        // All or nothing, and so is the answer, as in Kafka.
        return response
            .setErrorCode(result.error().code())
            .setErrorMessage("No feature was updated: " + Conversions.message(result))
            .setResults(new UpdateFeaturesResponseData.UpdatableFeatureResultCollection());
      }
      if (version <= 1) {
        response.results().add(new UpdatableFeatureResult().setFeature(updates.get(i).name()));
      }
    }
    return response;
  }
}
