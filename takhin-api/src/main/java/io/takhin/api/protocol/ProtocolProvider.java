package io.takhin.api.protocol;

import io.takhin.api.Api;
import io.takhin.api.Provider;

/// Extension point `protocol`: listens on a port and speaks to clients.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface ProtocolProvider<C extends Record> extends Provider<C, ProtocolServer> {}
