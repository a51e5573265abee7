package io.takhin.api.codec;

import io.takhin.api.Api;
import io.takhin.api.Provider;

/// Extension point `codec`.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface CodecProvider<C extends Record> extends Provider<C, Codecs> {}
