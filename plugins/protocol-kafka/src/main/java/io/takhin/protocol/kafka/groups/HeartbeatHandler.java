package io.takhin.protocol.kafka.groups;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.RequestHandler;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.Names;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves Heartbeat, versions 0 to 4: the request that idle consumers send for ever.
///
/// Threading: the connection's loop. Blocking: never.
public final class HeartbeatHandler implements RequestHandler {
  private static final Logger log = LoggerFactory.getLogger(HeartbeatHandler.class);
  private static final int FIRST_FLEXIBLE = 4;
  private static final int FIRST_WITH_INSTANCE = 3;
  private static final int ANSWER_BYTES = 16;

  private final GroupCoordinator groups;
  private final TransportMetrics metrics;
  private final Names[] names;

  /// Serves all loops.
  ///
  /// @param names one for each loop
  public HeartbeatHandler(GroupCoordinator groups, TransportMetrics metrics, Names[] names) {
    this.groups = groups;
    this.metrics = metrics;
    this.names = names;
  }

  @Override
  public boolean handle(
      Connection connection, FrameReader in, short version, int correlationId, int requestBytes) {
    boolean flexible = version >= FIRST_FLEXIBLE;
    Names known = names[connection.loop().index()];
    String group = known.read(in, in.readStringLength(flexible));
    int generation = in.readInt();
    String member = known.read(in, in.readStringLength(flexible));
    String instance =
        version >= FIRST_WITH_INSTANCE
            ? known.readNullable(in, in.readStringLength(flexible))
            : null;
    if (flexible) {
      in.skipTags();
    }
    in.expectEnd();
    ResponseSlot slot =
        new ResponseSlot(connection, ApiKeys.HEARTBEAT.id, correlationId, requestBytes);
    ErrorCode error = beat(group, generation, member, instance);
    ByteBuf out = connection.loop().allocator().directBuffer(ANSWER_BYTES);
    out.writeInt(0);
    out.writeInt(correlationId);
    if (flexible) {
      out.writeByte(0);
    }
    if (version >= 1) {
      out.writeInt(0);
    }
    out.writeShort(error.code());
    if (flexible) {
      out.writeByte(0);
    }
    slot.respond(out.setInt(0, out.readableBytes() - 4));
    return true;
  }

  private ErrorCode beat(String group, int generation, String member, @Nullable String instance) {
    try {
      return groups.heartbeat(group, generation, member, instance);
    } catch (TakhinException e) {
      metrics.error(ApiKeys.HEARTBEAT.id, e.code().code());
      return e.code();
    } catch (RuntimeException e) {
      log.error("A heartbeat failed in a way that it should not", e);
      metrics.error(ApiKeys.HEARTBEAT.id, ErrorCode.UNKNOWN_SERVER_ERROR.code());
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    }
  }
}
