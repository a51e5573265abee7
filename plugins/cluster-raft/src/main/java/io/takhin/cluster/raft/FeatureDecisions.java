package io.takhin.cluster.raft;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.FeatureUpdate;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.FeatureFinalized;
import java.util.ArrayList;
import java.util.List;

/// What changes of features come to (KIP-584): functions of an image.
final class FeatureDecisions {
  private FeatureDecisions() {}

  /// Finalizes what the cluster has no level of: everything in a new one, what is new in an old
  /// one. What was switched off has level 0, and stays off.
  static List<MetadataRecord> missing(MetadataImage image) {
    List<MetadataRecord> records = new ArrayList<>();
    Cluster.SUPPORTED_FEATURES.forEach(
        (name, level) -> {
          if (!image.features().containsKey(name)) {
            records.add(new FeatureFinalized(name, level));
          }
        });
    return records;
  }

  /// All of the updates, or none.
  static Decision<List<Result>> update(
      MetadataImage image, List<FeatureUpdate> updates, boolean validateOnly) {
    List<Result> results = new ArrayList<>(updates.size());
    List<MetadataRecord> records = new ArrayList<>();
    boolean valid = true;
    for (FeatureUpdate update : updates) {
      Result result = update.check(image.feature(update.name()));
      results.add(result);
      valid &= result.equals(Result.OK);
      if (update.level() != image.feature(update.name())) {
        records.add(new FeatureFinalized(update.name(), update.level()));
      }
    }
    return new Decision<>(valid && !validateOnly ? records : List.of(), results);
  }
}
