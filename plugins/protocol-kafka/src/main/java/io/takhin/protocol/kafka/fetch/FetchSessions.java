package io.takhin.protocol.kafka.fetch;

import io.takhin.protocol.kafka.net.Loop;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The sessions of one loop, least recently used first; the number over all loops is bounded.
///
/// Threading: one loop.
final class FetchSessions {
  private final FetchConfig config;
  private final AtomicInteger count;
  private final Map<Integer, FetchSession> sessions = new LinkedHashMap<>(16, 0.75f, true);

  FetchSessions(FetchConfig config, AtomicInteger count) {
    this.config = config;
    this.count = count;
  }

  /// The session of this id, if it belongs to this connection.
  @Nullable FetchSession get(FetchConnection owner, int id) {
    FetchSession session = sessions.get(id);
    return session != null && session.owner() == owner ? session : null;
  }

  /// A new session; null if there are too many and none may be evicted.
  @Nullable FetchSession make(Loop loop, FetchConnection owner, boolean topicIds) {
    if (count.incrementAndGet() > config.sessions() && !evict(loop.nowNanos())) {
      count.decrementAndGet();
      return null;
    }
    int id;
    do {
      id = ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE);
    } while (sessions.containsKey(id));
    FetchSession session = new FetchSession(loop, owner, id, topicIds);
    session.used(loop.nowNanos());
    sessions.put(id, session);
    return session;
  }

  private boolean evict(long nowNanos) {
    for (FetchSession oldest : sessions.values()) {
      long unused = nowNanos - oldest.usedNanos();
      if (unused < TimeUnit.MILLISECONDS.toNanos(config.sessionEvictionMs())
          || oldest.owner().busyWith(oldest)) {
        return false;
      }
      remove(oldest);
      return true;
    }
    return false;
  }

  void remove(FetchSession session) {
    if (sessions.remove(session.id()) != null) {
      count.decrementAndGet();
      session.close();
    }
  }

  void removeAll(FetchConnection owner) {
    sessions
        .values()
        .removeIf(
            session -> {
              boolean own = session.owner() == owner;
              if (own) {
                count.decrementAndGet();
                session.close();
              }
              return own;
            });
  }
}
