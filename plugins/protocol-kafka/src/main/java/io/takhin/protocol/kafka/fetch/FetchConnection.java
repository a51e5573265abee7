package io.takhin.protocol.kafka.fetch;

import io.takhin.protocol.kafka.net.Connection;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// What a connection has of Fetch: the cursors for fetches without a session, the fetch under way,
/// and those that wait for it. Fetches of one connection are handled one after the other, so that
/// cursors have one user.
final class FetchConnection {
  private final CursorSet sessionless;
  private final ArrayDeque<FetchSlot> waiting = new ArrayDeque<>();
  private @Nullable FetchSlot current;
  private boolean hasSessions;

  FetchConnection(Connection connection) {
    sessionless = new CursorSet(connection.loop());
  }

  CursorSet sessionless() {
    return sessionless;
  }

  ArrayDeque<FetchSlot> waiting() {
    return waiting;
  }

  @Nullable FetchSlot current() {
    return current;
  }

  void current(@Nullable FetchSlot slot) {
    current = slot;
  }

  boolean busyWith(CursorSet set) {
    FetchSlot slot = current;
    return slot != null && slot.set() == set;
  }

  boolean hasSessions() {
    return hasSessions;
  }

  void hadSession() {
    hasSessions = true;
  }
}
