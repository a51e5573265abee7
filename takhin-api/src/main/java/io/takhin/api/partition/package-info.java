/// Extension point `broker`: stages 4 and 6 of 7, partitions. Leader and follower state, epochs,
/// in-sync replicas, high watermark, and the requests that wait for them.
package io.takhin.api.partition;
