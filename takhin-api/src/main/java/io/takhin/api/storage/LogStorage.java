package io.takhin.api.storage;

import io.takhin.api.Api;
import io.takhin.api.Service;
import io.takhin.api.TopicPartition;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The logs of this broker.
///
/// Threading: any thread, except where said. Buffers: see [PartitionLog].
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface LogStorage extends Service {
  /// The settings of a log whose topic sets nothing, as the broker's own config has them.
  LogConfig defaults();

  /// The log of a partition, made if there is none. A log found on disk under the same name but
  /// another topic id is set aside first: it belongs to a topic that was deleted.
  ///
  /// Blocking: recovers the log's tail if the last run did not close it.
  /// Errors: TakhinException KAFKA_STORAGE_ERROR that names the directory; see [#mayOpenLater].
  PartitionLog open(TopicPartition partition, LogConfig config, LogListener listener);

  /// Whether a log whose [#open] failed may be opened without a restart: it found no room, or no
  /// file handle, and nothing was changed that another attempt would not find as it was. After any
  /// other failure the disk is not believed any more.
  ///
  /// Blocking: no.
  default boolean mayOpenLater(TopicPartition partition) {
    return false;
  }

  /// Partitions whose logs lie on disk, open or not.
  List<TopicPartition> existing();

  /// Closes the log and removes its files in the background. Reads in flight end normally.
  void delete(TopicPartition partition);

  /// Where logs live, and how that does.
  List<LogDirectory> directories();

  /// One directory of logs.
  ///
  /// @param path where
  /// @param totalBytes size of its file system
  /// @param usableBytes what may still be written
  /// @param offline why it was taken out of service; null while it works
  record LogDirectory(Path path, long totalBytes, long usableBytes, @Nullable String offline) {}
}
