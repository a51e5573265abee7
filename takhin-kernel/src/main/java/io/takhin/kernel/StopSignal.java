package io.takhin.kernel;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Where anybody may ask the process to stop, and the main thread waits for it. The first wins.
final class StopSignal {
  private final CountDownLatch requested = new CountDownLatch(1);
  private final AtomicReference<@Nullable Stop> stop = new AtomicReference<>();

  /// Why, and with which exit code.
  record Stop(String reason, int exitCode) {}

  void request(String reason, int exitCode) {
    stop.compareAndSet(null, new Stop(reason, exitCode));
    requested.countDown();
  }

  boolean isRequested() {
    return requested.getCount() == 0;
  }

  Stop await() throws InterruptedException {
    requested.await();
    Stop first = stop.get();
    if (first == null) {
      throw new IllegalStateException("requested without a reason");
    }
    return first;
  }
}
