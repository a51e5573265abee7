import org.jspecify.annotations.NullMarked;

/// Stages 1 and 7 of 7, protocol: bytes to requests and answers to bytes, for Kafka's clients. The
/// only module that knows Kafka's classes and Netty's.
@NullMarked
module io.takhin.protocol.kafka {
  requires io.takhin.api;
  requires kafka.clients;
  requires io.netty.buffer;
  requires io.netty.common;
  requires io.netty.transport;
  requires io.netty.transport.classes.epoll;
  requires io.netty.transport.unix.common;
  requires org.slf4j;

  provides io.takhin.api.protocol.ProtocolProvider with
      io.takhin.protocol.kafka.KafkaProtocolProvider;
}
