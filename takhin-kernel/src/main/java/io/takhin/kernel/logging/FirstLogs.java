package io.takhin.kernel.logging;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.core.spi.ContextAwareBase;

/// Logging before the configuration is read: warnings as text on standard error.
public final class FirstLogs extends ContextAwareBase implements Configurator {
  /// Made by logback.
  public FirstLogs() {}

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    Logging.first(context);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }
}
