package io.takhin.api.protocol;

import io.takhin.api.Api;
import io.takhin.api.Service;
import java.net.InetSocketAddress;
import java.util.List;

/// A server of one protocol. [Service#start] binds it and returns when connections are accepted;
/// a port that is taken is a [io.takhin.api.TakhinException] that names the port and the key to
/// change.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface ProtocolServer extends Service {
  /// Where it listens; with port 0 in the config, the port that the system chose. Empty before
  /// start.
  List<InetSocketAddress> addresses();
}
