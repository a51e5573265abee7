package io.takhin.distribution.differential;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/// What came back for one request.
///
/// @param shown the answer as it is compared
/// @param told the answer as it came with its texts, for people; null when there was none
record Answer(JsonNode shown, @Nullable ApiMessage told) {}
