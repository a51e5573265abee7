/// Counters, histograms and gauges of the kernel and all plugins.
///
/// Owns the registry behind [io.takhin.api.metrics.Metrics]. Writing a counter or histogram must
/// never lock or allocate: it happens on every request. Written by any thread, read by exporters.
package io.takhin.kernel.metrics;
