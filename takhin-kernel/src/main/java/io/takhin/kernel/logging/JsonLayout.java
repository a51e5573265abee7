package io.takhin.kernel.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import io.takhin.kernel.health.Json;
import java.time.Instant;
import java.util.Locale;

/// One JSON object for each line: `time`, `level`, `logger`, `thread`, `message`, and `exception`
/// with the stack trace if there is one.
final class JsonLayout extends LayoutBase<ILoggingEvent> {
  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(256);
    line.append("{\"time\":\"").append(Instant.ofEpochMilli(event.getTimeStamp()));
    line.append("\",\"level\":\"").append(event.getLevel().toString().toLowerCase(Locale.ROOT));
    line.append("\",\"logger\":");
    Json.string(line, event.getLoggerName());
    line.append(",\"thread\":");
    Json.string(line, event.getThreadName());
    line.append(",\"message\":");
    Json.string(line, String.valueOf(event.getFormattedMessage()));
    IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown != null) {
      line.append(",\"exception\":");
      Json.string(line, ThrowableProxyUtil.asString(thrown));
    }
    return line.append("}\n").toString();
  }
}
