package io.takhin.api.cluster;

import io.takhin.api.Api;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Changes of one resource's configs, all or none.
///
/// @param replaceAll whether keys that are not named go back to their defaults (the old
/// AlterConfigs)
@Api(status = Api.Status.EVOLVING, since = "0.1")
public record ConfigChanges(ConfigResource resource, List<Change> changes, boolean replaceAll) {
  /// What to do with one key.
  ///
  /// @param value null for [Op#DELETE]
  public record Change(String key, Op op, @Nullable String value) {}

  /// Operations of IncrementalAlterConfigs (KIP-339), by Kafka's numbers from 0.
  public enum Op {
    /// Sets the value.
    SET,
    /// Back to the default.
    DELETE,
    /// Adds to a list.
    APPEND,
    /// Takes from a list.
    SUBTRACT
  }
}
