/// Beside the way of the data: `/metrics`.
///
/// Owns the HTTP listener on `metrics.port` and the Micrometer registry of the JVM and the process.
/// It never counts anything of the broker itself, it only walks what the plugins registered, and it
/// never runs on a thread that serves clients. Threads: the JDK server's `HTTP-Dispatcher`, which
/// accepts, and two named `takhin-metrics-prometheus-render-<n>`, which render.
package io.takhin.metrics.prometheus;
