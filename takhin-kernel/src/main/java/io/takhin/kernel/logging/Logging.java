package io.takhin.kernel.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.jul.LevelChangePropagator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.Layout;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeAndTimeBasedRollingPolicy;
import ch.qos.logback.core.util.FileSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/// Sets logback up from code.
public final class Logging {
  private static final String TEXT =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z', UTC} %-5level [%thread] %logger{24} - %msg%n";

  private Logging() {}

  static void first(LoggerContext context) {
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setTarget("System.err");
    install(context, console, "first", text(context), Level.WARN);
  }

  /// Logs as the user wants it from now on.
  ///
  /// @throws IOException if the log file cannot be written; the message names it and the key
  public static void configure(LoggingConfig config) throws IOException {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    OutputStreamAppender<ILoggingEvent> appender;
    if (config.outputPath().toString().isEmpty()) {
      appender = new ConsoleAppender<>();
    } else {
      checkWritable(config.outputPath());
      appender = new RollingFileAppender<>();
    }
    context.reset();
    LevelChangePropagator toJul = new LevelChangePropagator();
    toJul.setContext(context);
    toJul.setResetJUL(true);
    toJul.start();
    context.addListener(toJul);
    if (appender instanceof RollingFileAppender<ILoggingEvent> file) {
      roll(context, file, config);
    }
    Layout<ILoggingEvent> layout = config.format().equals("json") ? json(context) : text(context);
    install(context, appender, "main", layout, Level.toLevel(config.level()));
    Level level = Level.toLevel(config.level());
    if (level.isGreaterOrEqual(Level.INFO)) {
      config.quiet().forEach(name -> context.getLogger(name).setLevel(atLeastWarn(level)));
    }
    if (!SLF4JBridgeHandler.isInstalled()) {
      SLF4JBridgeHandler.removeHandlersForRootLogger();
      SLF4JBridgeHandler.install();
    }
  }

  private static Level atLeastWarn(Level level) {
    return level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN;
  }

  private static void checkWritable(Path path) throws IOException {
    try {
      Path directory = path.toAbsolutePath().getParent();
      if (directory != null) {
        Files.createDirectories(directory);
      }
      Files.newByteChannel(
              path,
              java.nio.file.StandardOpenOption.CREATE,
              java.nio.file.StandardOpenOption.APPEND)
          .close();
    } catch (IOException e) {
      throw new IOException(
          "logging.output.path: "
              + path
              + " cannot be written ("
              + e.getClass().getSimpleName()
              + "): choose a file that this user may write",
          e);
    }
  }

  private static void roll(
      LoggerContext context, RollingFileAppender<ILoggingEvent> file, LoggingConfig config) {
    file.setContext(context);
    file.setFile(config.outputPath().toString());
    SizeAndTimeBasedRollingPolicy<ILoggingEvent> policy = new SizeAndTimeBasedRollingPolicy<>();
    policy.setContext(context);
    policy.setParent(file);
    policy.setFileNamePattern(config.outputPath() + ".%d{yyyy-MM-dd}.%i.gz");
    policy.setMaxFileSize(new FileSize(config.maxFileBytes()));
    policy.setTotalSizeCap(new FileSize(config.maxTotalBytes()));
    policy.setMaxHistory(config.maxDays());
    policy.start();
    file.setRollingPolicy(policy);
    file.setTriggeringPolicy(policy);
  }

  private static void install(
      LoggerContext context,
      OutputStreamAppender<ILoggingEvent> appender,
      String name,
      Layout<ILoggingEvent> layout,
      Level level) {
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setContext(context);
    encoder.setCharset(StandardCharsets.UTF_8);
    encoder.setLayout(layout);
    encoder.start();
    appender.setContext(context);
    appender.setName(name);
    appender.setEncoder(encoder);
    appender.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(level);
    root.addAppender(appender);
  }

  private static Layout<ILoggingEvent> text(LoggerContext context) {
    PatternLayout layout = new PatternLayout();
    layout.setContext(context);
    layout.setPattern(TEXT);
    layout.start();
    return layout;
  }

  private static Layout<ILoggingEvent> json(LoggerContext context) {
    JsonLayout layout = new JsonLayout();
    layout.setContext(context);
    layout.start();
    return layout;
  }
}
