package io.takhin.storage.local;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.slf4j.LoggerFactory;

/// What this package warns of while it is open.
final class Warnings extends AppenderBase<ILoggingEvent> implements AutoCloseable {
  private final List<String> messages = new ArrayList<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(Warnings.class.getPackageName());

  Warnings() {
    logger.addAppender(this);
    start();
  }

  @Override
  protected void append(ILoggingEvent event) {
    if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
      synchronized (messages) {
        messages.add(event.getFormattedMessage());
      }
    }
  }

  void clear() {
    synchronized (messages) {
      messages.clear();
    }
  }

  /// Whether some warning has the file's whole path.
  boolean name(Path file) {
    synchronized (messages) {
      return messages.stream().anyMatch(message -> message.contains(file.toString()));
    }
  }

  /// Whether some warning has these words.
  boolean say(String words) {
    synchronized (messages) {
      return messages.stream().anyMatch(message -> message.contains(words));
    }
  }

  /// Fails unless some warning has the file's whole path.
  void assertName(Path file, String what) {
    Assertions.assertTrue(name(file), () -> what + ": no warning names " + file + ": " + messages);
  }

  @Override
  public void close() {
    stop();
    logger.detachAppender(this);
  }
}
