package io.takhin.coordinator.group;

import io.takhin.api.HealthCheck;
import io.takhin.coordinator.group.GroupShard.Phase;
import java.util.List;
import java.util.function.Supplier;

/// The health check `groups`: not ready until all that this broker is in charge of was loaded once;
/// degraded while more is loaded later, or cannot be.
final class GroupHealth implements HealthCheck {
  private final Supplier<List<GroupShard>> shards;
  private volatile boolean loadedOnce;

  GroupHealth(Supplier<List<GroupShard>> shards) {
    this.shards = shards;
  }

  @Override
  public String name() {
    return "groups";
  }

  @Override
  public Health check() {
    int loading = 0;
    int all = 0;
    String trouble = null;
    for (GroupShard shard : shards.get()) {
      all++;
      if (shard.phase() == Phase.LOADING) {
        loading++;
        trouble = shard.trouble() == null ? trouble : shard.trouble();
      }
    }
    if (loading == 0) {
      loadedOnce = true;
      return Health.healthy();
    }
    String message = loading + " of " + all + " partitions of __consumer_offsets are loading";
    return new Health(
        loadedOnce ? Status.DEGRADED : Status.UNHEALTHY,
        trouble == null ? message : message + "; " + trouble);
  }
}
