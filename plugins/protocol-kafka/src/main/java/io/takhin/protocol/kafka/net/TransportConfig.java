package io.takhin.protocol.kafka.net;

/// How the transport is set up and what it bounds.
///
/// @param listener name of the listener, such as `PLAINTEXT`
/// @param threads number of loops
/// @param requestMaxBytes largest frame
/// @param sendBufferBytes the socket's buffer for bytes going out; below 1 the system decides
/// @param connectionsMaxIdleMs how long a connection may be silent
/// @param firstRequestMs time for the first whole request
/// @param requestArrivalMs time for a request to arrive, once its first byte is in
/// @param queuedMaxBytes bytes of requests in hand and of responses not yet sent of one connection,
///     above which it is not read from
/// @param queuedMaxRequests the same for the number of requests
/// @param receiveMaxBytes bytes of unfinished requests of all connections together
public record TransportConfig(
    String listener,
    String host,
    int port,
    int threads,
    boolean nativeTransport,
    int maxConnections,
    int maxConnectionsPerIp,
    int requestMaxBytes,
    int sendBufferBytes,
    long connectionsMaxIdleMs,
    long firstRequestMs,
    long requestArrivalMs,
    int queuedMaxBytes,
    int queuedMaxRequests,
    long receiveMaxBytes) {}
