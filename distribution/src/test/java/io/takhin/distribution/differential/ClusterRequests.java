package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.Requests.ask;

import java.util.List;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Requests about brokers, configurations and replicas.
final class ClusterRequests {
  static final int TOPIC = 2;
  static final int BROKER = 4;
  static final int GROUP = 32;

  private ClusterRequests() {}

  static Step apiVersions(int version, String software, String softwareVersion) {
    return ask(
        ApiKeys.API_VERSIONS,
        version,
        _ -> {
          ApiVersionsRequestData request = new ApiVersionsRequestData();
          return version >= 3
              ? request.setClientSoftwareName(software).setClientSoftwareVersion(softwareVersion)
              : request;
        });
  }

  static Step describeCluster(int version, int endpointType) {
    return ask(
        ApiKeys.DESCRIBE_CLUSTER,
        version,
        _ -> {
          DescribeClusterRequestData request =
              new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true);
          return version >= 1 ? request.setEndpointType((byte) endpointType) : request;
        });
  }

  static Step describeConfigs(int version, int type, String name, String... keys) {
    return describeConfigs(version, type, name, List.of(keys));
  }

  static Step describeAllConfigs(int version, int type, String name) {
    return describeConfigs(version, type, name, (List<String>) null);
  }

  private static Step describeConfigs(
      int version, int type, String name, @Nullable List<String> keys) {
    return ask(
        ApiKeys.DESCRIBE_CONFIGS,
        version,
        s -> {
          DescribeConfigsRequestData request =
              new DescribeConfigsRequestData()
                  .setIncludeSynonyms(true)
                  .setResources(
                      List.of(
                          new DescribeConfigsRequestData.DescribeConfigsResource()
                              .setResourceType((byte) type)
                              .setResourceName(s.name(name))
                              .setConfigurationKeys(keys)));
          return version >= 3 ? request.setIncludeDocumentation(true) : request;
        });
  }

  static Step incremental(
      int version,
      boolean validateOnly,
      int type,
      String name,
      int operation,
      String key,
      @Nullable String value) {
    return ask(
        ApiKeys.INCREMENTAL_ALTER_CONFIGS,
        version,
        s -> {
          var configs = new IncrementalAlterConfigsRequestData.AlterableConfigCollection();
          configs.mustAdd(
              new IncrementalAlterConfigsRequestData.AlterableConfig()
                  .setName(key)
                  .setConfigOperation((byte) operation)
                  .setValue(value));
          var resources = new IncrementalAlterConfigsRequestData.AlterConfigsResourceCollection();
          resources.mustAdd(
              new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                  .setResourceType((byte) type)
                  .setResourceName(s.name(name))
                  .setConfigs(configs));
          return new IncrementalAlterConfigsRequestData()
              .setResources(resources)
              .setValidateOnly(validateOnly);
        });
  }

  static Step alter(
      int version,
      boolean validateOnly,
      int type,
      String name,
      @Nullable String key,
      @Nullable String value) {
    return ask(
        ApiKeys.ALTER_CONFIGS,
        version,
        s -> {
          var configs = new AlterConfigsRequestData.AlterableConfigCollection();
          if (key != null) {
            configs.mustAdd(
                new AlterConfigsRequestData.AlterableConfig().setName(key).setValue(value));
          }
          var resources = new AlterConfigsRequestData.AlterConfigsResourceCollection();
          resources.mustAdd(
              new AlterConfigsRequestData.AlterConfigsResource()
                  .setResourceType((byte) type)
                  .setResourceName(s.name(name))
                  .setConfigs(configs));
          return new AlterConfigsRequestData()
              .setResources(resources)
              .setValidateOnly(validateOnly);
        });
  }

  static Step logDirs(int version, String topic, Integer... partitions) {
    return ask(
        ApiKeys.DESCRIBE_LOG_DIRS,
        version,
        s -> {
          var topics = new DescribeLogDirsRequestData.DescribableLogDirTopicCollection();
          topics.mustAdd(
              new DescribeLogDirsRequestData.DescribableLogDirTopic()
                  .setTopic(s.name(topic))
                  .setPartitions(List.of(partitions)));
          return new DescribeLogDirsRequestData().setTopics(topics);
        });
  }

  static Step electLeaders(int version, int type, String topic, Integer... partitions) {
    return ask(
        ApiKeys.ELECT_LEADERS,
        version,
        s -> {
          var topics = new ElectLeadersRequestData.TopicPartitionsCollection();
          topics.mustAdd(
              new ElectLeadersRequestData.TopicPartitions()
                  .setTopic(s.name(topic))
                  .setPartitions(List.of(partitions)));
          ElectLeadersRequestData request =
              new ElectLeadersRequestData().setTopicPartitions(topics).setTimeoutMs(10_000);
          return version >= 1 ? request.setElectionType((byte) type) : request;
        });
  }

  static Step reassign(int version, String topic, int partition, @Nullable List<Integer> replicas) {
    return ask(
        ApiKeys.ALTER_PARTITION_REASSIGNMENTS,
        version,
        s ->
            new AlterPartitionReassignmentsRequestData()
                .setTimeoutMs(10_000)
                .setTopics(
                    List.of(
                        new AlterPartitionReassignmentsRequestData.ReassignableTopic()
                            .setName(s.name(topic))
                            .setPartitions(
                                List.of(
                                    new AlterPartitionReassignmentsRequestData
                                            .ReassignablePartition()
                                        .setPartitionIndex(partition)
                                        .setReplicas(replicas))))));
  }

  static Step listReassignments(@Nullable String topic, Integer... partitions) {
    return ask(
        ApiKeys.LIST_PARTITION_REASSIGNMENTS,
        0,
        s ->
            new ListPartitionReassignmentsRequestData()
                .setTimeoutMs(10_000)
                .setTopics(
                    topic == null
                        ? null
                        : List.of(
                            new ListPartitionReassignmentsRequestData
                                    .ListPartitionReassignmentsTopics()
                                .setName(s.name(topic))
                                .setPartitionIndexes(List.of(partitions)))));
  }

  static Step quorum(int version, String topic, int partition) {
    return ask(
        ApiKeys.DESCRIBE_QUORUM,
        version,
        s ->
            new DescribeQuorumRequestData()
                .setTopics(
                    List.of(
                        new DescribeQuorumRequestData.TopicData()
                            .setTopicName(s.name(topic))
                            .setPartitions(
                                List.of(
                                    new DescribeQuorumRequestData.PartitionData()
                                        .setPartitionIndex(partition))))));
  }

  static Step updateFeature(
      int version, boolean validateOnly, String feature, int level, int upgradeType) {
    return ask(
        ApiKeys.UPDATE_FEATURES,
        version,
        _ -> {
          var update =
              new UpdateFeaturesRequestData.FeatureUpdateKey()
                  .setFeature(feature)
                  .setMaxVersionLevel((short) level);
          if (version == 0) {
            update.setAllowDowngrade(upgradeType > 1);
          } else {
            update.setUpgradeType((byte) upgradeType);
          }
          var updates = new UpdateFeaturesRequestData.FeatureUpdateKeyCollection();
          updates.mustAdd(update);
          UpdateFeaturesRequestData request =
              new UpdateFeaturesRequestData().setTimeoutMs(10_000).setFeatureUpdates(updates);
          return version >= 1 ? request.setValidateOnly(validateOnly) : request;
        });
  }

  static Step listConfigResources(int version, Byte... types) {
    return ask(
        ApiKeys.LIST_CONFIG_RESOURCES,
        version,
        _ -> {
          ListConfigResourcesRequestData request = new ListConfigResourcesRequestData();
          return version >= 1 ? request.setResourceTypes(List.of(types)) : request;
        });
  }
}
