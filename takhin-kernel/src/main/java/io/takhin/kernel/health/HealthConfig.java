package io.takhin.kernel.health;

import io.takhin.api.config.Key;

/// Where the health server listens.
public record HealthConfig(
    @Key(
            value = "health.enabled",
            defaultValue = "true",
            doc = "Whether /health, /health/ready and /health/live are served.")
        boolean enabled,
    @Key(
            value = "health.host",
            defaultValue = "0.0.0.0",
            doc = "The address to listen on; 127.0.0.1 for this machine alone.")
        String host,
    @Key(
            value = "health.port",
            defaultValue = "9091",
            min = 0,
            max = 65535,
            doc = "The port to listen on; 0 lets the system choose.")
        int port) {}
