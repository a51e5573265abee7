package io.takhin.api.cluster;

import io.takhin.api.Api;
import java.util.List;

/// Follows the metadata.
///
/// Threading: the quorum's applying thread; calls never overlap and come in the order of the log.
/// The first call may come on the subscriber's thread. Blocking: opening logs is allowed; others
/// wait meanwhile. To wait here for another change of metadata is to wait for ever. Buffers: none.
/// Errors: logged, and the process ends: a broker that could not follow its metadata must not go
/// on.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface MetadataListener {
  /// A change.
  ///
  /// @param image after the change
  /// @param before the image before it
  /// @param records the delta; empty at the first call, which shows all there is
  void changed(MetadataImage image, MetadataImage before, List<MetadataRecord> records);
}
