package io.takhin.kernel.lifecycle;

import io.takhin.api.Provider;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets plugins initialize what is slow beside the start of others, on the second core: a start
/// waits for the metadata log for a third of a second, and native libraries and the tables of a
/// protocol take as long.
///
/// Threading: one daemon thread, which ends with its work.
public final class WarmUp {
  private static final Logger log = LoggerFactory.getLogger(WarmUp.class);

  private WarmUp() {}

  /// Begins, for these providers in their order; returns at once.
  ///
  /// @return the thread, for tests
  public static Thread begin(List<? extends Provider<?, ?>> providers) {
    return Thread.ofPlatform().daemon().name("takhin-warm-up").start(() -> run(providers));
  }

  private static void run(List<? extends Provider<?, ?>> providers) {
    for (Provider<?, ?> provider : providers) {
      Thread.currentThread().setContextClassLoader(provider.getClass().getClassLoader());
      try {
        provider.warmUp();
      } catch (Exception | LinkageError | AssertionError e) {
        log.debug("{} could not warm up; its start will tell", provider.name(), e);
      }
    }
  }
}
