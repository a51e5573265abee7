/// Apache Ratis and the libraries that it shades (`org.apache.ratis.thirdparty`: protobuf, gRPC,
/// Netty, Guava), merged from their jars, whose packages overlap (`org.apache.ratis.server` alone
/// is in two of them). Takhin's are only this descriptor and two classes in place of Ratis' own:
/// [org.apache.ratis.util.AwaitForSignal] and [org.apache.ratis.util.JmxRegister].
///
/// Ratis finds its metrics by ServiceLoader and everything else by reflection on class names in its
/// properties, gRPC finds its parts by ServiceLoader: so the module is open, and provides to itself
/// what stands in `META-INF/services` of the jars.
open module org.apache.ratis {
  requires transitive org.slf4j;
  requires java.logging;
  requires java.management;
  requires java.naming;
  requires java.sql;
  requires jdk.unsupported;

  exports org.apache.ratis;
  exports org.apache.ratis.client;
  exports org.apache.ratis.client.api;
  exports org.apache.ratis.client.retry;
  exports org.apache.ratis.conf;
  exports org.apache.ratis.datastream;
  exports org.apache.ratis.grpc;
  exports org.apache.ratis.io;
  exports org.apache.ratis.metrics;
  exports org.apache.ratis.proto;
  exports org.apache.ratis.protocol;
  exports org.apache.ratis.protocol.exceptions;
  exports org.apache.ratis.retry;
  exports org.apache.ratis.rpc;
  exports org.apache.ratis.security;
  exports org.apache.ratis.server;
  exports org.apache.ratis.server.api;
  exports org.apache.ratis.server.leader;
  exports org.apache.ratis.server.metrics;
  exports org.apache.ratis.server.protocol;
  exports org.apache.ratis.server.raftlog;
  exports org.apache.ratis.server.storage;
  exports org.apache.ratis.server.util;
  exports org.apache.ratis.statemachine;
  exports org.apache.ratis.statemachine.impl;
  exports org.apache.ratis.thirdparty.com.google.protobuf;
  exports org.apache.ratis.trace;
  exports org.apache.ratis.util;
  exports org.apache.ratis.util.function;

  // There is none in here: cluster-raft provides its own.
  uses org.apache.ratis.metrics.MetricRegistries;
  uses org.apache.ratis.thirdparty.io.grpc.LoadBalancerProvider;
  uses org.apache.ratis.thirdparty.io.grpc.ManagedChannelProvider;
  uses org.apache.ratis.thirdparty.io.grpc.NameResolverProvider;
  uses org.apache.ratis.thirdparty.io.grpc.ServerProvider;

  provides org.apache.ratis.thirdparty.io.grpc.LoadBalancerProvider with
      org.apache.ratis.thirdparty.io.grpc.internal.PickFirstLoadBalancerProvider,
      org.apache.ratis.thirdparty.io.grpc.util.SecretRoundRobinLoadBalancerProvider.Provider,
      org.apache.ratis.thirdparty.io.grpc.util.OutlierDetectionLoadBalancerProvider,
      org.apache.ratis.thirdparty.io.grpc.util.RandomSubsettingLoadBalancerProvider;
  provides org.apache.ratis.thirdparty.io.grpc.ManagedChannelProvider with
      org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelProvider,
      org.apache.ratis.thirdparty.io.grpc.netty.UdsNettyChannelProvider;
  provides org.apache.ratis.thirdparty.io.grpc.NameResolverProvider with
      org.apache.ratis.thirdparty.io.grpc.netty.UdsNameResolverProvider,
      org.apache.ratis.thirdparty.io.grpc.internal.DnsNameResolverProvider;
  provides org.apache.ratis.thirdparty.io.grpc.ServerProvider with
      org.apache.ratis.thirdparty.io.grpc.netty.NettyServerProvider;
}
