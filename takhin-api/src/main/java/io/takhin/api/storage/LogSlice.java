package io.takhin.api.storage;

import io.takhin.api.Api;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/// A run of whole batches in a file. It holds the file: a segment that is deleted meanwhile stays
/// readable until the slice is closed.
///
/// Threading: one thread at a time. Errors: TakhinException KAFKA_STORAGE_ERROR.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface LogSlice extends AutoCloseable {
  /// Length in bytes; 0 for nothing.
  int sizeBytes();

  /// The offset where a reader goes on after this slice; -1 if it is empty.
  long endOffset();

  /// The file, for sendfile; null if the slice is not in one (empty, or in memory alone). Never
  /// close it, and never move its position.
  @Nullable FileChannel file();

  /// Where the slice begins in the file.
  long filePosition();

  /// Whether all of it is in memory as far as can be seen without reading it, so that sending it
  /// will not wait for a disk. True for nothing. Costs a few microseconds; what is in memory may be
  /// dropped the next moment.
  boolean inMemory();

  /// Copies bytes from `from` on into `target`, as many as it has room for, from the page cache or
  /// memory.
  /// Blocking: reads the disk if the data is cold.
  void copyTo(int from, ByteBuffer target);

  /// Gives the file back. Calling it again does nothing.
  @Override
  void close();
}
