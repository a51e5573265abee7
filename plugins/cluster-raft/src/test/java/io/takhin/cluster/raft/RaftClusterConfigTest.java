package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class RaftClusterConfigTest {
  private static RaftClusterConfig config(List<Integer> brokers, List<String> peers) {
    return config(brokers, peers, 1000, 3000, 500);
  }

  private static RaftClusterConfig config(
      List<Integer> brokers, List<String> peers, int heartbeat, int election, int lease) {
    return new RaftClusterConfig(
        Path.of("data"),
        1,
        brokers,
        peers,
        9092,
        "localhost",
        9092,
        1,
        10_000,
        1,
        30_000,
        heartbeat,
        election,
        lease,
        50,
        120_000,
        8192,
        true,
        64);
  }

  private static void refused(Runnable config, String part) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, config::run);
    assertTrue(TestClusters.message(e).contains(part), TestClusters.message(e));
  }

  @Test
  void oneBrokerNeedsNothing() {
    assertDoesNotThrow(() -> config(List.of(), List.of()));
    assertDoesNotThrow(() -> config(List.of(1), List.of()));
    assertDoesNotThrow(() -> config(List.of(1), List.of("1@localhost:9093")));
  }

  @Test
  void severalBrokersWithoutAddressesAreToldWhatToAdd() {
    refused(() -> config(List.of(1, 2, 3), List.of()), "add kafka.cluster.peers");
  }

  @Test
  void severalPeersAreRefusedHonestly() {
    refused(
        () -> config(List.of(1, 2), List.of("1@a:1", "2@b:1")), "runs clusters of one broker only");
  }

  @Test
  void wrongMembersAreNamed() {
    refused(() -> config(List.of(2), List.of()), "without this broker");
    refused(() -> config(List.of(), List.of("localhost:9093")), "is not id@host:port");
    refused(() -> config(List.of(), List.of("1@localhost:70000")), "is not id@host:port");
    refused(() -> config(List.of(), List.of("2@localhost:9093")), "not this broker");
  }

  @Test
  void timeoutsHaveToFitEachOther() {
    refused(() -> config(List.of(), List.of(), 1000, 999, 500), "raft.election.timeout.ms");
    refused(() -> config(List.of(), List.of(), 1000, 3000, 1001), "raft.leader.lease.timeout.ms");
  }
}
