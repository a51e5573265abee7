/// Extension point `coordinator`: stage 4' of 7, groups. The classic group protocol: membership by
/// join, sync and heartbeat, and committed offsets, as state machines on `__consumer_offsets`.
package io.takhin.api.group;
