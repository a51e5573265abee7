/// Counters and histograms that cost next to nothing to write, and the view of them that exporters
/// read. Names follow Prometheus: `takhin_<subject>_<unit>_total`.
package io.takhin.api.metrics;
