package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.LogStorage.LogDirectory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.protocol.ApiKeys;

/// DescribeLogDirs (T19): where the logs of this broker lie, and how full the disks are.
final class LogDirApis {
  private final PartitionService partitions;
  private final LogStorage storage;

  LogDirApis(PartitionService partitions, LogStorage storage) {
    this.partitions = partitions;
    this.storage = storage;
  }

  List<MessageApi<?>> apis() {
    return List.of(MessageApi.all(ApiKeys.DESCRIBE_LOG_DIRS, this::describe));
  }

  private void describe(Exchange exchange, DescribeLogDirsRequestData request) {
    // The space of a file system is asked of the file system.
    exchange.blocking(() -> exchange.respond(described(request)));
  }

  private DescribeLogDirsResponseData described(DescribeLogDirsRequestData request) {
    Map<Path, Map<String, List<DescribeLogDirsPartition>>> logs = logs(request);
    DescribeLogDirsResponseData response = new DescribeLogDirsResponseData();
    for (LogDirectory directory : storage.directories()) {
      DescribeLogDirsResult result =
          new DescribeLogDirsResult().setLogDir(directory.path().toAbsolutePath().toString());
      response.results().add(result);
      if (directory.offline() != null) {
        result.setErrorCode(ErrorCode.KAFKA_STORAGE_ERROR.code());
        continue;
      }
      result.setTotalBytes(directory.totalBytes()).setUsableBytes(directory.usableBytes());
      logs.getOrDefault(directory.path(), Map.of())
          .forEach(
              (topic, found) ->
                  result
                      .topics()
                      .add(new DescribeLogDirsTopic().setName(topic).setPartitions(found)));
    }
    return response;
  }

  /// The partitions asked for, by directory and topic.
  private Map<Path, Map<String, List<DescribeLogDirsPartition>>> logs(
      DescribeLogDirsRequestData request) {
    Map<Path, Map<String, List<DescribeLogDirsPartition>>> logs = new HashMap<>();
    if (request.topics() == null) {
      for (PartitionService.Topic topic : partitions.topics()) {
        for (int index = 0; index < topic.partitionCount(); index++) {
          add(logs, topic, index);
        }
      }
      return logs;
    }
    Map<String, Set<Integer>> wanted = new LinkedHashMap<>();
    for (DescribableLogDirTopic topic : request.topics()) {
      wanted.computeIfAbsent(topic.topic(), name -> new HashSet<>()).addAll(topic.partitions());
    }
    wanted.forEach(
        (name, indexes) -> {
          PartitionService.Topic topic = partitions.topic(name);
          if (topic != null) {
            indexes.forEach(index -> add(logs, topic, index));
          }
        });
    return logs;
  }

  private static void add(
      Map<Path, Map<String, List<DescribeLogDirsPartition>>> logs,
      PartitionService.Topic topic,
      int index) {
    Partition partition = topic.partition(index);
    if (partition == null || partition.offline() != null) {
      return;
    }
    logs.computeIfAbsent(partition.directory(), path -> new TreeMap<>())
        .computeIfAbsent(topic.name(), name -> new ArrayList<>())
        .add(
            new DescribeLogDirsPartition()
                .setPartitionIndex(index)
                .setPartitionSize(partition.sizeBytes())
                // How far a follower is behind what is committed.
                .setOffsetLag(Math.max(0, partition.highWatermark() - partition.logEndOffset())));
  }
}
