package io.takhin.coordinator;

import io.takhin.api.HealthCheck;
import io.takhin.coordinator.Shard.Phase;
import java.util.List;
import java.util.function.Supplier;

/// A coordinator's health check: not ready until all that this broker is in charge of was loaded
/// once; degraded while more is loaded later, or cannot be.
final class ShardHealth implements HealthCheck {
  private final String name;
  private final String topic;
  private final Supplier<? extends List<? extends Shard<?, ?, ?>>> shards;
  private volatile boolean loadedOnce;

  ShardHealth(
      String name, String topic, Supplier<? extends List<? extends Shard<?, ?, ?>>> shards) {
    this.name = name;
    this.topic = topic;
    this.shards = shards;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Health check() {
    int loading = 0;
    int all = 0;
    String trouble = null;
    for (Shard<?, ?, ?> shard : shards.get()) {
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
    String message = loading + " of " + all + " partitions of " + topic + " are loading";
    return new Health(
        loadedOnce ? Status.DEGRADED : Status.UNHEALTHY,
        trouble == null ? message : message + "; " + trouble);
  }
}
