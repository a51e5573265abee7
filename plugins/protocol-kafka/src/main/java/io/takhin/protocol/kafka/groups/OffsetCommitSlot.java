package io.takhin.protocol.kafka.groups;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.net.TransportMetrics;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An OffsetCommit until the coordinator's codes are in. Holds its answer, in which only they are
/// missing.
final class OffsetCommitSlot extends ResponseSlot {
  private static final Logger log = LoggerFactory.getLogger(OffsetCommitSlot.class);

  private static final int FIRST_WITH_GROUP_ID_NOT_FOUND = 9;

  private final TransportMetrics metrics;
  private final short version;
  private final ByteBuf answer;
  private final int[] errorsAt;

  OffsetCommitSlot(
      TransportMetrics metrics,
      Connection connection,
      int correlationId,
      int requestBytes,
      short version,
      ByteBuf answer,
      int[] errorsAt) {
    super(connection, ApiKeys.OFFSET_COMMIT.id, correlationId, requestBytes);
    this.metrics = metrics;
    this.version = version;
    this.answer = answer;
    this.errorsAt = errorsAt;
  }

  /// Threading: any thread.
  void completed(@Nullable List<ErrorCode> errors, @Nullable Throwable failure) {
    onLoop(
        () -> {
          if (errors != null) {
            answer(errors);
          } else if (failure != null) {
            failed(failure);
          }
        });
  }

  /// Puts the codes in, and answers. Threading: the loop.
  void answer(List<ErrorCode> errors) {
    if (errors.size() != errorsAt.length) {
      failed(
          new IllegalStateException(
              errors.size() + " outcomes of " + errorsAt.length + " offsets"));
      return;
    }
    for (int i = 0; i < errorsAt.length; i++) {
      answer.setShort(errorsAt[i], told(errors.get(i)).code());
    }
    respond(answer);
  }

  /// Clients of versions before 9 do not know of groups that are not there, but join anew at this.
  private ErrorCode told(ErrorCode error) {
    return error == ErrorCode.GROUP_ID_NOT_FOUND && version < FIRST_WITH_GROUP_ID_NOT_FOUND
        ? ErrorCode.ILLEGAL_GENERATION
        : error;
  }

  /// Gives every offset the failure's code, and answers. Threading: the loop.
  void failed(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    ErrorCode code;
    if (cause instanceof TakhinException known) {
      code = known.code();
    } else {
      log.error("A commit of offsets failed in a way that it should not", cause);
      code = ErrorCode.UNKNOWN_SERVER_ERROR;
    }
    metrics.error(ApiKeys.OFFSET_COMMIT.id, code.code());
    for (int at : errorsAt) {
      answer.setShort(at, code.code());
    }
    respond(answer);
  }
}
