package io.takhin.protocol.kafka;

import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnPartitionResult;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnResult;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnTopicResult;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponsePartition;

/// Elements of answers that are hashed by their place in it.
///
/// The message classes keep such elements in a table that probes one slot after the other, hashed
/// by names, ids or numbers that came from the client. Keys chosen to collide, or topics that have
/// no name at all, would make a large answer take quadratic time (T68). Nobody looks anything up in
/// an answer, so the place of an element will do for its hash.
///
/// The table asks an element itself for its hash, so each kind of element needs a class of its own;
/// all of them are this one pattern.
final class InOrder {
  private InOrder() {}

  /// Neighbours far apart: a run of full slots is what costs time when the table grows.
  private static int spread(int place) {
    return place * 0x9e3779b9;
  }

  /// Of Metadata.
  static final class MetadataTopic extends MetadataResponseTopic {
    private final int hash;

    MetadataTopic(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of DescribeTopicPartitions.
  static final class DescribedTopic extends DescribeTopicPartitionsResponseTopic {
    private final int hash;

    DescribedTopic(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of DeleteTopics.
  static final class DeletedTopic extends DeletableTopicResult {
    private final int hash;

    DeletedTopic(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of DeleteGroups.
  static final class DeletedGroup extends DeletableGroupResult {
    private final int hash;

    DeletedGroup(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of DeleteRecords.
  static final class DeletedRecords extends DeleteRecordsPartitionResult {
    private final int hash;

    DeletedRecords(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of OffsetDelete.
  static final class DeletedOffset extends OffsetDeleteResponsePartition {
    private final int hash;

    DeletedOffset(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of AddPartitionsToTxn, by transaction.
  static final class AddedToTransaction extends AddPartitionsToTxnResult {
    private final int hash;

    AddedToTransaction(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of AddPartitionsToTxn, by topic.
  static final class AddedTopic extends AddPartitionsToTxnTopicResult {
    private final int hash;

    AddedTopic(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Of AddPartitionsToTxn, by partition.
  static final class AddedPartition extends AddPartitionsToTxnPartitionResult {
    private final int hash;

    AddedPartition(int place) {
      hash = spread(place);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }
}
