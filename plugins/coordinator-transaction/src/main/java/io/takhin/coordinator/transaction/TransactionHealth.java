package io.takhin.coordinator.transaction;

import io.takhin.api.HealthCheck;
import io.takhin.coordinator.transaction.TransactionShard.Phase;
import java.util.List;
import java.util.function.Supplier;

/// The health check `transactions`: not ready until all that this broker is in charge of was loaded
/// once; degraded while more is loaded later, or cannot be.
final class TransactionHealth implements HealthCheck {
  private final Supplier<List<TransactionShard>> shards;
  private volatile boolean loadedOnce;

  TransactionHealth(Supplier<List<TransactionShard>> shards) {
    this.shards = shards;
  }

  @Override
  public String name() {
    return "transactions";
  }

  @Override
  public Health check() {
    int loading = 0;
    int all = 0;
    String trouble = null;
    for (TransactionShard shard : shards.get()) {
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
    String message = loading + " of " + all + " partitions of __transaction_state are loading";
    return new Health(
        loadedOnce ? Status.DEGRADED : Status.UNHEALTHY,
        trouble == null ? message : message + "; " + trouble);
  }
}
