package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.Requests.frame;
import static io.takhin.distribution.differential.Requests.raw;
import static io.takhin.distribution.differential.Requests.versions;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// Frames, headers and versions, right and wrong.
final class FramingScripts {
  private static final int BEYOND = 99;
  private static final Step ALIVE =
      GroupRequests.heartbeat(0, GroupRequests.As.member("!", "!x").generation(1));

  private FramingScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int version : versions(ApiKeys.API_VERSIONS)) {
      all.add(
          Script.named("api versions v" + version)
              .step(ClusterRequests.apiVersions(version, "some-client", "1.0"))
              .build());
    }
    all.add(
        Script.named("T1 api versions of the future are answered in version 0")
            .step(raw(ApiKeys.API_VERSIONS, BEYOND, header(ApiKeys.API_VERSIONS, BEYOND)))
            .step(ClusterRequests.apiVersions(3, "c", "1"))
            .build());
    for (String software : List.of("", "-a", "a b", "a-", "a.b-c", "ümlaut", "a".repeat(300))) {
      all.add(
          Script.named("T3 client software '" + software + "'")
              .step(ClusterRequests.apiVersions(3, software, "1"))
              .step(ClusterRequests.apiVersions(4, "a", software))
              .build());
    }
    all.add(otherCluster());
    for (ApiKeys api : servedAndOld()) {
      all.add(
          Script.named("T59 " + api.name + " in a version that does not exist")
              .step(raw(api, BEYOND, header(api, BEYOND)))
              .step(ALIVE)
              .build());
    }
    all.add(unknownKey(1_000));
    all.add(unknownKey(-1));
    all.add(unknownKey(4));
    damaged(all, "metadata", ApiKeys.METADATA, 12, new MetadataRequestData());
    damaged(all, "heartbeat", ApiKeys.HEARTBEAT, 4, new HeartbeatRequestData().setGroupId("g"));
    damaged(
        all,
        "find coordinator",
        ApiKeys.FIND_COORDINATOR,
        2,
        new FindCoordinatorRequestData().setKey("g"));
    damaged(
        all,
        "api versions",
        ApiKeys.API_VERSIONS,
        3,
        new ApiVersionsRequestData().setClientSoftwareName("c").setClientSoftwareVersion("1"));
    return all;
  }

  private static List<ApiKeys> servedAndOld() {
    return List.of(
        ApiKeys.PRODUCE,
        ApiKeys.FETCH,
        ApiKeys.LIST_OFFSETS,
        ApiKeys.METADATA,
        ApiKeys.OFFSET_COMMIT,
        ApiKeys.HEARTBEAT,
        ApiKeys.CREATE_TOPICS,
        ApiKeys.END_TXN);
  }

  private static Script otherCluster() {
    return Script.named("T3 api versions for another cluster")
        .ask(
            ApiKeys.API_VERSIONS,
            4,
            _ ->
                new ApiVersionsRequestData()
                    .setClientSoftwareName("c")
                    .setClientSoftwareVersion("1"))
        .build();
  }

  private static byte[] header(ApiKeys api, int version) {
    // The last byte says that a flexible header has no tags.
    return ByteBuffer.allocate(11)
        .putShort(api.id)
        .putShort((short) version)
        .putInt(5)
        .putShort((short) -1)
        .array();
  }

  private static Script unknownKey(int key) {
    byte[] frame = ByteBuffer.allocate(10).putShort((short) key).putInt(2, 5).array();
    return Script.named("a request with key " + key)
        .step(raw(ApiKeys.API_VERSIONS, 0, frame))
        .step(ALIVE)
        .build();
  }

  /// A request cut at several places, and with bytes behind it.
  private static void damaged(
      List<Script> all, String name, ApiKeys api, int version, ApiMessage body) {
    byte[] whole = frame(api, version, body);
    for (int length : new int[] {0, 3, 8, 11, whole.length - 1}) {
      all.add(
          Script.named(name + " cut after " + length + " bytes")
              .step(raw(api, version, Arrays.copyOf(whole, length)))
              .step(ALIVE)
              .build());
    }
    all.add(
        Script.named(name + " with bytes behind it")
            .step(raw(api, version, Arrays.copyOf(whole, whole.length + 3)))
            .step(ALIVE)
            .build());
    byte[] nullClient = ByteBuffer.allocate(whole.length).put(whole).array();
    nullClient[8] = (byte) 0x80;
    all.add(
        Script.named(name + " with a client id of a negative length")
            .step(raw(api, version, nullClient))
            .step(ALIVE)
            .build());
  }
}
