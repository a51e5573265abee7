package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.FrameWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A frame of every API and version, made by the Kafka client's own serializer and frozen in
/// `src/test/resources/golden`: an upgrade of kafka-clients that changes bytes shows here. Our
/// reader and writer must agree with each.
///
/// New frames after a deliberate upgrade: `-Dtakhin.golden.regenerate=true`, then look at the
/// difference.
class GoldenFramesTest {
  private static final boolean REGENERATE = Boolean.getBoolean("takhin.golden.regenerate");
  private static final Path DIRECTORY = Path.of("src/test/resources/golden");

  static Stream<ApiKeys> keys() {
    return Arrays.stream(ApiKeys.values()).filter(ApiKeys::hasValidVersion);
  }

  @ParameterizedTest
  @MethodSource("keys")
  void framesOfTheClientStayAsTheyWere(ApiKeys key) throws IOException {
    List<String> lines = new ArrayList<>();
    for (short version : key.allVersions()) {
      for (Frame frame : frames(key, version)) {
        lines.add(frame.label() + " " + HexFormat.of().formatHex(frame.bytes()));
      }
    }
    String file = key.name + ".txt";
    if (REGENERATE) {
      Files.createDirectories(DIRECTORY);
      Files.write(DIRECTORY.resolve(file), lines);
      return;
    }
    List<String> frozen = frozen(file);
    for (int i = 0; i < Math.min(lines.size(), frozen.size()); i++) {
      assertEquals(frozen.get(i), lines.get(i));
    }
    assertEquals(frozen.size(), lines.size(), "versions of " + key);
  }

  private static List<String> frozen(String file) throws IOException {
    try (InputStream in = GoldenFramesTest.class.getResourceAsStream("/golden/" + file)) {
      if (in == null) {
        throw new AssertionError(
            "no golden frames in " + file + ": run with -Dtakhin.golden.regenerate=true");
      }
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("keys")
  void ourReaderAndWriterAgreeWithTheClients(ApiKeys key) {
    for (short version : key.allVersions()) {
      for (Frame frame : frames(key, version)) {
        FrameReader reader = new FrameReader(ByteBuffer.wrap(frame.bytes()));
        ApiMessage header = frame.newHeader();
        header.read(reader, frame.headerVersion());
        ApiMessage body = frame.newBody();
        body.read(reader, version);
        reader.expectEnd();
        assertEquals(frame.header(), header, frame.label());
        if (!frame.hasRecords()) {
          assertEquals(frame.body(), body, frame.label());
        }
        ByteBuf out = Unpooled.buffer();
        ObjectSerializationCache cache = new ObjectSerializationCache();
        header.size(cache, frame.headerVersion());
        header.write(new FrameWriter(out), cache, frame.headerVersion());
        if (!frame.hasRecords()) {
          body.size(cache, version);
          body.write(new FrameWriter(out), cache, version);
          assertEquals(
              HexFormat.of().formatHex(frame.bytes()),
              HexFormat.of().formatHex(out.array(), 0, out.writerIndex()),
              frame.label());
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("keys")
  void aFrameThatEndsTooSoonIsAnErrorAndNoHarm(ApiKeys key) {
    short version = key.latestVersion();
    Frame frame = frames(key, version).getFirst();
    byte[] bytes = frame.bytes();
    int step = Math.max(1, bytes.length / 50);
    for (int length = 0; length < bytes.length; length += step) {
      FrameReader reader = new FrameReader(ByteBuffer.wrap(bytes, 0, length));
      boolean whole;
      try {
        frame.newHeader().read(reader, frame.headerVersion());
        frame.newBody().read(reader, version);
        whole = true;
      } catch (RuntimeException expected) {
        whole = false;
      }
      assertFalse(whole, frame.label() + " of " + length + " bytes");
    }
  }

  /// @param label as in the files
  private record Frame(
      String label,
      ApiMessage header,
      short headerVersion,
      ApiMessage body,
      boolean request,
      ApiKeys key,
      byte[] bytes) {

    ApiMessage newHeader() {
      return request ? new RequestHeaderData() : new ResponseHeaderData();
    }

    ApiMessage newBody() {
      return request ? key.messageType.newRequest() : key.messageType.newResponse();
    }

    /// Records do not compare by their bytes.
    boolean hasRecords() {
      return switch (key) {
        case PRODUCE -> request;
        case FETCH, FETCH_SNAPSHOT, SHARE_FETCH -> !request;
        default -> false;
      };
    }
  }

  private static List<Frame> frames(ApiKeys key, short version) {
    return List.of(
        request(key, version, false),
        request(key, version, true),
        response(key, version, false),
        response(key, version, true));
  }

  private static Frame request(ApiKeys key, short version, boolean nulls) {
    ApiMessage body = key.messageType.newRequest();
    var schema = key.messageType.requestSchemas()[version];
    if (nulls) {
      PopulatedMessage.nulls(body, schema);
    } else {
      PopulatedMessage.full(body, schema);
    }
    short headerVersion = key.requestHeaderVersion(version);
    RequestHeaderData header =
        new RequestHeaderData()
            .setRequestApiKey(key.id)
            .setRequestApiVersion(version)
            .setCorrelationId(7)
            .setClientId(nulls ? null : "golden");
    return frame("request", version, nulls, header, headerVersion, body, true, key);
  }

  private static Frame response(ApiKeys key, short version, boolean nulls) {
    ApiMessage body = key.messageType.newResponse();
    var schema = key.messageType.responseSchemas()[version];
    if (nulls) {
      PopulatedMessage.nulls(body, schema);
    } else {
      PopulatedMessage.full(body, schema);
    }
    ResponseHeaderData header = new ResponseHeaderData().setCorrelationId(7);
    short headerVersion = key.responseHeaderVersion(version);
    return frame("response", version, nulls, header, headerVersion, body, false, key);
  }

  private static Frame frame(
      String kind,
      short version,
      boolean nulls,
      ApiMessage header,
      short headerVersion,
      ApiMessage body,
      boolean request,
      ApiKeys key) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    int size = header.size(cache, headerVersion) + body.size(cache, version);
    ByteBuffer buffer = ByteBuffer.allocate(size);
    ByteBufferAccessor out = new ByteBufferAccessor(buffer);
    header.write(out, cache, headerVersion);
    body.write(out, cache, version);
    String label = kind + " v" + version + (nulls ? " nulls" : "");
    return new Frame(label, header, headerVersion, body, request, key, buffer.array());
  }
}
