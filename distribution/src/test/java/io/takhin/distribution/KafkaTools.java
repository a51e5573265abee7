package io.takhin.distribution;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Apache Kafka's command-line tools, each in a JVM of its own as its users run it.
final class KafkaTools {
  private static final Path CLASSES = Path.of("target", "kafka-tools.jsa").toAbsolutePath();
  /// Only jars: the archive refuses directories.
  private static final String JARS =
      Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
          .filter(entry -> entry.endsWith(".jar"))
          .collect(Collectors.joining(File.pathSeparator));

  private final String bootstrap;

  KafkaTools(Broker broker) {
    this.bootstrap = broker.bootstrap();
  }

  Command topics(String... args) {
    return tool("org.apache.kafka.tools.TopicCommand", "", args);
  }

  Command consumerGroups(String... args) {
    return tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "", args);
  }

  Command configs(String... args) {
    return tool("kafka.admin.ConfigCommand", "", args);
  }

  Command transactions(String... args) {
    return tool("org.apache.kafka.tools.TransactionsCommand", "", args);
  }

  Command consoleProducer(String stdin, String... args) {
    return tool("org.apache.kafka.tools.ConsoleProducer", stdin, args);
  }

  Command consoleConsumer(String... args) {
    return tool("org.apache.kafka.tools.consumer.ConsoleConsumer", "", args);
  }

  /// kafka-dump-log over files that a broker wrote.
  static Command dumpLog(String... args) {
    return run("org.apache.kafka.tools.DumpLogSegments", "", List.of(args));
  }

  private Command tool(String mainClass, String stdin, String... args) {
    List<String> all = new ArrayList<>(List.of("--bootstrap-server", bootstrap));
    all.addAll(List.of(args));
    return run(mainClass, stdin, all);
  }

  private static Command run(String mainClass, String stdin, List<String> args) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                // Classes of the tools, kept from the first run for the others.
                "-XX:+AutoCreateSharedArchive",
                "-XX:SharedArchiveFile=" + CLASSES,
                "-Dlogback.configurationFile="
                    + Path.of("src", "test", "resources", "logback-test.xml").toAbsolutePath(),
                "-Xlog:disable",
                "-Xlog:all=off",
                "-cp",
                JARS,
                mainClass));
    command.addAll(args);
    return Command.run(null, Map.of(), stdin, command);
  }
}
