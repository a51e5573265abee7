/// `/health`, `/health/ready` and `/health/live` over plain HTTP.
///
/// Owns what the outside is told about the process, and must never tell more than is known: ready
/// means that every service has started and no check is unhealthy. Checks run on the server's few
/// threads; liveness asks no plugin at all.
///
/// @see "docs/adr/0003-health-over-jdk-httpserver.md"
package io.takhin.kernel.health;
