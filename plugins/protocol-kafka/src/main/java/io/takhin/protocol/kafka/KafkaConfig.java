package io.takhin.protocol.kafka;

import io.takhin.api.config.Key;
import io.takhin.protocol.kafka.net.TransportConfig;

/// Settings of the Kafka listener. Every bound on what a client can make the broker hold is here.
public record KafkaConfig(
    @Key(
            value = "server.host",
            defaultValue = "0.0.0.0",
            doc = "The address to listen on; 0.0.0.0 for all of the machine's.")
        String host,
    @Key(
            value = "server.port",
            defaultValue = "9092",
            min = 0,
            max = 65535,
            doc = "The port to listen on; 0 lets the system choose.")
        int port,
    @Key(
            value = "kafka.network.threads",
            defaultValue = "0",
            min = 0,
            max = 1024,
            doc = "Event loops. 0 is one for each processor, which is right nearly always.")
        int networkThreads,
    @Key(
            value = "kafka.network.native",
            defaultValue = "true",
            doc = "Whether to use Linux's epoll where it is there; else Java's NIO.")
        boolean nativeTransport,
    @Key(
            value = "kafka.max.connections",
            defaultValue = "1000",
            min = 1,
            max = 1000000,
            doc = "Connections in all; more are closed at once.")
        int maxConnections,
    @Key(
            value = "kafka.max.connections.per.ip",
            defaultValue = "2147483647",
            min = 1,
            max = 2147483647,
            doc = "Connections from one address; more are closed at once.")
        int maxConnectionsPerIp,
    @Key(
            value = "kafka.socket.request.max.bytes",
            defaultValue = "104857600",
            min = 1024,
            max = 1073741824,
            doc = "The largest request; a larger one closes its connection before it is read.")
        int requestMaxBytes,
    @Key(
            value = "kafka.socket.send.buffer.bytes",
            defaultValue = "262144",
            min = -1,
            max = 1073741824,
            doc =
                "The socket's buffer for bytes on their way out (SO_SNDBUF); -1 leaves it to the"
                    + " operating system, which is right for consumers far away: a connection"
                    + " sends at most this much in each round trip.")
        int sendBufferBytes,
    @Key(
            value = "kafka.request.max.elements",
            defaultValue = "100000",
            min = 1000,
            max = 1000000,
            doc =
                "The most elements that all arrays of one request may have together, such as topics"
                    + " and partitions; one with more closes its connection before it is decoded.")
        int requestMaxElements,
    @Key(
            value = "kafka.connections.max.idle.ms",
            defaultValue = "600000",
            min = 1000,
            doc = "How long a connection may be silent before it is closed.")
        long connectionsMaxIdleMs,
    @Key(
            value = "kafka.connection.timeout.ms",
            defaultValue = "60000",
            min = 100,
            doc = "How long a new connection may take until its first whole request is here.")
        long connectionTimeoutMs,
    @Key(
            value = "kafka.request.timeout.ms",
            defaultValue = "30000",
            min = 100,
            doc = "How long a request may take to arrive, from its first byte to its last.")
        long requestTimeoutMs,
    @Key(
            value = "kafka.queued.max.bytes",
            defaultValue = "4194304",
            min = 1024,
            max = 1073741824,
            doc =
                "Bytes of requests in hand, or of responses not yet taken, of one connection, above"
                    + " which it is not read from.")
        int queuedMaxBytes,
    @Key(
            value = "kafka.queued.max.requests",
            defaultValue = "1000",
            min = 2,
            max = 1000000,
            doc = "The same for the number of requests in hand.")
        int queuedMaxRequests,
    @Key(
            value = "kafka.receive.max.bytes",
            defaultValue = "536870912",
            min = 1048576,
            doc =
                "Memory for requests that have not fully arrived, of all connections together; a"
                    + " connection that would pass it is closed.")
        long receiveMaxBytes,
    @Key(
            value = "kafka.fetch.max.bytes",
            defaultValue = "57671680",
            min = 1024,
            max = 1073741824,
            doc = "The most bytes of records in one fetch response, but for the first batch.")
        int fetchMaxBytes,
    @Key(
            value = "kafka.fetch.max.wait.ms",
            defaultValue = "300000",
            min = 0,
            max = 3600000,
            doc = "The longest that a fetch may wait for data, whatever the client asks for.")
        int fetchMaxWaitMs,
    @Key(
            value = "kafka.fetch.sessions.max",
            defaultValue = "1000",
            min = 0,
            max = 1000000,
            doc = "Incremental fetch sessions (KIP-227); clients beyond it fetch without one.")
        int fetchSessions,
    @Key(
            value = "kafka.fetch.session.eviction.ms",
            defaultValue = "120000",
            min = 0,
            doc = "How long a session must be unused before a new one may take its place.")
        long fetchSessionEvictionMs,
    @Key(
            value = "kafka.fetch.cold.bytes",
            defaultValue = "16777216",
            min = 0,
            doc =
                "How far behind a partition's end, in bytes, it is looked whether what is read is in"
                    + " memory; if not, a worker reads it from the disk first.")
        long fetchColdBytes,
    @Key(
            value = "kafka.auto.create.topics.enable",
            defaultValue = "true",
            doc = "Whether a topic is made when a client that allows it asks for its metadata.")
        boolean autoCreateTopics) {

  static final String LISTENER = "PLAINTEXT";

  TransportConfig transport() {
    int threads = networkThreads == 0 ? Runtime.getRuntime().availableProcessors() : networkThreads;
    return new TransportConfig(
        LISTENER,
        host,
        port,
        threads,
        nativeTransport,
        maxConnections,
        maxConnectionsPerIp,
        requestMaxBytes,
        sendBufferBytes,
        connectionsMaxIdleMs,
        connectionTimeoutMs,
        requestTimeoutMs,
        queuedMaxBytes,
        queuedMaxRequests,
        receiveMaxBytes);
  }
}
