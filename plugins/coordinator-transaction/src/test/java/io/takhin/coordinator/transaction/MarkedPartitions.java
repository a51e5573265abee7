package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.testkit.partition.InMemoryPartitionService;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Partitions in memory whose markers the test sees and answers.
final class MarkedPartitions implements PartitionService {
  /// A marker that was asked for.
  record Marker(
      String topic,
      int partition,
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {}

  private final InMemoryPartitionService partitions;
  private final List<Marker> markers = new CopyOnWriteArrayList<>();
  private volatile Function<Marker, CompletableFuture<ErrorCode>> answers =
      marker -> CompletableFuture.completedFuture(ErrorCode.NONE);

  MarkedPartitions(InMemoryPartitionService partitions) {
    this.partitions = partitions;
  }

  /// What was asked for, in this order.
  List<Marker> markers() {
    return markers;
  }

  /// How to answer from now on.
  void answer(Function<Marker, CompletableFuture<ErrorCode>> how) {
    answers = how;
  }

  /// How to answer from now on, at once.
  void answer(ErrorCode error) {
    answers = marker -> CompletableFuture.completedFuture(error);
  }

  private @Nullable Topic wrapped(@Nullable Topic topic) {
    return topic == null || topic.name().equals(TransactionKind.TOPIC)
        ? topic
        : new MarkedTopic(topic);
  }

  @Override
  public @Nullable Topic topic(String name) {
    return wrapped(partitions.topic(name));
  }

  @Override
  public @Nullable Topic topic(UUID id) {
    return wrapped(partitions.topic(id));
  }

  @Override
  public Collection<Topic> topics() {
    return partitions.topics();
  }

  @Override
  public void close() {}

  private final class MarkedTopic implements Topic {
    private final Topic topic;

    MarkedTopic(Topic topic) {
      this.topic = topic;
    }

    @Override
    public UUID id() {
      return topic.id();
    }

    @Override
    public String name() {
      return topic.name();
    }

    @Override
    public int partitionCount() {
      return topic.partitionCount();
    }

    @Override
    public boolean deleted() {
      return topic.deleted();
    }

    @Override
    public @Nullable Partition partition(int index) {
      Partition partition = topic.partition(index);
      return partition == null
          ? null
          : (Partition)
              Proxy.newProxyInstance(
                  Partition.class.getClassLoader(),
                  new Class<?>[] {Partition.class},
                  (proxy, method, arguments) -> {
                    if (method.getName().equals("endTransaction")) {
                      Marker marker =
                          new Marker(
                              topic.name(),
                              index,
                              (Long) arguments[0],
                              (Short) arguments[1],
                              (Integer) arguments[2],
                              (Boolean) arguments[3],
                              (Integer) arguments[4]);
                      markers.add(marker);
                      return answers.apply(marker);
                    }
                    try {
                      return method.invoke(partition, arguments);
                    } catch (InvocationTargetException e) {
                      throw e.getCause() == null ? e : e.getCause();
                    }
                  });
    }
  }
}
