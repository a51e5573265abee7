package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.coordinator.Deadlines;
import io.takhin.coordinator.Now;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/// Requests that wait for what is under way before them: a record on its way, or a decided
/// transaction without all its markers. Those of one id go on in the order of arrival; each waits
/// for [#WAIT_MS] at most and is then told to try again, so that clients poll seldom.
final class WaitingRequests {
  /// How long a request waits.
  static final long WAIT_MS = 500;

  private static final int MOST_OF_ONE_ID = 1_000;

  /// Those of one id.
  static final class Line {
    private final Deque<Request> requests = new ArrayDeque<>();

    boolean isEmpty() {
      return requests.isEmpty();
    }

    /// In the order of arrival; who removes one marks it as done.
    Iterator<Request> iterator() {
      return requests.iterator();
    }
  }

  private record Waiting(Request request, Line line, long untilMs) {}

  // All wait equally long: the first is due first.
  private final Deque<Waiting> all = new ArrayDeque<>();

  /// Has a request wait behind the others of its id; false if there are too many.
  boolean add(Line line, Request request, Now now) {
    if (line.requests.size() >= MOST_OF_ONE_ID) {
      return false;
    }
    line.requests.add(request);
    all.add(new Waiting(request, line, now.monotonicMs() + WAIT_MS));
    return true;
  }

  /// What the requests of an id waited for is over.
  void resume(Line line, Now now, Effects out) {
    Request next = line.requests.peek();
    while (next != null && next.attempt(now, out)) {
      next.done = true;
      line.requests.remove();
      next = line.requests.peek();
    }
    forgetDone();
  }

  /// Refuses the requests of an id.
  void refuse(Line line, ErrorCode error, Effects out) {
    line.requests.forEach(request -> refuse(request, error, out));
    line.requests.clear();
  }

  /// Refuses all requests.
  void refuseAll(ErrorCode error, Effects out) {
    for (Waiting each : all) {
      refuse(each.request(), error, out);
      each.line().requests.clear();
    }
    all.clear();
  }

  private static void refuse(Request request, ErrorCode error, Effects out) {
    if (!request.done) {
      request.done = true;
      request.refuse(error, out);
    }
  }

  /// When to call [#expire] next.
  long nextMs() {
    forgetDone();
    Waiting first = all.peek();
    return first == null ? Deadlines.NEVER : first.untilMs();
  }

  /// Refuses who has waited for long.
  void expire(Now now, Effects out) {
    forgetDone();
    Waiting first = all.peek();
    while (first != null && first.untilMs() <= now.monotonicMs()) {
      all.remove();
      first.line().requests.remove(first.request());
      refuse(first.request(), ErrorCode.CONCURRENT_TRANSACTIONS, out);
      forgetDone();
      first = all.peek();
    }
  }

  private void forgetDone() {
    Waiting first = all.peek();
    while (first != null && first.request().done) {
      all.remove();
      first = all.peek();
    }
  }
}
