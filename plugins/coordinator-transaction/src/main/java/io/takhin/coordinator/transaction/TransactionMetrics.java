package io.takhin.coordinator.transaction;

import io.takhin.api.metrics.Metrics;
import io.takhin.api.metrics.Metrics.GaugeSink;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// What `/metrics` shows of transactions. Gauges are computed at each scrape, on the exporter's
/// thread, from what is published.
final class TransactionMetrics {
  private final Supplier<List<TransactionStateMachine>> machines;
  private final TransactionCounters counters;
  private final LongSupplier markerRetries;
  private final InstantSource clock;

  TransactionMetrics(
      Supplier<List<TransactionStateMachine>> machines,
      TransactionCounters counters,
      LongSupplier markerRetries,
      InstantSource clock) {
    this.machines = machines;
    this.counters = counters;
    this.markerRetries = markerRetries;
    this.clock = clock;
  }

  void register(Metrics metrics) {
    metrics.gauges(
        "takhin_transactions", "Transactional ids on this broker, by state.", this::states);
    metrics.gauges(
        "takhin_transactions_open",
        "Transactions that are open, or decided and still without all their markers.",
        sink -> sink.value(open()));
    metrics.gauges(
        "takhin_transaction_oldest_open_seconds",
        "Age of the transaction that is open for longest; 0 if none is.",
        this::oldest);
    metrics.counters(
        "takhin_transactions_decided_total",
        "Transactions whose outcome was written, by outcome.",
        this::decided);
    metrics.counters(
        "takhin_transactions_timed_out_total",
        "Transactions that were aborted because they took longer than their timeout.",
        sink -> sink.value(counters.timedOutCount()));
    metrics.counters(
        "takhin_transactions_fenced_total",
        "Open transactions that were aborted because a new producer took over their id.",
        sink -> sink.value(counters.fencedCount()));
    metrics.counters(
        "takhin_transaction_requests_fenced_total",
        "Requests refused because they came from a producer that was replaced.",
        sink -> sink.value(counters.refusedCount()));
    metrics.counters(
        "takhin_transaction_marker_retries_total",
        "Attempts to write a marker after the first one failed.",
        sink -> sink.value(markerRetries.getAsLong()));
  }

  private void decided(GaugeSink sink) {
    sink.value(counters.committedCount(), "outcome", "commit");
    sink.value(counters.abortedCount(), "outcome", "abort");
  }

  private void states(GaugeSink sink) {
    Map<TransactionState, Integer> counts = new EnumMap<>(TransactionState.class);
    for (TransactionStateMachine machine : machines.get()) {
      machine.entries().forEach(entry -> counts.merge(entry.current.state(), 1, Integer::sum));
    }
    for (TransactionState state : TransactionState.values()) {
      if (state != TransactionState.DEAD && state != TransactionState.PREPARE_EPOCH_FENCE) {
        sink.value(counts.getOrDefault(state, 0), "state", state.title());
      }
    }
  }

  private int open() {
    int open = 0;
    for (TransactionStateMachine machine : machines.get()) {
      for (TransactionStateMachine.Entry entry : machine.entries()) {
        open += entry.current.state().idle() ? 0 : 1;
      }
    }
    return open;
  }

  private void oldest(GaugeSink sink) {
    long nowMs = clock.millis();
    long oldestMs = 0;
    for (TransactionStateMachine machine : machines.get()) {
      for (TransactionStateMachine.Entry entry : machine.entries()) {
        Transaction current = entry.current;
        if (!current.state().idle() && current.startMs() >= 0) {
          oldestMs = Math.max(oldestMs, nowMs - current.startMs());
        }
      }
    }
    sink.value(oldestMs / 1_000.0);
  }
}
