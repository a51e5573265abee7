package io.takhin.cluster.raft;

import io.takhin.api.cluster.MetadataRecord;
import java.util.List;

/// What a request comes to, given an image: the records that make it so, and the answer that holds
/// once they are in the log.
record Decision<R>(List<MetadataRecord> records, R result) {
  Decision {
    records = List.copyOf(records);
  }
}
