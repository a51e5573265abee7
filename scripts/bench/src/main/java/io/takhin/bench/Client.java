package io.takhin.bench;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/// A blocking connection for what surrounds a measurement: topics, producer ids, first answers.
final class Client implements AutoCloseable {
  static final String CLIENT_ID = "takhin-bench";

  private final Socket socket;
  private int correlationId;

  Client(InetSocketAddress address) throws IOException {
    socket = new Socket();
    socket.connect(address, 1000);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(120_000);
  }

  /// A request as bytes: length, header, body. Its correlation id is 4 bytes at index 8.
  static ByteBuffer encode(ApiKeys api, short version, int correlationId, ApiMessage body) {
    RequestHeaderData header =
        new RequestHeaderData()
            .setRequestApiKey(api.id)
            .setRequestApiVersion(version)
            .setCorrelationId(correlationId)
            .setClientId(CLIENT_ID);
    short headerVersion = api.requestHeaderVersion(version);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    int size = header.size(cache, headerVersion) + body.size(cache, version);
    ByteBuffer buffer = ByteBuffer.allocateDirect(4 + size);
    buffer.putInt(size);
    ByteBufferAccessor out = new ByteBufferAccessor(buffer);
    header.write(out, cache, headerVersion);
    body.write(out, cache, version);
    return buffer.flip();
  }

  /// The question that every client asks first.
  static ByteBuffer apiVersionsRequest() {
    return encode(
        ApiKeys.API_VERSIONS,
        (short) 3,
        1,
        new ApiVersionsRequestData()
            .setClientSoftwareName("takhin-bench")
            .setClientSoftwareVersion("1"));
  }

  void apiVersions() throws IOException {
    exchange(apiVersionsRequest());
  }

  /// Makes a topic and fails loudly if that fails.
  void createTopic(String name, int partitions, Map<String, String> configs) throws IOException {
    CreatableTopic topic =
        new CreatableTopic()
            .setName(name)
            .setNumPartitions(partitions)
            .setReplicationFactor((short) 1);
    configs.forEach(
        (key, value) ->
            topic.configs().add(new CreatableTopicConfig().setName(key).setValue(value)));
    CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(120_000);
    request.topics().add(topic);
    short version = 5;
    CreateTopicsResponseData response =
        new CreateTopicsResponseData(call(ApiKeys.CREATE_TOPICS, version, request), version);
    response
        .topics()
        .forEach(
            result -> {
              if (result.errorCode() != 0) {
                throw new IllegalStateException(
                    Errors.forCode(result.errorCode()) + ": " + result.errorMessage());
              }
            });
  }

  /// Removes a topic.
  void deleteTopic(String name) throws IOException {
    short version = 5;
    DeleteTopicsResponseData response =
        new DeleteTopicsResponseData(
            call(
                ApiKeys.DELETE_TOPICS,
                version,
                new DeleteTopicsRequestData().setTopicNames(List.of(name)).setTimeoutMs(60_000)),
            version);
    response
        .responses()
        .forEach(
            result -> {
              if (result.errorCode() != 0) {
                throw new IllegalStateException(
                    "cannot remove " + name + ": " + Errors.forCode(result.errorCode()));
              }
            });
  }

  /// How many partitions of a topic have a leader.
  int leaders(String name) throws IOException {
    short version = 9;
    MetadataRequestData request =
        new MetadataRequestData()
            .setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName(name)))
            .setAllowAutoTopicCreation(false);
    MetadataResponseData response =
        new MetadataResponseData(call(ApiKeys.METADATA, version, request), version);
    int leaders = 0;
    for (MetadataResponseData.MetadataResponseTopic topic : response.topics()) {
      for (MetadataResponseData.MetadataResponsePartition partition : topic.partitions()) {
        leaders += partition.errorCode() == 0 && partition.leaderId() >= 0 ? 1 : 0;
      }
    }
    return leaders;
  }

  /// The sum of the end offsets of partitions 0 to `partitions - 1`.
  long endOffsets(String name, int partitions) throws IOException {
    short version = 6;
    ListOffsetsRequestData.ListOffsetsTopic topic =
        new ListOffsetsRequestData.ListOffsetsTopic().setName(name);
    for (int p = 0; p < partitions; p++) {
      topic
          .partitions()
          .add(
              new ListOffsetsRequestData.ListOffsetsPartition()
                  .setPartitionIndex(p)
                  .setTimestamp(-1));
    }
    ListOffsetsRequestData request =
        new ListOffsetsRequestData().setReplicaId(-1).setTopics(List.of(topic));
    ListOffsetsResponseData response =
        new ListOffsetsResponseData(call(ApiKeys.LIST_OFFSETS, version, request), version);
    long sum = 0;
    for (ListOffsetsResponseData.ListOffsetsTopicResponse one : response.topics()) {
      for (ListOffsetsResponseData.ListOffsetsPartitionResponse partition : one.partitions()) {
        if (partition.errorCode() != 0) {
          throw new IllegalStateException(
              "no end offset: " + Errors.forCode(partition.errorCode()));
        }
        sum += partition.offset();
      }
    }
    return sum;
  }

  /// A producer id for idempotent load.
  InitProducerIdResponseData producerId() throws IOException {
    short version = 4;
    return new InitProducerIdResponseData(
        call(
            ApiKeys.INIT_PRODUCER_ID,
            version,
            new InitProducerIdRequestData()
                .setTransactionalId(null)
                .setTransactionTimeoutMs(60_000)),
        version);
  }

  /// Sends a Produce frame until the broker takes it: a new partition's leader can come a moment
  /// after the topic.
  void produceUntilTaken(ByteBuffer frame, String topic) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      ByteBuffer body = exchange(frame);
      Errors error = Errors.forCode(body.getShort(Batches.errorCodeAt(topic)));
      if (error == Errors.NONE) {
        return;
      }
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(topic + " takes no records: " + error);
      }
    }
  }

  /// Sends a request and gives the answer's body.
  ByteBufferAccessor call(ApiKeys api, short version, ApiMessage body) throws IOException {
    ByteBuffer answer = exchange(encode(api, version, ++correlationId, body));
    int header = api.responseHeaderVersion(version) == 0 ? 4 : 5;
    return new ByteBufferAccessor(answer.slice(header, answer.remaining() - header));
  }

  /// Sends bytes and gives the answer from its correlation id on.
  ByteBuffer exchange(ByteBuffer frame) throws IOException {
    byte[] bytes = new byte[frame.remaining()];
    frame.get(frame.position(), bytes);
    socket.getOutputStream().write(bytes);
    DataInputStream in = new DataInputStream(socket.getInputStream());
    byte[] answer = in.readNBytes(in.readInt());
    return ByteBuffer.wrap(answer);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
