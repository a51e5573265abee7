package io.takhin.protocol.kafka;

import static org.apache.kafka.common.acl.AclOperation.ALTER;
import static org.apache.kafka.common.acl.AclOperation.ALTER_CONFIGS;
import static org.apache.kafka.common.acl.AclOperation.CLUSTER_ACTION;
import static org.apache.kafka.common.acl.AclOperation.CREATE;
import static org.apache.kafka.common.acl.AclOperation.DELETE;
import static org.apache.kafka.common.acl.AclOperation.DESCRIBE;
import static org.apache.kafka.common.acl.AclOperation.DESCRIBE_CONFIGS;
import static org.apache.kafka.common.acl.AclOperation.IDEMPOTENT_WRITE;
import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.apache.kafka.common.acl.AclOperation.WRITE;

import org.apache.kafka.common.acl.AclOperation;

/// What a client may do, as bit fields of [AclOperation] codes (KIP-430). Where no authorizer
/// decides, as here, everyone may do all that the kind of resource knows (T20).
final class AuthorizedOperations {
  /// Not asked for.
  static final int OMITTED = Integer.MIN_VALUE;

  static final int TOPIC =
      bits(READ, WRITE, CREATE, DESCRIBE, DELETE, ALTER, DESCRIBE_CONFIGS, ALTER_CONFIGS);

  static final int GROUP = bits(READ, DESCRIBE, DELETE, DESCRIBE_CONFIGS, ALTER_CONFIGS);

  static final int CLUSTER =
      bits(
          CREATE,
          CLUSTER_ACTION,
          DESCRIBE_CONFIGS,
          ALTER_CONFIGS,
          IDEMPOTENT_WRITE,
          ALTER,
          DESCRIBE);

  private AuthorizedOperations() {}

  private static int bits(AclOperation... operations) {
    int bits = 0;
    for (AclOperation operation : operations) {
      bits |= 1 << operation.code();
    }
    return bits;
  }
}
